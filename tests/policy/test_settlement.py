"""What is owed, to the minor unit: shipping, fee, postage, parts of lines, earlier refunds and the cap."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.model.decision import Outcome
from mailbot.model.forms import parse_facts
from mailbot.model.money import Money
from mailbot.policy.decide import settlement_for
from mailbot.policy.settlement import resettled
from mailbot.policy.table import Policy

Form = dict[str, Any]
Decided = Callable[..., Form]

CANCEL = {"status": "paid", "paid_at": "2026-03-10T08:00:00Z", "shipped_at": None, "delivered_at": None}
LATE = {**CANCEL, "paid_at": "2026-03-01T10:00:00Z"}
IN_TRANSIT = {**CANCEL, "status": "shipped"}
HALF = [{"sku": "R-925-07", "quantity": 1}]
PARTS = ("items", "outbound_shipping", "transaction_fee", "already_refunded", "cap_adjustment", "refund")


def _line(unit_price: str, quantity: int = 1, *, discount: str = "0", tax: str = "0", sku: str = "R-925-07") -> Form:
    return {"sku": sku, "quantity": quantity, "unit_price": unit_price, "discount": discount, "tax": tax}


def _by_card(*lines: Form, currency: str = "USD", captured: str = "100000") -> Form:
    """Build an order that costs nothing but its lines, so that a settlement is only about them."""
    sums = {"currency": currency, "shipping": "0", "captured": captured, "refunded": "0"}
    return {**sums, "payment_method": "card", "transaction_fee": None, "lines": list(lines)}


def _settlement(decision: Form) -> Form:
    settlement: Form = decision["settlement"] or decision["proposal"]["settlement"]
    return settlement


@pytest.mark.parametrize(
    ("changes", "amounts", "postage"),
    [
        pytest.param({"order": CANCEL}, "80.00 6.00 -3.30 0.00 0.00 82.70", "none", id="cancelled before dispatch"),
        pytest.param({"order": LATE}, "80.00 6.00 -3.30 0.00 0.00 82.70", "none", id="proposed: cancelled late"),
        pytest.param(
            {"order": IN_TRANSIT}, "80.00 0.00 -3.30 0.00 0.00 76.70", "customer", id="proposed: cancelled in transit"
        ),
        pytest.param({}, "80.00 0.00 -3.30 0.00 0.00 76.70", "customer", id="returned"),
        pytest.param(
            {"claim": {"reason": "quality_defect"}},
            *("80.00 6.00 0.00 0.00 0.00 86.00", "merchant"),
            id="proposed: a defect, the shop bears all",
        ),
        pytest.param(
            {"claim": {"reason": "not_delivered"}, "order": CANCEL},
            *("80.00 6.00 0.00 0.00 0.00 86.00", "merchant"),
            id="proposed: logistics, the shop bears all",
        ),
    ],
)
def test_each_outcome_settles_shipping_fee_and_postage_in_its_own_way(
    changes: Form, amounts: str, postage: str, decided: Decided
) -> None:
    settlement = _settlement(decided(**changes))
    assert [settlement[part] for part in PARTS] == amounts.split()
    assert settlement["return_postage"] == postage


@pytest.mark.parametrize(
    ("changes", "shipping"),
    [
        pytest.param({"order": CANCEL, "claim": {"lines": HALF}}, "0.00", id="one of two cancelled"),
        pytest.param({"order": CANCEL, "claim": {"lines": [*HALF, *HALF]}}, "6.00", id="both, one after the other"),
        pytest.param(
            {"order": CANCEL, "claim": {"lines": [{"sku": "R-925-07", "quantity": 2}]}}, "6.00", id="both, named"
        ),
        pytest.param({"claim": {"reason": "wrong_item", "lines": HALF}}, "0.00", id="one of two was the wrong one"),
        pytest.param({"claim": {"reason": "quality_defect", "lines": HALF}}, "0.00", id="one of two is defective"),
    ],
)
def test_shipping_goes_back_with_the_whole_order_only(changes: Form, shipping: str, decided: Decided) -> None:
    assert _settlement(decided(**changes))["outbound_shipping"] == shipping


def test_all_of_one_line_is_not_all_of_the_order(decided: Decided) -> None:
    order = {**CANCEL, "lines": [_line("40.00"), _line("40.00", sku="E-14")]}
    settlement = _settlement(decided(order=order, claim={"lines": HALF}))
    assert [settlement[part] for part in PARTS] == ["40.00", "0.00", "0.00", "0.00", "0.00", "40.00"]


@pytest.mark.parametrize(
    ("changes", "fee"),
    [
        pytest.param({}, "-3.30", id="a change of mind"),
        pytest.param({"claim": {"reason": "unspecified"}}, "-3.30", id="no reason given"),
        pytest.param({"claim": {"reason": "natural_variation"}}, "-3.30", id="natural variation"),
        pytest.param({"claim": {"reason": "ring_opening"}}, "-3.30", id="a ring's opening"),
        pytest.param({"claim": {"reason": "mistaken_order"}}, "-3.30", id="a mistake, nobody knows of another order"),
        pytest.param({"claim": {"reason": "mistaken_order", "repurchased": False}}, "-3.30", id="a mistake"),
        pytest.param(
            {"claim": {"reason": "mistaken_order", "repurchased": True}}, "0.00", id="a mistake, bought again"
        ),
        pytest.param(
            {"claim": {"reason": "change_of_mind", "repurchased": True}}, "-3.30", id="bought again, no mistake"
        ),
        pytest.param({"claim": {"lines": HALF}}, "0.00", id="a part of the order"),
        pytest.param({"order": {"payment_method": "card"}}, "0.00", id="paid by card"),
        pytest.param({"order": {"payment_method": "PayPal"}}, "0.00", id="another word for the payment"),
        pytest.param({"order": {"transaction_fee": "0.00"}}, "0.00", id="a fee of nothing"),
        pytest.param({"claim": {"reason": "late_delivery"}}, "0.00", id="logistics"),
    ],
)
def test_the_buyer_bears_the_paypal_fee_of_a_full_refund_without_a_quality_reason(
    changes: Form, fee: str, decided: Decided
) -> None:
    assert _settlement(decided(**changes))["transaction_fee"] == fee


@pytest.mark.parametrize(
    ("line", "claimed", "currency", "items"),
    [
        pytest.param(_line("10.00", 3, discount="1.00"), 1, "USD", "9.67", id="USD: 10.00 - 1.00/3"),
        pytest.param(_line("10.00", 3, discount="1.00"), 2, "USD", "19.33", id="USD: 20.00 - 2.00/3"),
        pytest.param(_line("10.00", 3, discount="1.00"), 3, "USD", "29.00", id="USD: all three, nothing to divide"),
        pytest.param(_line("10.00", 7, tax="0.10", discount="0.03"), 3, "USD", "30.03", id="USD: tax less discount"),
        pytest.param(_line("10.00", 2, tax="0.01"), 1, "USD", "10.01", id="USD: half a cent goes up"),
        pytest.param(_line("10.00", 2, discount="0.01"), 1, "USD", "10.00", id="USD: 9.995 goes up"),
        pytest.param(_line("10.00", 8, tax="0.04"), 3, "USD", "30.02", id="USD: 30.015 goes up, not to the even cent"),
        pytest.param(_line("10.00", 8, tax="0.04"), 1, "USD", "10.01", id="USD: 10.005 goes up, not to the even cent"),
        pytest.param(_line("0.00", 1000, tax="0.49"), 10, "USD", "0.00", id="USD: just under half a cent"),
        pytest.param(_line("1000", 3, discount="100"), 1, "JPY", "967", id="JPY: 1000 - 33.3"),
        pytest.param(_line("1000", 3, discount="100"), 2, "JPY", "1933", id="JPY: 2000 - 66.7"),
        pytest.param(_line("1000", 2, tax="101"), 1, "JPY", "1051", id="JPY: half a yen goes up"),
        pytest.param(_line("1.000", 3, discount="0.100"), 1, "KWD", "0.967", id="KWD: 1.000 - 0.033"),
        pytest.param(_line("1.000", 2, tax="0.001"), 1, "KWD", "1.001", id="KWD: half a fils goes up"),
        pytest.param(_line("1.000", 6, tax="0.010"), 1, "KWD", "1.002", id="KWD: 1.001666"),
    ],
)
def test_part_of_a_line_is_rounded_half_up_to_the_minor_unit(
    line: Form, claimed: int, currency: str, items: str, decided: Decided
) -> None:
    claim = {"reason": "quality_defect", "lines": [{"sku": "R-925-07", "quantity": claimed}]}
    assert _settlement(decided(order=_by_card(line, currency=currency), claim=claim))["items"] == items


def test_each_line_is_rounded_before_they_are_added(decided: Decided) -> None:
    lines = [_line("0.00", 2, tax="0.01", sku=sku) for sku in ("A", "B", "C")]
    claim = {"lines": [{"sku": sku, "quantity": 1} for sku in ("A", "B", "C")]}
    assert _settlement(decided(order=_by_card(*lines), claim=claim))["items"] == "0.03"


def test_an_order_may_hold_one_article_on_two_lines_if_all_is_claimed(decided: Decided) -> None:
    order = _by_card(_line("10.00"), _line("12.00", 2))
    assert _settlement(decided(order=order))["items"] == "34.00"


@pytest.mark.parametrize(
    ("changes", "amounts"),
    [
        pytest.param({"order": {"refunded": "10.00"}}, "80.00 0.00 -3.30 -10.00 0.00 66.70", id="taken off a full one"),
        pytest.param(
            {"order": {"refunded": "10.00"}, "claim": {"lines": HALF}},
            "40.00 0.00 0.00 0.00 0.00 40.00",
            id="not taken off a partial one",
        ),
        pytest.param(
            {"order": {"refunded": "50.00"}, "claim": {"lines": HALF}},
            "40.00 0.00 0.00 0.00 -4.00 36.00",
            id="a partial one is held to what is left",
        ),
        pytest.param(
            {"order": {"refunded": "80.00"}},
            "80.00 0.00 -3.30 -80.00 3.30 0.00",
            id="a full one is held to no less than nothing",
        ),
        pytest.param(
            {"order": {"captured": "50.00"}}, "80.00 0.00 -3.30 0.00 -26.70 50.00", id="held to what was paid"
        ),
        pytest.param(
            {"order": {"captured": "76.70"}}, "80.00 0.00 -3.30 0.00 0.00 76.70", id="all that was paid, no adjustment"
        ),
        pytest.param(
            {"order": {"captured": "76.69"}}, "80.00 0.00 -3.30 0.00 -0.01 76.69", id="a cent more than was paid"
        ),
        pytest.param(
            {"order": {"transaction_fee": "90.00"}}, "80.00 0.00 -90.00 0.00 10.00 0.00", id="a fee above the price"
        ),
        pytest.param(
            {"order": {"lines": [_line("10.00", discount="12.00")], "transaction_fee": "0"}},
            "-2.00 0.00 0.00 0.00 2.00 0.00",
            id="a discount above the price",
        ),
    ],
)
def test_a_refund_is_held_between_nothing_and_what_is_left(changes: Form, amounts: str, decided: Decided) -> None:
    settlement = _settlement(decided(**changes))
    assert [settlement[part] for part in PARTS] == amounts.split()


@pytest.mark.parametrize(
    ("currency", "nothing"), [("JPY", "0"), ("USD", "0.00"), ("KWD", "0.000")], ids=("JPY", "USD", "KWD")
)
def test_no_money_is_written_to_the_minor_unit_without_a_sign(currency: str, nothing: str, decided: Decided) -> None:
    order = {
        **_by_card(_line("0"), currency=currency, captured="1"),
        "payment_method": "paypal",
        "transaction_fee": "0",
    }
    settlement = _settlement(decided(order=order))
    assert {settlement[part] for part in PARTS} == {nothing}


amount = st.integers(min_value=0, max_value=10**14 - 1).map(lambda cents: f"{cents // 100}.{cents % 100:02}")


@settings(max_examples=150)
@given(data=st.data())
def test_the_largest_lines_are_still_exact(data: st.DataObject, decided: Decided) -> None:
    quantity = data.draw(st.integers(min_value=1, max_value=1_000_000) | st.just(999_999))
    claimed = data.draw(st.integers(min_value=1, max_value=quantity))
    price, discount, tax = (data.draw(amount) for _ in range(3))
    line = _line(price, quantity, discount=discount, tax=tax)
    claim = {"reason": "wrong_item", "lines": [{"sku": "R-925-07", "quantity": claimed}]}
    exact = Fraction(price) * claimed + (Fraction(tax) - Fraction(discount)) * claimed / quantity
    cents = int(abs(exact) * 100 + Fraction(1, 2))
    items = Decimal(_settlement(decided(order=_by_card(line), claim=claim))["items"])
    assert items * 100 == (cents if exact >= 0 else -cents)


def test_what_a_person_chose_is_worth_what_the_policy_says_whichever_row_answers(
    a_form: Decided, policy_in: Callable[[str], Policy]
) -> None:
    policy, facts = policy_in("America/New_York"), parse_facts(a_form())
    worth = {outcome: settlement_for(outcome, facts, policy) for outcome in Outcome}
    assert {outcome: str(bill.refund) for outcome, bill in worth.items() if bill is not None} == {
        Outcome.APPROVE_CANCELLATION: "76.70",
        Outcome.APPROVE_RETURN: "76.70",
        Outcome.REFUND: "86.00",
    }


@pytest.mark.parametrize(
    ("refunded", "shipping", "fee", "amounts"),
    [
        pytest.param("0.00", 600, -100, "80.00 6.00 -1.00 0.00 0.00 85.00", id="within what is left"),
        pytest.param("0.00", 1000, 0, "80.00 10.00 0.00 0.00 -4.00 86.00", id="above what was captured"),
        pytest.param("10.00", 3000, 0, "80.00 30.00 0.00 -10.00 -24.00 76.00", id="above what is left"),
        pytest.param("0.00", 0, -10000, "80.00 0.00 -100.00 0.00 20.00 0.00", id="below nothing"),
    ],
)
def test_shipping_and_fee_as_a_person_sets_them_stay_within_what_is_left(
    *, refunded: str, shipping: int, fee: int, amounts: str, a_form: Decided, policy_in: Callable[[str], Policy]
) -> None:
    facts = parse_facts(a_form(order={"refunded": refunded}))
    bill = settlement_for(Outcome.APPROVE_RETURN, facts, policy_in("America/New_York"))
    assert bill is not None
    assert facts.order is not None
    changed = resettled(
        bill,
        facts.order,
        outbound_shipping=Money.from_minor(shipping, "USD"),
        transaction_fee=Money.from_minor(fee, "USD"),
    )
    assert " ".join(str(getattr(changed, part)) for part in PARTS) == amounts
    assert changed.return_postage == bill.return_postage
