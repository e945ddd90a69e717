"""The page of a case, and what people do on it: each action has a page with its form and its preview."""

from http import HTTPStatus

from starlette.responses import HTMLResponse, Response

from mailbot import operators
from mailbot.console import case_view
from mailbot.console.case_view import CaseShown, letter_parts
from mailbot.console.visit import Visit
from mailbot.desk import orders
from mailbot.desk.orders import StaleError
from mailbot.desk.verbs import NEEDS, SENDS, Verb
from mailbot.errors import InputError
from mailbot.model.case import UNDECIDED, CaseState
from mailbot.model.decision import Outcome
from mailbot.model.refund import RefundState
from mailbot.store import audit, users
from mailbot.store.transaction import reading, transaction

_PREVIEWED = SENDS | {Verb.CORRECT, Verb.MERGE}
_READY = frozenset({Verb.APPROVE, Verb.RECEIVE})
_ON_RETURN = frozenset({CaseState.RETURN_APPROVED, CaseState.GOODS_ON_THE_WAY, CaseState.RECEIVED, CaseState.EXPIRED})
_LONGEST_NUMBER = 18
_NO_DETAILS = frozenset({"form_token", "seen", "text_before"})


def show_case(visit: Visit) -> Response:
    """One case on one screen."""
    shown = _shown(visit)
    if visit.desk.presence.is_new_look(shown.number, visit.name, visit.app.now()):
        with transaction(visit.app.engine) as session:
            audit.record(session, visit.name, "seen", shown.number, visit.app.now())
    with reading(visit.app.engine) as session:
        people = users.names(session)
    return visit.page(
        "case.html",
        shown=shown,
        case=shown.form,
        clauses=visit.app.judgement.policy.clauses,
        people=people,
        verbs=_possible(visit, shown),
    )


def show_action(visit: Visit, verb: Verb) -> Response:
    """The form of one action, with its preview."""
    return _action_page(visit, verb, dict(visit.request.query_params), "")


def act(visit: Visit, verb: Verb) -> Response:
    """Order the action; a stale page is stopped, and shown what changed since."""
    number = visit.request.path_params["number"]
    seen = visit.form.get("seen", "")
    try:
        orders.order(visit.app, number, visit.name, verb, _details(visit), seen=_number(seen))
    except StaleError as stale:
        return visit.page("stale.html", HTTPStatus.CONFLICT, number=number, events=stale.events, verb=verb)
    except InputError as problem:
        return _action_page(visit, verb, dict(visit.form), str(problem), HTTPStatus.BAD_REQUEST)
    return visit.go(f"/cases/{number}")


def preview(visit: Visit, verb: Verb) -> Response:
    """What the action would do, as a piece of the page."""
    html = visit.desk.templates.get_template("preview.html").render(
        _rehearsed(visit, verb, _details(visit)), number=visit.request.path_params["number"]
    )
    return HTMLResponse(html)


def undo(visit: Visit) -> Response:
    """Take back what is held."""
    number = visit.request.path_params["number"]
    orders.undo(visit.app, number, visit.name)
    return visit.go(f"/cases/{number}")


def dismiss(visit: Visit) -> Response:
    """Put away the word of an order that could not be done."""
    number = visit.request.path_params["number"]
    orders.dismiss(visit.app, number)
    return visit.go(f"/cases/{number}")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER else None


def _details(visit: Visit) -> dict[str, str]:
    return {name: value for name, value in visit.form.items() if name not in _NO_DETAILS}


def _shown(visit: Visit) -> CaseShown:
    with reading(visit.app.engine) as session:
        return case_view.show(session, visit.request.path_params["number"], visit.app.now())


