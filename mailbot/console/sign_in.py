"""Coming in and going out: password and code, one-time links, invitations, the authenticator, sessions."""

import io
import secrets
from http import HTTPStatus

import segno
import structlog
from starlette.responses import Response

from mailbot.console import passwords
from mailbot.console.door import cookie_name, set_cookie
from mailbot.console.visit import Visit
from mailbot.errors import InputError
from mailbot.model.people import Role
from mailbot.store import audit, sessions, users
from mailbot.store.desk_tables import UserRow
from mailbot.store.sealing import SealError
from mailbot.store.sessions import By, Link
from mailbot.store.transaction import reading, transaction

_NO = "That is not right, or was tried too often. Check name, password and code; after five slips wait 15 minutes."
_USED = "This link was used before, or is too old."

log = structlog.get_logger()


def show_sign_in(visit: Visit) -> Response:
    """The form for name, password and code; or the button that uses a one-time link."""
    return sign_in_page(visit, "", HTTPStatus.OK, visit.request.query_params.get("token", ""))


def sign_in_page(visit: Visit, problem: str, status: HTTPStatus = HTTPStatus.FORBIDDEN, token: str = "") -> Response:
    """The page itself, with what went wrong."""
    provider = visit.app.settings.sign_in.label if visit.app.identities is not None else ""
    return visit.page("sign_in.html", status, token=token, problem=problem, provider=provider)


def sign_in(visit: Visit) -> Response:
    """Let a browser in, by a link or by name, password and code; the answer to every slip is the same."""
    token = visit.form.get("token", "")
    user_id = _by_link(visit, token) if token or "name" not in visit.form else _by_password(visit)
    if user_id is None:
        return sign_in_page(visit, _USED if "name" not in visit.form else _NO)
    return enter(visit, user_id, By.OURSELVES)


def show_welcome(visit: Visit) -> Response:
    """Where a person who was invited, or the first admin, chooses a password. Looking does not use the link."""
    token = visit.request.query_params.get("token", "")
    with reading(visit.app.engine) as session:
        first = sessions.find_link(session, token, Link.FIRST_ADMIN, visit.app.now())
        invited = sessions.find_link(session, token, Link.INVITATION, visit.app.now())
        user = session.get(UserRow, invited.user_id) if invited is not None else None
        name = "" if user is None else user.name
    if first is None and invited is None:
        return sign_in_page(visit, _USED)
    return visit.page("welcome.html", token=token, name=name, problem="")


def welcome(visit: Visit) -> Response:
    """Keep the chosen password, make the first admin if this is how it begins, and let the browser in."""
    token, password = visit.form.get("token", ""), visit.form.get("password", "")
    now = visit.app.now()
    problem = ""
    with transaction(visit.app.engine) as session:
        invited = sessions.find_link(session, token, Link.INVITATION, now)
        first = None if invited else sessions.find_link(session, token, Link.FIRST_ADMIN, now)
        if invited is None and (first is None or not users.is_empty(session)):
            return sign_in_page(visit, _USED)
        user = None if invited is None else session.get(UserRow, invited.user_id)
        try:
            name = user.name if user is not None else users.clean_name(visit.form.get("name", ""))
        except InputError as unfit:
            name, problem = "", str(unfit)
        if not problem and not passwords.is_acceptable(password, name):
            problem = f"Choose a password of {passwords.SHORTEST} characters or more that is not your name."
        elif not problem and password != visit.form.get("again", ""):
            problem = "The two passwords differ."
        if not problem:
            if user is None:
                user = users.add(session, name, Role.ADMIN, now)
            user.password_hash, user.code_step = passwords.hash_password(password), 0
            user.code_key = user.code_sealed = None
            sessions.use_link(session, token, Link.INVITATION if invited else Link.FIRST_ADMIN, now)
            sessions.end_all_of(session, user.id)
            audit.record(session, user.name, "password_chosen", user.name, now)
            user_id = user.id
    if problem:
        return visit.page(
            "welcome.html", HTTPStatus.BAD_REQUEST, token=token, name=name if invited else "", problem=problem
        )
    return enter(visit, user_id, By.OURSELVES)


def show_code(visit: Visit) -> Response:
    """The authenticator's key as a picture and as text, until its first code proves that it was taken over."""
    return _code_page(visit, "")


def keep_code(visit: Visit) -> Response:
    """Keep the authenticator once it has shown a right code."""
    app, now = visit.app, visit.app.now()
    with transaction(app.engine) as session:
        user = _user(session.get(UserRow, visit.who.user_id if visit.who else 0))
        key = visit.form.get("key", "")
        if not _is_offered(visit, key):
            return _code_page(visit, "The key was not the one shown; here is a new one.")
        step = passwords.find_step(key, visit.form.get("code", ""), 0, now)
        if step is not None:
            users.keep_code_key(user, app.settings.secrets.key_path, key)
            user.code_step = step
            audit.record(session, user.name, "authenticator_set_up", user.name, now)
    if step is None:
        return _code_page(visit, "That code is not right; wait for the next one and type it in.", key)
    return visit.go("/")


