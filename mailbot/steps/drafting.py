"""What a person's answer may begin with: the shop's own answers, and the letters that are true of the case as it is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mailbot.act.letter import Letter, LetterError
from mailbot.act.plan import RECEIVED
from mailbot.act.reply import write_draft
from mailbot.model.case import UNDECIDED, CaseState, ClockKind
from mailbot.model.decision import Decision, Outcome
from mailbot.model.refund import PAID, PROMISED
from mailbot.steps.acting import PROVEN_GRADES, Content, Matter, occasion_of
from mailbot.steps.app import App
from mailbot.steps.decided import find_decided
from mailbot.steps.follow_ups import GOODS_ON_THE_WAY, STATUS, status_content
from mailbot.steps.letters import make_letter
from mailbot.steps.refunding import REFUND_PAID
from mailbot.steps.returns import RETURN_REMINDER
from mailbot.store import clocks, refunds

INFORMATION_NEEDED = "information_needed"
_ASKED = ("order_number", "invoice")
_OPEN = frozenset({*UNDECIDED, CaseState.ESCALATED, CaseState.REOPENED})


def draft_all(matter: Matter) -> dict[str, str]:
    """The texts that an answer may begin with, by template, in the case's language and with its own values."""
    judgement, settings = matter.app.judgement, matter.app.settings
    templates, policy = judgement.templates, judgement.policy_for(matter.booked)
    found = {}
    for name, content in _fitting(matter):
        try:
            letter = make_letter(templates, settings, policy, name, occasion_of(matter, content))
            found[name] = write_draft(templates, letter)
        except LetterError:
            continue  # it says something that this case does not know
    return found


def letter_about(matter: Matter, template: str, language: str) -> Letter:
    """A template's letter with all that the case knows now, in a language; what a person or a code adds is made up."""
    app, decided, state = matter.app, find_decided(matter), CaseState(matter.case.state)
    running = clocks.deadlines(matter.session, [matter.case.id]).get(matter.case.id, [])
    promised = [one for one in running if one.kind in {ClockKind.REFUND, ClockKind.DISPATCH}]
    money = refunds.of_case(matter.session, matter.case.id, PROMISED | PAID)
    content = Content(
        decision=None if decided is None else decided.decision,
        settlement=None if decided is None else decided.settlement,
        refund=refunds.amount_of(money[-1]) if money else None,
        paid_at=money[-1].paid_at if money else None,
        started=promised[-1] if promised else None,
        status=state,
    )
    own = {"text": "This is what an operator would write.", "code": "XXXXXXXX"}
    policy, occasion = app.judgement.policy_for(matter.booked), occasion_of(matter, content)
    letter = make_letter(app.judgement.templates, app.settings, policy, template, occasion, **own)
    return replace(letter, language=language)


def _fitting(matter: Matter) -> Iterator[tuple[str, Content]]:
    templates, state = matter.app.judgement.templates, CaseState(matter.case.state)
    language = templates.language_for("message", matter.case.language, matter.app.settings.shop.language)
    yield from ((name, Content()) for name in templates.answers(language))
    yield RECEIVED, Content()
    if state in _OPEN:
        yield INFORMATION_NEEDED, Content(decision=asking(matter.app, _ASKED))
    if matter.case.grade in PROVEN_GRADES:
        yield from _of_the_proven(matter, state)


def _of_the_proven(matter: Matter, state: CaseState) -> Iterator[tuple[str, Content]]:
    status = status_content(matter, state)
    if status is not None:
        yield STATUS, status
    decided = find_decided(matter)
    if decided is None:
        return
    if state is CaseState.RETURN_APPROVED:
        running = clocks.deadlines(matter.session, [matter.case.id]).get(matter.case.id, [])
        dispatch = next((one for one in running if one.kind is ClockKind.DISPATCH), None)
        yield RETURN_REMINDER, Content(decision=decided.decision, settlement=decided.settlement, started=dispatch)
    if state is CaseState.GOODS_ON_THE_WAY:
        yield GOODS_ON_THE_WAY, Content(settlement=decided.settlement)
    paid = refunds.of_case(matter.session, matter.case.id, PAID)
    if state is CaseState.REFUNDED and paid:
        yield REFUND_PAID, Content(refund=refunds.amount_of(paid[-1]))


def asking(app: App, missing: Sequence[str]) -> Decision:
    """The decision of a person who asks for what is missing."""
    row = app.judgement.policy.row("evidence_missing")
    return Decision(
        outcome=Outcome.REQUEST_INFO,
        rule="evidence_missing",
        clauses=() if row is None else row.clauses,
        escalation=None,
        missing=tuple(missing),
        proposal=None,
        settlement=None,
        received_on=None,
    )
