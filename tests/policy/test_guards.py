"""The three guards: which decisions of rows 8 to 21 go to a person after all, and in which order they are asked."""

from collections.abc import Callable
from typing import Any

import pytest

Form = dict[str, Any]
Decided = Callable[..., Form]

CANCEL = {"status": "paid", "paid_at": "2026-03-10T08:00:00Z", "shipped_at": None, "delivered_at": None}


def _priced(price: str, currency: str = "USD") -> Form:
    """Build an order of one piece, not sent, paid by card on the day of the request."""
    line = {"sku": "R-925-07", "quantity": 1, "unit_price": price, "discount": "0", "tax": "0"}
    sums = {"currency": currency, "shipping": "0", "captured": price, "refunded": "0"}
    return {**CANCEL, **sums, "payment_method": "card", "transaction_fee": None, "lines": [line]}


@pytest.mark.parametrize(
    ("confidence", "rule"),
    [
        pytest.param(0.7999, "low_confidence", id="just under"),
        pytest.param(0, "low_confidence", id="no idea"),
        pytest.param(0.8, "return", id="just enough"),
        pytest.param(1, "return", id="sure"),
    ],
)
def test_a_reason_read_too_vaguely_is_for_a_person(confidence: float, rule: str, decided: Decided) -> None:
    assert decided(claim={"reason_confidence": confidence})["rule"] == rule


@pytest.mark.parametrize(
    ("changes", "outcome", "row"),
    [
        pytest.param({"claim": {"reason": "customer_damage"}}, "decline", "customer_damage", id="customer_damage"),
        pytest.param(
            {"claim": {"reason": "quality_defect"}, "requested_at": "2026-06-08T12:00:00Z"},
            *("decline", "guarantee_expired"),
            id="guarantee_expired",
        ),
        pytest.param({"order": CANCEL}, "approve_cancellation", "cancel", id="cancel"),
        pytest.param(
            {"order": {"status": "shipped", "delivered_at": None}}, "decline", "not_yet_received", id="not_yet_received"
        ),
        pytest.param(
            {"claim": {"reason": "natural_variation"}, "requested_at": "2026-03-20T12:00:00Z"},
            *("decline", "natural_variation"),
            id="natural_variation",
        ),
        pytest.param(
            {"claim": {"reason": "ring_opening"}, "requested_at": "2026-03-20T12:00:00Z"},
            *("decline", "ring_opening"),
            id="ring_opening",
        ),
        pytest.param(
            {"requested_at": "2026-03-20T12:00:00Z"}, "decline", "return_window_passed", id="return_window_passed"
        ),
        pytest.param({"claim": {"item_used": True}}, "decline", "used_or_altered", id="used_or_altered"),
        pytest.param({"claim": {"original_box": False}}, "decline", "no_original_box", id="no_original_box"),
        pytest.param({}, "approve_return", "return", id="return"),
    ],
)
def test_low_confidence_proposes_what_the_row_decided_and_keeps_its_clauses(
    changes: Form, outcome: str, row: str, decided: Decided
) -> None:
    sure = decided(**changes)
    vague = decided(**{**changes, "claim": {**changes.get("claim", {}), "reason_confidence": 0.5}})
    assert (sure["outcome"], sure["rule"]) == (outcome, row)
    assert vague == {
        **sure,
        "outcome": "escalate",
        "rule": "low_confidence",
        "escalation": "low_confidence",
        "proposal": {"outcome": outcome, "rule": row, "settlement": sure["settlement"]},
        "settlement": None,
    }


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param({"claim": {"mentions_dispute": True}}, "dispute", id="dispute"),
        pytest.param({"order": None}, "order_unknown", id="order_unknown"),
        pytest.param({"evidence": {"invoice": "absent"}}, "evidence_missing", id="evidence_missing"),
        pytest.param({"sender": "unverified"}, "sender_unproven", id="sender_unproven"),
        pytest.param({"evidence": {"invoice": "unreadable"}}, "invoice_unreadable", id="invoice_unreadable"),
        pytest.param({"evidence": {"invoice": "mismatched"}}, "invoice_mismatched", id="invoice_mismatched"),
        pytest.param({"order": {"refunded": "86.00"}}, "already_refunded", id="already_refunded"),
        pytest.param({"order": {"status": "cancelled"}}, "order_cancelled", id="order_cancelled"),
        pytest.param({"claim": {"wants": "repair"}}, "other_remedy", id="other_remedy"),
        pytest.param({"claim": {"reason": "not_delivered"}}, "logistics_review", id="logistics_review"),
        pytest.param({"claim": {"reason": "quality_defect"}}, "quality_review", id="quality_review"),
        pytest.param(
            {"claim": {"reason": "quality_defect"}, "order": {"delivered_at": None}},
            "quality_date_unknown",
            id="quality_date_unknown",
        ),
        pytest.param({"order": {**CANCEL, "paid_at": "2026-03-01T10:00:00Z"}}, "cancel_late", id="cancel_late"),
        pytest.param({"order": {**CANCEL, "status": "shipped"}}, "cancel_in_transit", id="cancel_in_transit"),
        pytest.param({"order": {"delivered_at": None}}, "return_date_unknown", id="return_date_unknown"),
    ],
)
def test_low_confidence_leaves_what_escalates_anyway_and_rows_1_to_7_alone(
    changes: Form, rule: str, decided: Decided
) -> None:
    vague = {**changes, "claim": {**changes.get("claim", {}), "reason_confidence": 0.1}}
    assert decided(**vague) == decided(**changes)
    assert decided(**vague)["rule"] == rule


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param({}, "fee_unknown", id="a whole return over PayPal"),
        pytest.param({"order": {**CANCEL, "transaction_fee": None}}, "fee_unknown", id="a cancellation over PayPal"),
        pytest.param({"order": {"transaction_fee": None, "payment_method": "card"}}, "return", id="paid by card"),
        pytest.param({"claim": {"lines": [{"sku": "R-925-07", "quantity": 1}]}}, "return", id="a part of the order"),
        pytest.param(
            {"claim": {"lines": [{"sku": "R-925-07", "quantity": 2}]}}, "fee_unknown", id="every line of the order"
        ),
        pytest.param(
            {"claim": {"reason": "mistaken_order", "repurchased": True}}, "return", id="a mistake, bought again"
        ),
        pytest.param(
            {"claim": {"reason": "mistaken_order", "repurchased": False}},
            "fee_unknown",
            id="a mistake, not bought again",
        ),
        pytest.param(
            {"claim": {"reason": "mistaken_order", "repurchased": None}},
            "fee_unknown",
            id="a mistake, nobody knows more",
        ),
        pytest.param(
            {"claim": {"reason": "change_of_mind", "repurchased": True}}, "fee_unknown", id="bought again, no mistake"
        ),
        pytest.param({"claim": {"item_used": True}}, "used_or_altered", id="a decline needs no fee"),
        pytest.param({"claim": {"reason": "quality_defect"}}, "quality_review", id="the shop bears it"),
    ],
)
def test_an_approval_that_needs_an_unrecorded_fee_is_for_a_person(changes: Form, rule: str, decided: Decided) -> None:
    order = {"transaction_fee": None, **changes.get("order", {})}
    assert decided(**{**changes, "order": order})["rule"] == rule


