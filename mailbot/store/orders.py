"""The order book: what the shop sold, to whom, and what of it went back."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from mailbot.model.book import BookedOrder
from mailbot.model.facts import Order, OrderLine, OrderStatus
from mailbot.model.forms import order_line_form
from mailbot.model.money import Money
from mailbot.store.tables import OrderRow, OrderSyncRow, RefundRow, RefundState
from mailbot.store.upsert import upsert_all


def put_all(session: Session, entries: Sequence[BookedOrder], now: datetime) -> None:
    """Enter orders into the book, or bring their entries up to date; of two of the same number the later one counts."""
    rows = {entry.key: _row(entry, now) for entry in entries}
    upsert_all(session, OrderRow, list(rows.values()))


def find(session: Session, key: str, *, lock: bool = False) -> BookedOrder | None:
    """One order by its number's key; ``lock`` makes decisions about one order wait for each other."""
    return find_all(session, [key], lock=lock).get(key)


def find_all(session: Session, keys: Collection[str], *, lock: bool = False) -> dict[str, BookedOrder]:
    """Those of these orders that the book has, by key."""
    if not keys:
        return {}
    wanted = select(OrderRow).where(OrderRow.key.in_(keys)).order_by(OrderRow.key)
    return {row.key: _booked(row) for row in session.scalars(wanted.with_for_update() if lock else wanted)}


def promised_refunds(session: Session, key: str, currency: str) -> Money:
    """What cases have promised or paid of this order and the book does not show yet, so that no money goes twice."""
    imported_at = select(OrderRow.imported_at).where(OrderRow.key == key).scalar_subquery()
    unseen = or_(RefundRow.state == RefundState.DUE, RefundRow.paid_at > imported_at)
    promised = select(func.coalesce(func.sum(RefundRow.amount_minor), 0)).where(RefundRow.order_key == key, unseen)
    return Money.from_minor(int(session.scalars(promised).one()), currency)


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
