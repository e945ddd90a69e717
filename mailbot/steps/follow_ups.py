"""What a later mail does to a case that is decided: withdrawn, asked after, sent off, disputed, or merely thanked for.

A machine acts only on a mail of the proven customer that says one such thing and nothing else; all other mail is a
person's. Source: docs/case-life.md, "What a later mail does".
"""

from mailbot.act.plan import RECEIVED
from mailbot.model.case import UNDECIDED, CaseState, ClockKind, Deadline
from mailbot.model.facts import Reason
from mailbot.model.reading import HOLDING, FollowUp, Reading, Topic
from mailbot.model.refund import PAID, PROMISED, RefundState
from mailbot.settings import Mode
from mailbot.steps import refunding
from mailbot.steps.acting import Content, Matter, tell_customer
from mailbot.steps.closing import put_away
from mailbot.steps.decided import find_decided
from mailbot.steps.parking import leave_to_people
from mailbot.steps.voice import is_customer
from mailbot.store import cases, clocks, refunds

WITHDRAWAL = "withdrawal"
GOODS_ON_THE_WAY, WITHDRAWN, STATUS = "goods_on_the_way", "withdrawn", "status"
_SENT = frozenset({FollowUp.RETURN_SENT, FollowUp.TRACKING_NUMBER})
_ASKS = frozenset({FollowUp.REFUND_STATUS, FollowUp.ORDER_STATUS})
_ON_THE_ROAD = frozenset({CaseState.RETURN_APPROVED, CaseState.GOODS_ON_THE_WAY})
_PAYABLE = frozenset({RefundState.DUE, RefundState.SUBMITTING})


def merely_thanks(reading: Reading) -> bool:
    """Whether a mail wants no answer, so that it starts no clock."""
    says = _said(reading)
    return says == {FollowUp.ACKNOWLEDGEMENT} and _says_nothing_else(reading)


def follow_up(matter: Matter, reading: Reading) -> bool:
    """Do with a mail on a running case what a careful clerk would.

    Returns:
        ``False`` where nothing was done: then the policy decides about an undecided case, and a person reads the rest.
    """
    case = matter.case
    if case.state in UNDECIDED:
        return _is_plain(matter, reading) and _said(reading) == {FollowUp.WITHDRAWAL} and _withdraw(matter)
    if reading.claim is not None and reading.claim.mentions_dispute:
        return _dispute(matter)
    if FollowUp.WITHDRAWAL in _said(reading) and refunds.is_promised(matter.session, case.id):
        refunding.hold(matter, WITHDRAWAL)  # whoever is right about the order: the money waits for a person
        leave_to_people(matter.session, case, WITHDRAWAL, matter.now)
        return True
    return _is_plain(matter, reading) and _act(matter, reading, CaseState(case.state))


def _act(matter: Matter, reading: Reading, state: CaseState) -> bool:
    says = _said(reading)
    if says == {FollowUp.WITHDRAWAL}:
        return state is CaseState.RETURN_APPROVED and _withdraw(matter)
    if says & _SENT and says <= _SENT | _ASKS:
        return state in _ON_THE_ROAD and _sent_off(matter, reading)
    return bool(says) and says <= _ASKS and _tell_status(matter, state)


def _said(reading: Reading) -> set[FollowUp]:
    return {FollowUp(span.fact) for span in reading.follow_ups}


def _says_nothing_else(reading: Reading) -> bool:
    """Whether the mail asks for nothing new and brings nothing that a person should weigh."""
    silent = reading.claim is None or reading.claim.reason is Reason.UNSPECIFIED
    return (
        silent
        and reading.topic is not Topic.REFUND_REQUEST
        and not reading.invoices
        and HOLDING.isdisjoint(reading.doubts)
    )


def _is_plain(matter: Matter, reading: Reading) -> bool:
    """Whether a machine may act on the mail: proven by itself, nothing else in it, and not told to keep still."""
    may_act = matter.app.settings.worker.mode is not Mode.OFF and not reading.no_auto_reply
    return may_act and is_customer(reading.identity, matter.booked) and _says_nothing_else(reading)


def _dispute(matter: Matter) -> bool:
    """A payment case or chargeback on a decided case: nothing is paid until a person has seen to it (C9)."""
    refunding.hold_for_dispute(matter)
    tell_customer(matter, RECEIVED, purpose=f"reply/{matter.mail.id}", answers=False, content=Content())
    return True


def _withdraw(matter: Matter) -> bool:
    """Close the case as its customer wishes; in mode ``draft`` a person does."""
    if matter.app.settings.worker.mode is not Mode.AUTO or not _answer(matter, WITHDRAWN, Content()):
        return False
    put_away(matter, WITHDRAWN, why=WITHDRAWAL, actor="customer")
    return True


def _sent_off(matter: Matter, reading: Reading) -> bool:
    decided = find_decided(matter)
    if decided is None or not _answer(matter, GOODS_ON_THE_WAY, Content(settlement=decided.settlement)):
        return False
    number = next((span.value for span in reading.follow_ups if span.fact == FollowUp.TRACKING_NUMBER), None)
    record_sent(matter, number, actor="customer")
    return True


def record_sent(matter: Matter, tracking: str | None, *, actor: str) -> None:
    """Note that the goods are on their way, so that the dispatch clock has done its work (C14)."""
    session, case, now = matter.session, matter.case, matter.now
    case.tracking = tracking or case.tracking
    cases.move(session, case, CaseState.GOODS_ON_THE_WAY, "goods_sent", now, why="sent", actor=actor, tracking=tracking)
    clocks.meet(session, case.id, now, (ClockKind.DISPATCH,))


def _tell_status(matter: Matter, state: CaseState) -> bool:
    content = status_content(matter, state)
    return content is not None and _answer(matter, STATUS, content)


def status_content(matter: Matter, state: CaseState) -> Content | None:
    """How the case stands, as far as it can be told without a person; a promise that is broken cannot."""
    match state:
        case CaseState.RETURN_APPROVED:
            started = _running(matter, ClockKind.DISPATCH)
            return None if started is None else Content(status=state, started=started)
        case CaseState.GOODS_ON_THE_WAY | CaseState.RECEIVED:
            return Content(status=state)
        case CaseState.REFUND_DUE | CaseState.REFUNDED:
            return _money_status(matter, state)
        case _:
            return None


def _money_status(matter: Matter, state: CaseState) -> Content | None:
    rows = refunds.of_case(matter.session, matter.case.id, PROMISED | PAID)
    if len(rows) != 1:
        return None
    row, started = rows[0], _running(matter, ClockKind.REFUND)
    content = Content(status=state, refund=refunds.amount_of(row), paid_at=row.paid_at, started=started)
    if state is CaseState.REFUND_DUE and (started is None or row.state not in _PAYABLE):
        return None
    return content


def _running(matter: Matter, kind: ClockKind) -> Deadline | None:
    found = clocks.deadlines(matter.session, [matter.case.id]).get(matter.case.id, [])
    open_ = (deadline for deadline in found if deadline.kind is kind and deadline.met_at is None)
    return next((deadline for deadline in open_ if matter.now < deadline.limit_at), None)


def _answer(matter: Matter, template: str, content: Content) -> bool:
    return tell_customer(matter, template, purpose=f"reply/{matter.mail.id}", answers=True, content=content)
