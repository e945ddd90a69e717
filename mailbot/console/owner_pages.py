"""The owner's pages: figures, the policy and its drafts, refunds, templates, health, and a mail tried out."""

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from mailbot import operators
from mailbot.act.reply import Reply, write_reply
from mailbot.console.routes import Page, get, post
from mailbot.console.samples import sample_letter
from mailbot.console.visit import Visit
from mailbot.errors import InputError, MailbotError
from mailbot.inbound.arrival import read_arrival
from mailbot.model.forms import parse_facts
from mailbot.model.people import Permission
from mailbot.model.refund import PAID, RefundState
from mailbot.policy.check import check_policy
from mailbot.policy.decide import Answered, decide
from mailbot.policy.table import Policy, parse_policy
from mailbot.sandbox.pool import ReadingFailedError
from mailbot.steps.explaining import explain, unreadable
from mailbot.store import case_views, cases, health, orders, refunds, stats, switch, webhooks
from mailbot.store.transaction import reading

_MOST_REPLAYED = 2000
_MOST_SHOWN = 200
_MOST_CASES = 50


def dashboard(visit: Visit) -> Response:
    """Promises kept, times, automation, refunds, ageing, what the next hours bring."""
    found = visit.desk.figures.find(visit.app)
    return visit.page("dashboard.html", stats=found.stats, at=found.at)


def show_refunds(visit: Visit) -> Response:
    """Refunds that are on their way, by state, with their sums."""
    open_ = tuple(state for state in RefundState if state not in {*PAID, RefundState.CANCELLED})
    with reading(visit.app.engine) as session:
        rows = [
            {
                "case": cases.number_of(case.id),
                "order": case.order_number,
                "amount": refunds.amount_of(row),
                "state": row.state,
                "approved_by": row.approved_by,
                "approved_at": row.approved_at,
                "second": row.second_approver,
            }
            for row, case in refunds.all_in(session, open_)
        ]
        totals, frozen = stats.refund_totals(session), switch.find_frozen(session)
    return visit.page("refunds.html", refunds=rows, totals=totals, frozen=frozen)


def show_policy(visit: Visit) -> Response:
    """The policy as it decides now."""
    policy = visit.app.judgement.policy
    found = check_policy(policy)
    return visit.page("policy.html", policy=policy, checked=found, changes=None, problem="", replayed=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One case that a draft would decide otherwise."""

    case: str
    was: str
    would_be: str
    sum_was: str
    sum_would_be: str


def try_policy(visit: Visit) -> Response:
    """Replay what was decided under a draft of the policy; nothing is changed."""
    present = visit.app.judgement.policy
    try:
        draft = parse_policy(
            visit.files.get("draft", b"").decode("utf-8", "replace") or visit.form.get("text", ""),
            visit.app.settings.shop.zone,
        )
    except InputError as problem:
        found = check_policy(present)
        return visit.page(
            "policy.html", 400, policy=present, checked=found, changes=None, problem=str(problem), replayed=0
        )
    with reading(visit.app.engine) as session:
        facts = case_views.latest_facts(session, _MOST_REPLAYED)
    changes = [change for number, form in facts if (change := _changed(number, form, present, draft)) is not None]
    return visit.page(
        "policy.html",
        policy=present,
        checked=check_policy(present),
        draft_checked=check_policy(draft),
        changes=changes[:_MOST_SHOWN],
        problem="",
        replayed=len(facts),
        found=len(changes),
    )


def _changed(number: str, form: dict[str, Any], present: Policy, draft: Policy) -> Changed | None:
    try:
        was, would_be = decide(parse_facts(form), present), decide(parse_facts(form), draft)
    except MailbotError as problem:
        return Changed(case=number, was="", would_be=str(problem), sum_was="", sum_would_be="")
    if was.decision == would_be.decision:
        return None
    return Changed(
        case=number,
        was=_outcome(was),
        would_be=_outcome(would_be),
        sum_was=_sum(was),
        sum_would_be=_sum(would_be),
    )


def _outcome(answered: Answered) -> str:
    return f"{answered.decision.outcome} by {answered.decision.rule}"


def _sum(answered: Answered) -> str:
    made = answered.decision
    settlement = made.settlement or (made.proposal and made.proposal.settlement)
    return f"{settlement.refund} {settlement.refund.currency}" if settlement else ""


def show_templates(visit: Visit) -> Response:
    """Every template in every language, and one of them as a customer would see it: a made-up one, or a real case's."""
    templates, asked = visit.app.judgement.templates, visit.request.query_params
    names = sorted({name for language in templates.languages.values() for name in language.templates})
    languages = sorted(templates.languages)
    name = asked.get("name", names[0] if names else "")
    language = asked.get("language", languages[0] if languages else "")
    number = asked.get("case", "")
    with reading(visit.app.engine) as session:
        newest = [(cases.number_of(row.id), row.subject) for row in case_views.newest_decided(session, _MOST_CASES)]
    letter, problem = None, ""
    if name in names and language in languages:
        try:
            reply = _written(visit, name, language, number)
            letter = {"subject": reply.subject, "text": reply.text, "html": visit.desk.previews.keep(reply.html)}
        except MailbotError as flaw:
            problem = str(flaw)
    return visit.page(
        "templates.html",
        names=names,
        languages=languages,
        name=name,
        language=language,
        number=number,
        newest=newest,
        letter=letter,
        problem=problem,
    )


def _written(visit: Visit, name: str, language: str, number: str) -> Reply:
    if number:
        return operators.preview(visit.app, number, name, language)
    return write_reply(visit.app.judgement.templates, sample_letter(visit.app, name, language))


def show_health(visit: Visit) -> Response:
    """Mailboxes, what is on its way out, parked mail, the switch."""
    with reading(visit.app.engine) as session:
        return visit.page(
            "health.html",
            health=health.look(session),
            webhooks=webhooks.counts(session),
            frozen=switch.find_frozen(session),
            mode=visit.app.settings.worker.mode,
            mailboxes={mailbox.name: mailbox.poll_seconds for mailbox in visit.app.settings.mailboxes},
        )


def show_playground(visit: Visit) -> Response:
    """Where a mail can be tried out."""
    return visit.page("playground.html", explained=None, text="", problem="")


def play(visit: Visit) -> Response:
    """What mailbot would read, decide and answer; by the same code as ``mailbot explain``, and without a trace."""
    text = visit.form.get("text", "")
    raw = visit.files.get("mail", b"") or text.replace("\n", "\r\n").encode("utf-8", "replace")
    if not raw.strip():
        return visit.page("playground.html", 400, explained=None, text=text, problem="Paste a mail, or choose a file.")
    judgement = visit.app.judgement
    arrived_at = read_arrival(raw) or visit.app.now()
    try:
        read = judgement.sandbox.submit(raw, arrived_at).result()
    except ReadingFailedError as problem:
        explained = unreadable("mail", str(problem))
    else:
        with reading(visit.app.engine) as session:
            explained = explain(judgement, "mail", read, arrived_at, lambda keys: orders.find_all(session, tuple(keys)))
    return visit.page("playground.html", explained=explained.form, text=text, problem="")


PAGES: list[Page] = [
    get("/dashboard", Permission.LOOK, dashboard),
    get("/refunds", Permission.LOOK, show_refunds),
    get("/policy", Permission.LOOK, show_policy),
    post("/policy", Permission.EDIT_POLICY, try_policy),
    get("/templates", Permission.LOOK, show_templates),
    get("/health", Permission.LOOK, show_health),
    get("/playground", Permission.LOOK, show_playground),
    post("/playground", Permission.LOOK, play),
]