def test_fee_unknown_proposes_the_approval_without_a_settlement(decided: Decided) -> None:
    decision = decided(order={"transaction_fee": None})
    assert decision["proposal"] == {"outcome": "approve_return", "rule": "return", "settlement": None}
    assert (decision["outcome"], decision["escalation"]) == ("escalate", "fee_unknown")
    assert decision["clauses"] == ["C6", "C10", "C12", "C13", "C14"]
    assert decision["settlement"] is None


def test_a_late_cancellation_whose_fee_is_unknown_stays_as_the_row_decided(decided: Decided) -> None:
    decision = decided(order={**CANCEL, "paid_at": "2026-03-01T10:00:00Z", "transaction_fee": None})
    assert decision["rule"] == "cancel_late"
    assert decision["proposal"] == {"outcome": "approve_cancellation", "rule": "cancel_late", "settlement": None}


@pytest.mark.parametrize(
    ("price", "currency", "rule"),
    [
        pytest.param("500.00", "USD", "cancel", id="USD at its limit"),
        pytest.param("500.01", "USD", "approval_required", id="USD a cent above"),
        pytest.param("500.00", "EUR", "cancel", id="EUR at its limit"),
        pytest.param("500.01", "EUR", "approval_required", id="EUR a cent above"),
        pytest.param("400.00", "GBP", "cancel", id="GBP at its limit"),
        pytest.param("400.01", "GBP", "approval_required", id="GBP a penny above"),
        pytest.param("75000", "JPY", "cancel", id="JPY at its limit"),
        pytest.param("75001", "JPY", "approval_required", id="JPY a yen above"),
        pytest.param("150.000", "KWD", "cancel", id="KWD at its limit"),
        pytest.param("150.001", "KWD", "approval_required", id="KWD a fils above"),
        pytest.param("0.01", "CHF", "approval_required", id="CHF has no limit, so it always asks"),
    ],
)
def test_a_cancellation_above_the_limit_of_its_currency_is_for_a_person(
    price: str, currency: str, rule: str, decided: Decided
) -> None:
    assert decided(order=_priced(price, currency))["rule"] == rule


def test_the_limit_is_held_against_the_refund_not_the_order(decided: Decided) -> None:
    dear = {**_priced("503.30"), "payment_method": "paypal", "transaction_fee": "3.30"}
    assert decided(order=dear)["rule"] == "cancel"
    assert decided(order={**dear, "transaction_fee": "3.29"})["rule"] == "approval_required"


def test_approval_required_proposes_the_cancellation_with_its_settlement(decided: Decided) -> None:
    decision = decided(order=_priced("500.01"))
    assert decision["clauses"] == ["C7", "C10"]
    assert decision["settlement"] is None
    assert (decision["proposal"]["outcome"], decision["proposal"]["rule"]) == ("approve_cancellation", "cancel")
    assert decision["proposal"]["settlement"]["refund"] == "500.01"


def test_a_dear_return_is_approved_because_the_goods_are_inspected_first(decided: Decided) -> None:
    line = {"sku": "R-925-07", "quantity": 1, "unit_price": "900.00", "discount": "0", "tax": "0"}
    assert decided(order={"captured": "906.00", "lines": [line]})["rule"] == "return"


def test_a_dear_late_cancellation_stays_as_the_row_decided(decided: Decided) -> None:
    late = {**_priced("500.01"), "paid_at": "2026-03-01T10:00:00Z"}
    assert decided(order=late)["rule"] == "cancel_late"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param(
            {"claim": {"reason_confidence": 0.5}, "order": {"transaction_fee": None}},
            "low_confidence",
            id="low_confidence before fee_unknown",
        ),
        pytest.param(
            {"claim": {"reason_confidence": 0.5}, "order": _priced("900.00")},
            "low_confidence",
            id="low_confidence before approval_required",
        ),
        pytest.param(
            {"order": {**_priced("900.00"), "payment_method": "paypal"}},
            "fee_unknown",
            id="fee_unknown before approval_required",
        ),
    ],
)
def test_the_first_guard_that_applies_gives_its_id(changes: Form, rule: str, decided: Decided) -> None:
    assert decided(**changes)["rule"] == rule