def code_picture(visit: Visit) -> Response:
    """The key as a QR picture."""
    key = visit.request.query_params.get("key", "")
    if not _is_offered(visit, key):
        raise InputError("there is no such picture")
    picture = io.BytesIO()
    uri = passwords.key_uri(key, visit.name, visit.app.settings.shop.name)
    segno.make(uri, error="m").save(picture, kind="svg", scale=5, dark="#111", light="#fff", border=3)
    return Response(picture.getvalue(), media_type="image/svg+xml")


def sign_out(visit: Visit) -> Response:
    """End this browser's session."""
    with transaction(visit.app.engine) as session:
        if visit.who is not None:
            sessions.end(session, visit.who.session, visit.who.user_id)
    response = visit.go("/sign-in")
    response.delete_cookie(cookie_name(visit.request), secure=visit.request.url.scheme == "https", httponly=True)
    return response


def show_account(visit: Visit) -> Response:
    """Who one is, and the browsers that one is signed in with."""
    with reading(visit.app.engine) as session:
        mine = sessions.browsers(session, visit.who.user_id if visit.who else 0, visit.app.now())
    return visit.page("account.html", browsers=mine)


def end_session(visit: Visit) -> Response:
    """End one of one's own sessions."""
    with transaction(visit.app.engine) as session:
        sessions.end(session, visit.form.get("session", ""), visit.who.user_id if visit.who else 0)
    return visit.go("/account")


def enter(visit: Visit, user_id: int, by: By) -> Response:
    """Sign this browser in."""
    now = visit.app.now()
    with transaction(visit.app.engine) as session:
        user = _user(session.get(UserRow, user_id))
        token = sessions.sign_in(session, user_id, visit.request.headers.get("user-agent", ""), now, by)
        audit.record(session, user.name, "signed_in", user.name, now, by=by)
    return set_cookie(visit.request, visit.go("/"), token)


def _by_link(visit: Visit, token: str) -> int | None:
    with transaction(visit.app.engine) as session:
        link = sessions.use_link(session, token, Link.SIGN_IN, visit.app.now())
        return None if link is None else link.user_id


def _by_password(visit: Visit) -> int | None:
    name, now = visit.form.get("name", "").strip().lower(), visit.app.now()
    subjects = (f"account:{name}", sender_of(visit))
    with transaction(visit.app.engine) as session:
        if users.is_throttled(session, subjects, now):
            return None
        user = users.find(session, name)
        known = user if user is not None and user.disabled_at is None else None
        kept, key = (known.password_hash, _code_key(visit, known)) if known is not None else (None, None)
        after = 0 if known is None else known.code_step
    right = passwords.is_password(visit.form.get("password", ""), kept)
    step = None if key is None else passwords.find_step(key, visit.form.get("code", ""), after, now)
    with transaction(visit.app.engine) as session:
        if known is None or not right or (key is not None and step is None):
            users.record_failure(session, subjects, now)
            audit.record(session, "nobody", "sign_in_failed", "unknown" if known is None else known.name, now)
            return None
        row = _user(session.get(UserRow, known.id, with_for_update=True))
        if step is not None and row.code_step >= step:
            return None
        if key is not None and row.code_key is not None:  # an earlier version kept it in the clear
            users.keep_code_key(row, visit.app.settings.secrets.key_path, key)
        row.code_step = step or row.code_step
        users.forget_failures(session, subjects[0])
        return row.id


def sender_of(visit: Visit) -> str:
    """The network address that asks, as failures are counted by it."""
    client = visit.request.client
    return f"address:{client.host if client else ''}"


def _code_key(visit: Visit, user: UserRow) -> str | None:
    """The key of somebody's authenticator; where it cannot be decrypted, one that no code fits."""
    try:
        return users.code_key_of(user, visit.app.settings.secrets.key_path)
    except SealError as problem:
        log.error("authenticator_sealed", problem=str(problem))  # noqa: TRY400 (no bug of ours)
        return passwords.key_for(user.name, secrets.token_bytes(32))


def _code_page(visit: Visit, problem: str, key: str | None = None) -> Response:
    status = HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK
    return visit.page("code.html", status, key=key or passwords.key_for(visit.name, _seed(visit)), problem=problem)


def _is_offered(visit: Visit, key: str) -> bool:
    return key == passwords.key_for(visit.name, _seed(visit))


def _seed(visit: Visit) -> bytes:
    session = "" if visit.who is None else visit.who.session
    return visit.app.instance.message_key + session.encode()


def _user(row: UserRow | None) -> UserRow:
    if row is None:
        raise InputError("this account is gone; sign in again")
    return row
