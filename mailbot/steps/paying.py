"""Refunds that a payment service pays by itself, as far as the owner lets it: looked up, submitted once, reconciled.

Pre-check at the provider, commit ``submitting``, call, commit. Anything but a clear success or a clear final refusal is
``unknown`` and is looked up until a person must. Source: P4, with its caps.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from mailbot.errors import MailbotError, PermanentError, RetryableError
from mailbot.model.money import Money
from mailbot.model.refund import RefundState, parse_refund_order
from mailbot.ports import CaptureStanding, PaymentProvider
from mailbot.steps import refunding
from mailbot.steps.acting import open_matter
from mailbot.steps.app import App
from mailbot.steps.parking import leave_to_people
from mailbot.store import cases, refunds, switch
from mailbot.store.tables import CaseRow, RefundRow
from mailbot.store.transaction import transaction

CAP_REACHED, REFUND_REFUSED, REFUND_UNKNOWN = "cap_reached", "refund_refused", "refund_unknown"
_LOOK_AFTER = (timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=15))
_LONGEST_CALL = timedelta(minutes=10)
_SUMS_A_DAY = 5

log = structlog.get_logger()


def pay_due(app: App) -> int:
    """Pay what is due and look up what is unknown; returns how many refunds were found to be paid.

    Without a payment service, or unless the owner has turned it on, people pay.
    """
    provider = app.payments
    if provider is None:
        return 0
    paid = sum(_reconcile(app, provider, refund_id) for refund_id in _in_doubt(app))
    if app.settings.refunds.automatic:
        paid += sum(_pay(app, provider, refund_id) for refund_id in _due(app))
    return paid


def _due(app: App) -> list[int]:
    with transaction(app.engine, "pay.due") as session:
        return [row.id for row, _ in refunds.all_in(session, (RefundState.DUE,))]


def _in_doubt(app: App) -> list[int]:
    """Refunds that nobody knows the end of, or whose process died in the middle, and that are due for a look."""
    now = app.now()
    with transaction(app.engine, "pay.in_doubt") as session:
        rows = [row for row, _ in refunds.all_in(session, (RefundState.UNKNOWN, RefundState.SUBMITTING))]
        return [
            row.id
            for row in rows
            if (row.look_at is not None and row.look_at <= now)
            or (row.look_at is None and row.submitted_at is not None and row.submitted_at + _LONGEST_CALL <= now)
        ]


def _pay(app: App, provider: PaymentProvider, refund_id: int) -> bool:
    with transaction(app.engine, "pay.pay") as session:
        order = parse_refund_order(session.get_one(RefundRow, refund_id).body)
    try:
        standing = provider.look(order)
    except RetryableError as problem:
        log.warning("payment_postponed", key=order.key, problem=str(problem))
        return False
    if standing.reference is not None:
        return _adopt(app, refund_id, standing.reference)
    if not _submit(app, provider, refund_id, standing):
        return False
    try:
        reference = provider.pay(order)
    except PermanentError as problem:
        _record_refused(app, refund_id, str(problem))
        return False
    except (MailbotError, OSError) as problem:
        _record_unknown(app, refund_id, str(problem))
        return False
    return _adopt(app, refund_id, reference)


def _submit(app: App, provider: PaymentProvider, refund_id: int, standing: CaptureStanding) -> bool:
    """Commit that the provider is about to be asked, if everything still allows it."""
    with transaction(app.engine, "pay.submit") as session:
        row, case = _locked(session, refund_id)
        if row.state != RefundState.DUE or switch.find_frozen(session) is not None:
            return False
        matter = open_matter(app, session, case)
        amount = refunds.amount_of(row)
        if standing.disputed or (matter.booked is not None and matter.booked.order.dispute_open):
            refunding.hold_for_dispute(matter)
            return False
        if standing.left.currency != amount.currency or standing.left < amount:
            refunds.change(row, RefundState.HELD, held_for="not_enough_left")
            leave_to_people(session, matter.case, "not_enough_left", matter.now)
            return False
        if _is_capped(app, session, row, matter.case.customer):
            refunds.change(row, RefundState.HELD, held_for=CAP_REACHED)
            leave_to_people(session, matter.case, CAP_REACHED, matter.now)
            return False
        refunds.change(row, RefundState.SUBMITTING)
        row.submitted_at, row.submitted_by, row.provider = matter.now, provider.name, provider.name
        return True


def _locked(session: Session, refund_id: int) -> tuple[RefundRow, CaseRow]:
    """A refund and its case, locked in the order in which everybody locks them."""
    case = cases.lock(session, session.get_one(RefundRow, refund_id).case_id)
    return session.get_one(RefundRow, refund_id, with_for_update=True, populate_existing=True), case


def _is_capped(app: App, session: Session, row: RefundRow, customer: str | None) -> bool:
    terms, now, amount = app.settings.refunds, app.now(), refunds.amount_of(row)
    lately = refunds.paid_lately(
        session,
        customer=customer,
        currency=row.currency,
        hour=now - timedelta(hours=1),
        day=now - timedelta(days=1),
        month=now - timedelta(days=30),
    )
    most = terms.most_a_day(row.currency) or _default_sum(app, row.currency)
    return (
        lately.times >= terms.most_an_hour
        or lately.of_customer >= terms.most_a_customer
        or most is None
        or most.minor < lately.minor + amount.minor
    )


def _default_sum(app: App, currency: str) -> Money | None:
    limit = app.judgement.policy.terms.auto_approve_limits.get(currency)
    return None if limit is None else Money.from_minor(_SUMS_A_DAY * limit.minor, currency)


def _reconcile(app: App, provider: PaymentProvider, refund_id: int) -> bool:
    with transaction(app.engine, "pay.reconcile") as session:
        row = session.get_one(RefundRow, refund_id)
        if row.provider != provider.name:
            return False
        order = parse_refund_order(row.body)
    try:
        standing = provider.look(order)
    except RetryableError as problem:
        log.warning("payment_not_looked_up", key=order.key, problem=str(problem))
        return False
    if standing.reference is not None:
        return _adopt(app, refund_id, standing.reference)
    _record_absent(app, refund_id)
    return False


def _adopt(app: App, refund_id: int, reference: str) -> bool:
    with transaction(app.engine, "pay.adopt") as session:
        row, case = _locked(session, refund_id)
        refunds.record_paid(session, row, reference, app.now())
        refunding.settle(open_matter(app, session, case), row, actor=row.provider, person=None)
    return True


def _record_refused(app: App, refund_id: int, problem: str) -> None:
    with transaction(app.engine, "pay.record_refused") as session:
        row, case = _locked(session, refund_id)
        refunds.change(row, RefundState.REFUSED)
        leave_to_people(session, case, REFUND_REFUSED, app.now(), problem=problem)


def _record_unknown(app: App, refund_id: int, problem: str) -> None:
    with transaction(app.engine, "pay.record_unknown") as session:
        row = session.get_one(RefundRow, refund_id, with_for_update=True, populate_existing=True)
        refunds.change(row, RefundState.UNKNOWN)
        row.look_at = app.now()
    log.warning("payment_in_doubt", key=row.key, problem=problem)


def _record_absent(app: App, refund_id: int) -> None:
    """It is not there yet: look again later, and after the last look let a person decide about another attempt."""
    with transaction(app.engine, "pay.record_absent") as session:
        row, case = _locked(session, refund_id)
        if row.state == RefundState.SUBMITTING:
            refunds.change(row, RefundState.UNKNOWN)
        row.look_at = _next_look(row.looks, app.now())
        row.looks += 1
        if row.look_at is None:
            leave_to_people(session, case, REFUND_UNKNOWN, app.now())


def _next_look(looks: int, now: datetime) -> datetime | None:
    return now + _LOOK_AFTER[looks] if looks < len(_LOOK_AFTER) else None
