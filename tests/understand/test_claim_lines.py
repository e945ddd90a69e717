"""A claim about a part of an order: which lines it is about, or that a clerk would ask (``parts.toml``)."""

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mailbot.model.facts import ClaimLine, Order, OrderLine, OrderStatus
from mailbot.model.money import Money
from mailbot.model.reading import Body, GoodsRow, Segment, SegmentKind
from mailbot.understand.claim import ClaimReading, read_claim
from mailbot.understand.claim_lines import find_lines
from mailbot.understand.invoice_text import read_paper
from mailbot.understand.lexicons import load_lexicons

MAILS = tomllib.loads((Path(__file__).parent / "parts.toml").read_text(encoding="utf-8"))["mail"]


def read(text: str, language: str, goods: tuple[GoodsRow, ...]) -> ClaimReading:
    body = Body(text=text, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(text)),))
    return read_claim(
        "", body, load_lexicons(), language, asked_on=date(2026, 5, 12), day_first=language != "en", goods=goods
    )


def goods_of(*rows: str) -> tuple[GoodsRow, ...]:
    """The rows as they are read from a whole invoice, with its numbers and totals."""
    head = ["Aurelia & Wren", "Invoice", "Invoice no.: INV-2026-20001", "Date: 2 May 2026", "Order: AW-20001", ""]
    return read_paper("\n".join([*head, *rows, "Subtotal   999.00", "Shipping   6.00", "Total paid   1,005.00"])).goods


def order(goods: tuple[GoodsRow, ...]) -> Order:
    """The order whose invoice sells these goods; its lines have other names than the rows."""
    zero = Money.parse("0", "USD")
    lines = [
        OrderLine(
            sku=f"S-{place}",
            quantity=row.quantity or 1,
            unit_price=Money.rounded(max(row.amounts) / (row.quantity or 1), "USD"),
            discount=zero,
            tax=zero,
        )
        for place, row in enumerate(goods)
    ]
    paid = datetime(2026, 5, 2, 10, tzinfo=UTC)
    return Order(
        number="AW-20001",
        status=OrderStatus.DELIVERED,
        paid_at=paid,
        shipped_at=paid,
        delivered_at=paid,
        currency="USD",
        shipping=zero,
        captured=Money.parse("1005.00", "USD"),
        refunded=zero,
        payment_method="card",
        transaction_fee=None,
        dispute_open=False,
        lines=tuple(lines),
    )


@pytest.mark.parametrize("mail", [pytest.param(mail, id=mail["id"]) for mail in MAILS])
def test_the_lines_are_those_that_a_clerk_is_sure_of(mail: dict[str, Any]) -> None:
    goods = goods_of(*mail["goods"])
    assert len(goods) == len(mail["goods"])
    reading = read(mail["text"], mail["id"][:2], goods)
    wanted = [told.split(" of ") for told in mail.get("lines", ())]
    found = find_lines(reading.part, goods, order(goods)) if reading.part else None
    assert found == (tuple(ClaimLine(sku=f"S-{row}", quantity=int(count)) for count, row in wanted) or None)
    if found:
        assert all(mail["text"][span.start : span.end] == span.quote for span in reading.spans)
        assert "lines" in {span.fact for span in reading.spans}