def _action_page(
    visit: Visit, verb: Verb, given: dict[str, str], problem: str, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    shown, drafts = _shown(visit), {}
    if verb is Verb.REPLY:
        drafts = operators.drafts(visit.app, shown.number)
        given = {"text": drafts.get(given.get("template", ""), ""), **given}
    details = _first_details(verb, given, rule := given.get("rule") or _declining(shown))
    previewed = _rehearsed(visit, verb, details) if verb in _PREVIEWED and (details or verb in _READY) else {}
    with reading(visit.app.engine) as session:
        people = users.names(session)
    return visit.page(
        "act.html",
        status,
        shown=shown,
        case=shown.form,
        verb=verb.value,
        given=given,
        problem=problem,
        people=people,
        drafts=drafts,
        declining=[row for row in visit.app.judgement.policy.rows if row.outcome is Outcome.DECLINE],
        clauses=visit.app.judgement.policy.clauses,
        rule=rule,
        sends=verb in SENDS,
        **({"said": "", "letters": [], "flaw_of_preview": ""} | previewed),
    )


def _first_details(verb: Verb, given: dict[str, str], rule: str) -> dict[str, str]:
    """Details to preview before anything was typed."""
    typed = {name: value for name, value in given.items() if name not in _NO_DETAILS}
    return typed or ({"rule": rule} if verb is Verb.DECLINE and rule else {})


def _declining(shown: CaseShown) -> str:
    """The row by which the case was declined, or would be; nothing where that is for a person to choose."""
    made = shown.decision["decision"] if shown.decision else {}
    ways = [one for one in (made, made.get("proposal") or {}) if one.get("outcome") == Outcome.DECLINE]
    return str(ways[-1]["rule"]) if ways else ""


def _rehearsed(visit: Visit, verb: Verb, details: dict[str, str]) -> dict[str, object]:
    try:
        rehearsed = orders.rehearse(visit.app, visit.request.path_params["number"], visit.name, verb, details)
    except InputError as problem:
        return {"said": "", "letters": [], "flaw_of_preview": str(problem)}
    letters = []
    for letter in rehearsed.letters:
        subject, text, html = letter_parts(letter.content)
        letters.append(
            {"to": letter.recipient, "subject": subject, "text": text, "html": visit.desk.previews.keep(html)}
        )
    return {"said": rehearsed.said, "letters": letters, "flaw_of_preview": ""}


def _possible(visit: Visit, shown: CaseShown) -> set[str]:
    """The actions that the person may do and that may make sense in the case's state."""
    if shown.form["merged_into"]:
        return set()
    state, decided = CaseState(shown.form["state"]), shown.decision is not None
    refund = (shown.form["refund"] or {}).get("state")
    undecided = state in {CaseState.ESCALATED, CaseState.REOPENED}
    waiting = undecided or state in UNDECIDED
    made = shown.decision["decision"] if shown.decision else {}
    fits = {
        Verb.APPROVE: undecided and decided,
        Verb.CHANGE: undecided and bool(made.get("settlement") or (made.get("proposal") or {}).get("settlement")),
        Verb.DECLINE: waiting or state is CaseState.RECEIVED,
        Verb.ASK: waiting,
        Verb.CORRECT: waiting and decided,
        Verb.RECEIVE: state in _ON_RETURN or shown.stood in _ON_RETURN,
        Verb.AGREE: refund == RefundState.AWAITING_APPROVAL,
        Verb.PAY: refund in {RefundState.DUE, RefundState.SUBMITTING, RefundState.UNKNOWN, RefundState.PAID_ELSEWHERE},
        Verb.HOLD: refund in {RefundState.AWAITING_APPROVAL, RefundState.DUE},
        Verb.RELEASE: refund in {RefundState.HELD, RefundState.REFUSED, RefundState.UNKNOWN},
        Verb.CALL_OFF: refund in {RefundState.AWAITING_APPROVAL, RefundState.DUE, RefundState.HELD},
        Verb.CLOSE: state is not CaseState.CLOSED,
        Verb.REOPEN: state is CaseState.CLOSED,
        Verb.SNOOZE: state is not CaseState.CLOSED,
        Verb.MERGE: refund is None and any(other.state != CaseState.CLOSED for other in shown.relatives),
        Verb.REQUEUE: any(mail.state == "parked" for mail in shown.mails),
    }
    return {verb.value for verb in Verb if visit.may(NEEDS[verb]) and fits.get(verb, True)}
