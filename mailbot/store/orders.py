"""The order book: what the shop sold, to whom, and what of it went back."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from mailbot.model.book import BookedOrder
from mailbot.model.facts import Order, OrderLine, OrderStatus
from mailbot.model.forms import order_line_form
from mailbot.model.money import Money
from mailbot.model.refund import PAID, PROMISED, REFUND_TRANSITIONS, RefundState
from mailbot.store.prepared import Prepared
from mailbot.store.tables import OrderRow, OrderSyncRow, RefundRow, table_of
from mailbot.store.upsert import upsert_all

REFUNDED_ELSEWHERE = "refunded_elsewhere"

_ONE = select(table_of(OrderRow)).where(OrderRow.key == bindparam("wanted"))
_FIND, _FIND_LOCKED = Prepared(_ONE), Prepared(_ONE.with_for_update())
_PROMISED = Prepared(
    select(
        select(func.coalesce(func.sum(RefundRow.amount_minor), 0))
        .where(RefundRow.order_key == bindparam("of_order"), RefundRow.state.in_((*PROMISED, *PAID)))
        .scalar_subquery()
        .label("ours"),
        select(OrderRow.ours_seen_minor).where(OrderRow.key == bindparam("of_order")).scalar_subquery().label("seen"),
    )
)


def put_all(session: Session, entries: Sequence[BookedOrder], now: datetime) -> None:
    """Enter orders into the book, or bring their entries up to date; of two of the same number the later one counts.

    Where the book shows more refunded than ours explain, somebody paid elsewhere (P4): a refund of just that amount is
    taken for paid, every other one of the order is held for a person.
    """
    rows = {entry.key: _row(entry, now) for entry in entries}
    before = _with_refunds(session, rows)
    upsert_all(session, OrderRow, list(rows.values()))
    for key, row in before.items():
        _notice_refunds(session, key, row, int(rows[key]["refunded_minor"]), now)


def _with_refunds(session: Session, keys: Collection[str]) -> dict[str, tuple[int, int]]:
    """What the book showed as refunded, and how much of that was ours, for those of these orders that we refund."""
    ours = select(RefundRow.order_key).where(RefundRow.order_key.in_(keys))
    wanted = select(OrderRow.key, OrderRow.refunded_minor, OrderRow.ours_seen_minor).where(OrderRow.key.in_(ours))
    return {key: (refunded, seen) for key, refunded, seen in session.execute(wanted.with_for_update())}


def _notice_refunds(session: Session, key: str, before: tuple[int, int], refunded: int, now: datetime) -> None:
    """Tell what the book's growth means: ours that it has caught up with, and the rest is somebody else's."""
    old, seen = before
    explained = min(max(refunded - old, 0), _ours(session, key) - seen)
    elsewhere = refunded - old - explained
    if elsewhere > 0:
        promised = select(RefundRow).where(RefundRow.order_key == key, RefundRow.state.in_(PROMISED))
        rows = session.scalars(promised.order_by(RefundRow.id).with_for_update()).all()
        paid = next((row for row in rows if row.amount_minor == elsewhere and _may_be_paid_elsewhere(row)), None)
        if paid is not None:
            paid.state, paid.held_for, paid.paid_at = RefundState.PAID_ELSEWHERE, None, now
            explained += elsewhere
        else:
            for row in rows:
                if row.state in {RefundState.AWAITING_APPROVAL, RefundState.DUE}:
                    row.state, row.held_for = RefundState.HELD, REFUNDED_ELSEWHERE
    session.execute(update(OrderRow).where(OrderRow.key == key).values(ours_seen_minor=seen + explained))


def _may_be_paid_elsewhere(row: RefundRow) -> bool:
    return RefundState.PAID_ELSEWHERE in REFUND_TRANSITIONS[RefundState(row.state)]


def _ours(session: Session, key: str) -> int:
    paid = select(func.coalesce(func.sum(RefundRow.amount_minor), 0))
    return int(session.scalars(paid.where(RefundRow.order_key == key, RefundRow.state.in_(PAID))).one())


def find(session: Session, key: str, *, lock: bool = False) -> BookedOrder | None:
    """One order by its number's key; ``lock`` makes decisions about one order wait for each other."""
    return find_all(session, [key], lock=lock).get(key)


