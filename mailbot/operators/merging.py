"""Making two cases one: mails and running promises move; history, decisions and letters stay with the case of each."""

from sqlalchemy.orm import Session

from mailbot.model.case import CaseState
from mailbot.model.refund import PAID, PROMISED
from mailbot.operators.cases import NotPossibleError
from mailbot.steps.acting import open_matter
from mailbot.steps.app import App
from mailbot.steps.closing import put_away
from mailbot.steps.parking import leave_to_people
from mailbot.store import audit, cases, held, merging, orders, outbox, refunds
from mailbot.store.tables import CaseRow, OutboxState
from mailbot.store.transaction import transaction

MERGED = "merged"
_ON_THE_WAY = frozenset({OutboxState.QUEUED, OutboxState.SENDING, OutboxState.AMBIGUOUS})
_NEEDS_PERSON = frozenset({CaseState.NEW, CaseState.ESCALATED, CaseState.REOPENED})


def merge(app: App, number: str, actor: str, into: str) -> str:
    """Put a case's mails and running promises into another case of the same customer or order, and close it.

    What the policy decided on it stays with it, so no money can move along: it must have none, and the other case none
    that is on its way. A person looks at what became of two.

    Raises:
        NotPossibleError: they do not belong together, or money, a proof or somebody's order is under way on one.
    """
    with transaction(app.engine, "operators.merge") as session:
        both = {row.id: row for row in (cases.get(session, number), cases.get(session, into))}
        orders.find_all(session, {row.order_key for row in both.values() if row.order_key is not None}, lock=True)
        locked = {case_id: cases.lock(session, case_id) for case_id in sorted(both)}
        source, target = locked[cases.get(session, number).id], locked[cases.get(session, into).id]
        name, other = cases.number_of(source.id), cases.number_of(target.id)
        why = _unfit(source, target) or _busy(session, source, target)
        if why:
            raise NotPossibleError(f"{name} cannot go into {other}: {why}")
        waited, now = source.state in _NEEDS_PERSON, app.now()
        matter = open_matter(app, session, source)
        moved = merging.move_contents(session, source, target, now)
        if source.state != CaseState.CLOSED:
            put_away(matter, MERGED, actor=actor, why=f"into {other}")
        else:
            cases.record_event(session, source, MERGED, now, actor=actor, why=f"into {other}")
        cases.record_event(session, target, MERGED, now, actor=actor, of=name, mails=moved.mails)
        if waited and target.state != CaseState.ESCALATED:
            leave_to_people(session, target, MERGED, now)
        audit.record(session, actor, MERGED, name, now, into=other)
        return f"{name} is part of {other} now: {_count(moved.mails, 'mail')}, {_count(moved.promises, 'promise')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _unfit(source: CaseRow, target: CaseRow) -> str | None:
    same_customer = source.customer is not None and source.customer == target.customer
    same_order = source.order_key is not None and source.order_key == target.order_key
    refusals = {
        "they are one case; name another": source.id == target.id,
        "one of them is part of another case already": (source.merged_into or target.merged_into) is not None,
        "that one is closed; reopen it first, or merge the other way round": target.state == CaseState.CLOSED,
        "they are neither of one customer nor of one order": not (same_customer or same_order),
        "only this one has an order; merge the other way round": source.order_key and target.order_key is None,
        "they are about two orders": source.order_key is not None and not same_order,
    }
    return next((why for why, applies in refusals.items() if applies), None)


def _busy(session: Session, source: CaseRow, target: CaseRow) -> str | None:
    if refunds.of_case(session, source.id, PROMISED | PAID):
        return "it has a refund; merge the other way round"
    if refunds.is_promised(session, target.id):
        return "a refund of that one is under way; confirm it or call it off first"
    if source.state == CaseState.WAITING_FOR_PROOF:
        return "its customer was asked for a proof; wait for it, or close the case"
    if held.is_held(session, source.id) or held.is_held(session, target.id):
        return "something was ordered on one of them seconds ago; undo that first, or wait for it"
    if any(row.state in _ON_THE_WAY for row in outbox.of_case(session, source.id)):
        return "one of its letters is on its way; try again in a minute"
    return None
