"""People, their roles and sessions, tokens for scripts, and the audit trail."""

from starlette.responses import Response

from mailbot.console.door import make_link
from mailbot.console.routes import Page, get, post
from mailbot.console.visit import Visit
from mailbot.errors import InputError
from mailbot.model.people import Permission, Role
from mailbot.store import api_tokens, audit, sessions, users
from mailbot.store.sessions import Link
from mailbot.store.transaction import reading, transaction

_MOST = 100


def show_people(visit: Visit, **shown_once: str) -> Response:
    """Everybody, with roles, sessions and tokens; a link or a token that was just made is shown this once."""
    with reading(visit.app.engine) as session:
        return visit.page(
            "people.html",
            people=users.all_users(session),
            roles=list(Role),
            browsers=sessions.browsers(session, None, visit.app.now()),
            tokens=api_tokens.all_tokens(session),
            link=shown_once.get("link", ""),
            invited=shown_once.get("invited", ""),
            made_token=shown_once.get("made_token", ""),
        )


def invite(visit: Visit) -> Response:
    """Add somebody, or let somebody choose a new password: a link that works once, for 72 hours."""
    name, now = visit.form.get("name", ""), visit.app.now()
    with transaction(visit.app.engine) as session:
        row = users.invite(session, name, _role(visit), now)
        audit.record(session, visit.name, "invited", row.name, now, role=row.role)
        user_id, invited = row.id, row.name
    link = make_link(visit.app, Link.INVITATION, user_id, str(visit.request.base_url).rstrip("/"))
    return show_people(visit, link=link, invited=invited)


def give_role(visit: Visit) -> Response:
    """Give somebody another role."""
    with transaction(visit.app.engine) as session:
        users.set_role(session, visit.form.get("name", ""), _role(visit))
        detail = {"role": _role(visit).value}
        audit.record(session, visit.name, "role_given", visit.form.get("name", ""), visit.app.now(), **detail)
    return visit.go("/people")


def disable(visit: Visit) -> Response:
    """Let somebody in no longer."""
    with transaction(visit.app.engine) as session:
        users.disable(session, visit.form.get("name", ""), visit.app.now())
        audit.record(session, visit.name, "disabled", visit.form.get("name", ""), visit.app.now())
    return visit.go("/people")


def end_session(visit: Visit) -> Response:
    """End anybody's session."""
    with transaction(visit.app.engine) as session:
        sessions.end(session, visit.form.get("session", ""), None)
        audit.record(session, visit.name, "session_ended", visit.form.get("name", ""), visit.app.now())
    return visit.go("/people")


def make_token(visit: Visit) -> Response:
    """A token for a script."""
    name, now = visit.form.get("name", ""), visit.app.now()
    with transaction(visit.app.engine) as session:
        token = api_tokens.make(session, name, _role(visit), visit.name, now)
        audit.record(session, visit.name, "token_made", name[:60], now, role=_role(visit).value)
    return show_people(visit, made_token=token)


def end_token(visit: Visit) -> Response:
    """Let a token in no longer."""
    number = visit.form.get("id", "")
    with transaction(visit.app.engine) as session:
        api_tokens.end(session, int(number) if number.isascii() and number.isdigit() else 0, visit.app.now())
        audit.record(session, visit.name, "token_ended", number[:20], visit.app.now())
    return visit.go("/people")


def show_audit(visit: Visit) -> Response:
    """The audit trail, newest first, and whether its chain holds."""
    asked = visit.request.query_params
    before = asked.get("before", "")
    with reading(visit.app.engine) as session:
        rows = audit.page(
            session,
            action=asked.get("action", "").replace("\0", "") or None,
            before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,  # noqa: PLR2004 (as long as ids get)
            most=_MOST,
        )
        checked, broken = audit.count_broken(session) if not before else (0, 0)
        return visit.page("audit.html", rows=rows, checked=checked, broken=broken, most=_MOST)


def _role(visit: Visit) -> Role:
    given = visit.form.get("role", "")
    if given not in list(Role):
        raise InputError(f"{given!r} is no role; use {', '.join(Role)}")
    return Role(given)


PAGES: list[Page] = [
    get("/people", Permission.ADMINISTER, show_people),
    post("/people/invite", Permission.ADMINISTER, invite),
    post("/people/role", Permission.ADMINISTER, give_role),
    post("/people/disable", Permission.ADMINISTER, disable),
    post("/people/end-session", Permission.ADMINISTER, end_session),
    post("/people/token", Permission.ADMINISTER, make_token),
    post("/people/end-token", Permission.ADMINISTER, end_token),
    get("/audit", Permission.ADMINISTER, show_audit),
]