def find_all(session: Session, keys: Collection[str], *, lock: bool = False) -> dict[str, BookedOrder]:
    """Those of these orders that the book has, by key."""
    wanted = _FIND_LOCKED if lock else _FIND
    with session.no_autoflush:  # nothing changes an order past this module
        found = [wanted.first(session, wanted=key) for key in sorted(keys)]  # in one order: nobody waits in a ring
    return {row.key: _booked(row) for row in found if row is not None}


def find_known_digits(session: Session, numbers: Collection[str]) -> frozenset[str]:
    """Those of these runs of digits that are the number of an order or of an invoice, letters before it apart."""
    key, invoice = OrderRow.key, func.replace(func.replace(OrderRow.invoice_number, "-", ""), " ", "")
    return frozenset(
        digits
        for digits in numbers
        if session.scalar(select(OrderRow.key).where(or_(key.endswith(digits), invoice.endswith(digits))).limit(1))
        is not None
    )


def promised_refunds(session: Session, key: str, currency: str) -> Money:
    """What cases have promised or paid of this order and the book does not show yet, so that no money goes twice."""
    row = _PROMISED.first(session, of_order=key)
    return Money.from_minor(int(row.ours) - (row.seen or 0), currency)


def left_of(session: Session, booked: BookedOrder) -> Money:
    """What is left of an order's payment once all that is promised has gone (I6); hold the order's lock."""
    order = booked.order
    return order.captured - order.refunded - promised_refunds(session, booked.key, order.currency)


def count_and_newest(session: Session) -> tuple[int, datetime | None]:
    """How many orders the book has, and when the newest entry was made."""
    count, newest = session.execute(select(func.count(), func.max(OrderRow.imported_at))).one()
    return count, newest


def synced_at(session: Session, source: str) -> datetime | None:
    """When the last whole synchronisation with a shop began; ``None`` before the first."""
    return session.scalar(select(OrderSyncRow.synced_at).where(OrderSyncRow.source == source))


def record_synced(session: Session, source: str, began_at: datetime) -> None:
    """Note that everything which had changed in a shop before then is in the book."""
    upsert_all(session, OrderSyncRow, [{"source": source, "synced_at": began_at}])


def _row(booked: BookedOrder, now: datetime) -> dict[str, Any]:
    order = booked.order
    fee = order.transaction_fee
    return {
        "key": booked.key,
        "number": order.number,
        "customer_name": booked.customer_name,
        "customer_email": booked.customer_email,
        "invoice_number": booked.invoice_number,
        "status": order.status,
        "paid_at": order.paid_at,
        "shipped_at": order.shipped_at,
        "delivered_at": order.delivered_at,
        "currency": order.currency,
        "shipping_minor": order.shipping.minor,
        "captured_minor": order.captured.minor,
        "refunded_minor": order.refunded.minor,
        "payment_method": order.payment_method,
        "transaction_fee_minor": None if fee is None else fee.minor,
        "dispute_open": order.dispute_open,
        "lines": [order_line_form(line) for line in order.lines],
        "imported_at": now,
    }


def _booked(row: OrderRow) -> BookedOrder:
    def money(minor: int) -> Money:
        return Money.from_minor(minor, row.currency)

    fee = row.transaction_fee_minor
    order = Order(
        number=row.number,
        status=OrderStatus(row.status),
        paid_at=row.paid_at,
        shipped_at=row.shipped_at,
        delivered_at=row.delivered_at,
        currency=row.currency,
        shipping=money(row.shipping_minor),
        captured=money(row.captured_minor),
        refunded=money(row.refunded_minor),
        payment_method=row.payment_method,
        transaction_fee=None if fee is None else money(fee),
        dispute_open=row.dispute_open,
        lines=tuple(
            OrderLine(
                sku=line["sku"],
                quantity=line["quantity"],
                unit_price=Money.parse(line["unit_price"], row.currency),
                discount=Money.parse(line["discount"], row.currency),
                tax=Money.parse(line["tax"], row.currency),
            )
            for line in row.lines
        ),
    )
    return BookedOrder(
        order=order,
        customer_name=row.customer_name,
        customer_email=row.customer_email,
        invoice_number=row.invoice_number,
    )
