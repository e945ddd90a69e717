"""Refunds that a payment service pays by itself: once, within the caps, and never in doubt twice."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mailbot import operators
from mailbot.errors import PermanentError, RetryableError
from mailbot.journey import look_after
from mailbot.model.money import Money
from mailbot.model.refund import RefundOrder
from mailbot.ports import CaptureStanding
from mailbot.store.tables import RefundRow
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import CANCEL, a_mail, an_invoice, an_order
from tests.journey.shop import Letter, Shop


@dataclass(slots=True)
class Till:
    """A payment service with books: the same key pays once, and no capture gives back more than it took.

    Attributes:
        before: what happens before a payment is booked, and ``after`` what once it is.
    """

    captured: dict[str, Money] = field(default_factory=dict)
    booked: dict[str, RefundOrder] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    name: str = "till"

    def look(self, order: RefundOrder) -> CaptureStanding:
        reference = f"re-{order.key}" if order.key in self.booked else None
        return CaptureStanding(left=self._left(order), disputed=order.capture in self.disputed, reference=reference)

    def pay(self, order: RefundOrder) -> str:
        self.before()
        if order.key not in self.booked:
            if self._left(order) < order.amount:
                raise PermanentError("more than was captured")
            self.booked[order.key] = order
        self.after()
        return f"re-{order.key}"

    def _left(self, order: RefundOrder) -> Money:
        gone = [paid.amount for paid in self.booked.values() if paid.capture == order.capture]
        return sum((-amount for amount in gone), start=self.captured.get(order.capture, Money.parse("86.00", "USD")))


def break_off() -> None:
    raise RetryableError("the line went dead")


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
def shop(a_shop: ShopBuilder, till: Till) -> Shop:
    """Give a shop whose refunds the till pays by itself."""
    shop = a_shop()
    settings = shop.app.settings
    allowed = settings.model_copy(update={"refunds": settings.refunds.model_copy(update={"automatic": True})})
    shop.app = replace(shop.app, payments=till, judgement=replace(shop.app.judgement, settings=allowed))
    return shop


def cancels(shop: Shop, number: str = "AW-10001", customer: str = "jane@example.org") -> list[Letter]:
    """Let a customer cancel an order, and the worker pay what that makes due in the next pass."""
    shop.sells(an_order(shop.clock.now, number, customer=customer))
    return shop.answers(a_mail(CANCEL.replace("AW-10001", number), invoice=an_invoice(number), sender=customer))


def state(shop: Shop) -> list[tuple[str, str]]:
    """How each refund and its case stand."""
    return [(row.state, shop.case(row.case_id)["state"]) for row in shop.rows(RefundRow)]


def test_a_refund_is_paid_once_and_the_customer_told(shop: Shop, till: Till) -> None:
    *_, told = cancels(shop)
    for _ in range(3):
        shop.poll()
    assert state(shop) == [("paid", "refunded")]
    assert [str(order.amount) for order in till.booked.values()] == ["82.70"]
    assert "We have paid your refund of $82.70" in " ".join(told.text.split())


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_line_that_breaks_is_looked_after_and_never_paid_twice(cut: str, shop: Shop, till: Till) -> None:
    setattr(till, cut, break_off)
    cancels(shop)
    assert state(shop) == [("unknown", "refund_due")]
    till.before = till.after = lambda: None
    for _ in range(6):
        shop.clock.forward(minutes=16)
        look_after(shop.app)
    if cut == "after":
        assert state(shop) == [("paid", "refunded")]
    else:
        assert state(shop) == [("unknown", "escalated")]
        assert shop.case()["escalation"] == "refund_unknown"
        operators.release_refund(shop.app, "1", "mia")
        look_after(shop.app)
        assert state(shop)[0][0] == "paid"
    assert len(till.booked) == 1


def test_a_person_may_not_try_again_before_it_was_looked_for_twice(shop: Shop, till: Till) -> None:
    till.before = break_off
    cancels(shop)
    with pytest.raises(operators.RefundError, match="looked up twice"):
        operators.release_refund(shop.app, "1", "mia")


def test_a_final_refusal_is_a_person_s(shop: Shop, till: Till) -> None:
    def refuse() -> None:
        raise PermanentError("the account is closed")

    till.before = refuse
    cancels(shop)
    assert state(shop) == [("refused", "escalated")]
    assert shop.case()["escalation"] == "refund_refused"


def test_a_disputed_payment_is_never_refunded_by_itself(shop: Shop, till: Till) -> None:
    till.disputed.add("AW-10001")
    cancels(shop)
    assert (state(shop), till.booked) == ([("held", "escalated")], {})


def test_a_payment_with_too_little_left_is_a_person_s(shop: Shop, till: Till) -> None:
    till.captured["AW-10001"] = Money.parse("50.00", "USD")
    cancels(shop)
    assert (state(shop), till.booked) == ([("held", "escalated")], {})
    assert shop.case()["escalation"] == "not_enough_left"


def test_one_customer_is_paid_by_itself_once_in_30_days(shop: Shop) -> None:
    cancels(shop)
    shop.poll()
    cancels(shop, "AW-10002")
    shop.poll()
    assert state(shop) == [("paid", "refunded"), ("held", "escalated")]
    assert shop.case(2)["escalation"] == "cap_reached"


def test_a_day_s_sum_is_five_times_what_the_policy_approves_by_itself(shop: Shop, till: Till) -> None:
    till.captured = {f"AW-{number}": Money.parse("500.00", "USD") for number in range(10001, 10010)}
    ring = {"sku": "R-1", "quantity": 1, "unit_price": "490.00", "discount": "0.00", "tax": "0.00"}
    for number in range(10001, 10007):
        order, customer = f"AW-{number}", f"jane{number}@example.org"
        sold: dict[str, Any] = {"captured": "496.00", "lines": [ring], "transaction_fee": "0.00"}
        shop.sells(an_order(shop.clock.now, order, customer=customer, **sold))
        shop.gets(a_mail(CANCEL.replace("AW-10001", order), invoice=an_invoice(order, "496.00"), sender=customer))
    shop.poll()
    assert [row.state for row in shop.rows(RefundRow)] == [*["paid"] * 5, "held"]


def test_a_frozen_till_pays_nothing(shop: Shop, till: Till) -> None:
    operators.freeze(shop.app, "ann", "audit")
    cancels(shop)
    assert (state(shop), till.booked) == ([("due", "refund_due")], {})


def test_two_persons_agree_above_the_limit(shop: Shop, till: Till) -> None:
    settings = shop.app.settings
    two = settings.refunds.model_copy(update={"four_eyes_limit": {"USD": "80"}})
    judgement = replace(shop.app.judgement, settings=settings.model_copy(update={"refunds": two}))
    shop.app = replace(shop.app, judgement=judgement)
    cancels(shop)
    assert (state(shop), till.booked) == ([("awaiting_approval", "refund_due")], {})
    operators.approve_refund(shop.app, "1", "ann")
    with pytest.raises(operators.RefundError, match="another person must"):
        operators.approve_refund(shop.app, "1", "ann")
    shop.poll()
    assert till.booked == {}
    operators.approve_refund(shop.app, "1", "mia")
    shop.poll()
    assert state(shop) == [("paid", "refunded")]
    row = shop.rows(RefundRow)[0]
    assert {row.approved_by, row.second_approver} == {"ann", "mia"}
