"""What becomes of a case when its refund is paid, held, or was made elsewhere. Source: P4; I6."""

import structlog

from mailbot.model.case import CaseState, ClockKind
from mailbot.model.refund import RefundState
from mailbot.steps.acting import Content, Matter, open_matter, tell_customer
from mailbot.steps.app import App
from mailbot.steps.parking import leave_to_people
from mailbot.store import cases, clocks, refunds
from mailbot.store.orders import REFUNDED_ELSEWHERE
from mailbot.store.tables import CaseRow, RefundRow
from mailbot.store.transaction import transaction

REFUND_PAID = "refund_paid"
DISPUTE = "dispute"
ORDER_BOOK = "order book"

log = structlog.get_logger()


def settle(matter: Matter, row: RefundRow, *, actor: str, person: str | None) -> None:
    """Note that a refund has reached its payment: its clock stops, the case is refunded, and the customer is told.

    Args:
        matter: the case.
        row: the refund, paid.
        actor: who says so, for the history.
        person: who sends the letter; ``None``: mailbot does, as its mode and the rates allow.
    """
    session, case, now = matter.session, matter.case, matter.now
    amount = refunds.amount_of(row)
    detail = {"amount": str(amount), "currency": amount.currency, "reference": row.reference}
    stop_clock(matter)
    if case.state == CaseState.REFUND_DUE:
        cases.move(session, case, CaseState.REFUNDED, REFUND_PAID, now, why=row.state, actor=actor, **detail)
    else:
        cases.record_event(session, case, REFUND_PAID, now, actor=actor, why=row.state, **detail)
        if case.stood == CaseState.REFUND_DUE:
            case.stood = CaseState.REFUNDED
    told = tell_customer(
        matter,
        REFUND_PAID,
        purpose=f"refund_paid/{row.key}",
        answers=False,
        content=Content(refund=amount),
        person=person,
    )
    if not told:
        cases.record_event(session, case, "not_told", now, letter=REFUND_PAID)
    log.info("refund_paid", case=cases.number_of(case.id), key=row.key)


def stop_clock(matter: Matter) -> None:
    """Stop the refund clock if no money of the case may still go."""
    if not refunds.is_promised(matter.session, matter.case.id):
        clocks.meet(matter.session, matter.case.id, matter.now, (ClockKind.REFUND,))


def hold(matter: Matter, why: str) -> None:
    """Keep the case's money here until a person has looked; what is being paid already is only noted."""
    held = refunds.hold(matter.session, matter.case.id, why)
    for row in held:
        cases.record_event(
            matter.session, matter.case, "refund_held", matter.now, why=why, amount=str(refunds.amount_of(row))
        )


def notice_book(app: App) -> int:
    """See to the cases whose order the book shows as refunded or disputed elsewhere; returns how many."""
    with transaction(app.engine, "refunds.notice_book") as session:
        elsewhere = refunds.all_in(session, (RefundState.PAID_ELSEWHERE, RefundState.HELD))
        news = [(row.id, case.id) for row, case in elsewhere if _is_news(row, case)]
        disputed = [(row.id, case.id) for row, case in refunds.all_disputed(session)]
    for refund_id, case_id in (*news, *disputed):
        with transaction(app.engine, "refunds.notice_book_2") as session:
            case = cases.lock(session, case_id)
            matter = open_matter(app, session, case)
            row = session.get_one(RefundRow, refund_id, populate_existing=True)
            if row.state in {RefundState.AWAITING_APPROVAL, RefundState.DUE}:
                hold_for_dispute(matter)
            elif _is_news(row, case) and row.state == RefundState.HELD:
                leave_to_people(session, case, REFUNDED_ELSEWHERE, matter.now)
            elif _is_news(row, case):
                settle(matter, row, actor=ORDER_BOOK, person=None)
    return len(news) + len(disputed)


def hold_for_dispute(matter: Matter) -> None:
    """A payment case or chargeback: nothing is paid, and a person sees to it (C9; P4)."""
    hold(matter, DISPUTE)
    leave_to_people(matter.session, matter.case, DISPUTE, matter.now)


def _is_news(row: RefundRow, case: CaseRow) -> bool:
    if row.state == RefundState.PAID_ELSEWHERE:
        return CaseState.REFUND_DUE in {case.state, case.stood}
    told = case.state == CaseState.ESCALATED and case.escalation == REFUNDED_ELSEWHERE
    return row.held_for == REFUNDED_ELSEWHERE and case.state != CaseState.CLOSED and not told
