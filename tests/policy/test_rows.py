"""The decision table of POLICY.md, row by row: what each answers, what just misses it, and which of two comes first."""

from collections.abc import Callable
from typing import Any

import pytest

Form = dict[str, Any]
Decided = Callable[..., Form]

HERE = {"status": "paid", "shipped_at": None, "delivered_at": None}
PAID_TODAY = {"paid_at": "2026-03-10T08:00:00Z"}
ON_ITS_WAY = {"status": "shipped", "delivered_at": None}
UNDATED = {"delivered_at": None}  # delivered, and nobody knows when
PASSED = "2026-03-14T12:00:00-04:00"  # day 8 after receipt
EXPIRED = "2026-06-07T12:00:00-04:00"  # 3 months and a day after receipt

ROWS = [
    pytest.param({"order": {"dispute_open": True}}, "escalate", "dispute", "C9", None, id="dispute: open at the bank"),
    pytest.param({"claim": {"mentions_dispute": True}}, "escalate", "dispute", "C9", None, id="dispute: announced"),
    pytest.param({"order": None}, "request_info", "order_unknown", "C8", None, id="order_unknown"),
    pytest.param(
        {"order": None, "evidence": {"invoice": "unreadable"}},
        *("request_info", "order_unknown", "C8", None),
        id="order_unknown: an unreadable invoice is not missing",
    ),
    pytest.param(
        {"order": None, "evidence": {"order_number": None}},
        *("request_info", "evidence_missing", "C8", None),
        id="evidence_missing: no number",
    ),
    pytest.param(
        {"evidence": {"order_number": None}},
        *("request_info", "evidence_missing", "C8", None),
        id="evidence_missing: no number, though the case has an order",
    ),
    pytest.param(
        {"evidence": {"invoice": "absent"}},
        *("request_info", "evidence_missing", "C8", None),
        id="evidence_missing: no invoice",
    ),
    pytest.param(
        {"order": None, "evidence": {"invoice": "absent"}},
        *("request_info", "evidence_missing", "C8", None),
        id="evidence_missing: no invoice, and the number is unknown",
    ),
    pytest.param({"sender": "unverified"}, "verify_sender", "sender_unproven", "C8", None, id="sender_unproven"),
    pytest.param(
        {"sender": "mismatched"},
        *("verify_sender", "sender_unproven", "C8", None),
        id="sender_unproven: writes from another address",
    ),
    pytest.param(
        {"evidence": {"invoice": "unreadable"}}, "escalate", "invoice_unreadable", "C8", None, id="invoice_unreadable"
    ),
    pytest.param(
        {"evidence": {"invoice": "mismatched"}}, "escalate", "invoice_mismatched", "C8", None, id="invoice_mismatched"
    ),
    pytest.param({"order": {"refunded": "86.00"}}, "decline", "already_refunded", "C8", None, id="already_refunded"),
    pytest.param(
        {"order": {"refunded": "86.01"}}, "decline", "already_refunded", "C8", None, id="already_refunded: too much"
    ),
    pytest.param({"order": {"status": "cancelled"}}, "escalate", "order_cancelled", "C8", None, id="order_cancelled"),
    pytest.param(
        {"order": {"status": "refunded"}},
        *("escalate", "order_cancelled", "C8", None),
        id="order_cancelled: refunded in name only",
    ),
    pytest.param({"claim": {"wants": "exchange"}}, "escalate", "other_remedy", "C5", None, id="other_remedy: exchange"),
    pytest.param({"claim": {"wants": "repair"}}, "escalate", "other_remedy", "C5", None, id="other_remedy: repair"),
    pytest.param(
        {"claim": {"reason": "customer_damage"}}, "decline", "customer_damage", "C3", None, id="customer_damage"
    ),
    *(
        pytest.param(
            {"claim": {"reason": reason}}, "escalate", "logistics_review", "C11", "refund", id=f"logistics: {reason}"
        )
        for reason in ("wrong_item", "damaged_in_transit", "not_delivered", "late_delivery")
    ),
    pytest.param(
        {"claim": {"reason": "quality_defect"}, "order": UNDATED},
        *("escalate", "quality_date_unknown", "C5", None),
        id="quality_date_unknown",
    ),
    pytest.param(
        {"claim": {"reason": "quality_defect"}},
        *("escalate", "quality_review", "C5 C11", "refund"),
        id="quality_review",
    ),
    pytest.param(
        {"claim": {"reason": "quality_defect"}, "requested_at": EXPIRED},
        *("decline", "guarantee_expired", "C5", None),
        id="guarantee_expired",
    ),
    *(
        pytest.param(
            {"claim": {"reason": reason}, "order": {**HERE, **PAID_TODAY}},
            *("approve_cancellation", "cancel", "C7 C10", None),
            id=f"cancel: {reason}",
        )
        for reason in ("change_of_mind", "mistaken_order", "natural_variation", "ring_opening", "unspecified")
    ),
    pytest.param({"order": HERE}, "escalate", "cancel_late", "C7", "approve_cancellation", id="cancel_late"),
    pytest.param({"order": UNDATED}, "escalate", "return_date_unknown", "C6", None, id="return_date_unknown"),
    pytest.param(
        {"order": {**ON_ITS_WAY, **PAID_TODAY, "shipped_at": "2026-03-10T08:30:00Z"}},
        *("escalate", "cancel_in_transit", "C7", "approve_cancellation"),
        id="cancel_in_transit",
    ),
    pytest.param(
        {"order": {**HERE, **PAID_TODAY, "status": "shipped"}},
        *("escalate", "cancel_in_transit", "C7", "approve_cancellation"),
        id="cancel_in_transit: shipped, nobody knows when",
    ),
    pytest.param({"order": ON_ITS_WAY}, "decline", "not_yet_received", "C6", None, id="not_yet_received"),
    pytest.param(
        {"claim": {"reason": "natural_variation"}, "requested_at": PASSED},
        *("decline", "natural_variation", "C1", None),
        id="natural_variation",
    ),
    pytest.param(
        {"claim": {"reason": "ring_opening"}, "requested_at": PASSED},
        *("decline", "ring_opening", "C4", None),
        id="ring_opening",
    ),
    *(
        pytest.param(
            {"claim": {"reason": reason}, "requested_at": PASSED},
            *("decline", "return_window_passed", "C6", None),
            id=f"return_window_passed: {reason}",
        )
        for reason in ("change_of_mind", "mistaken_order", "unspecified")
    ),
    pytest.param(
        {"claim": {"item_used": True}}, "decline", "used_or_altered", "C6 C12 C15", None, id="used_or_altered: used"
    ),
    pytest.param(
        {"claim": {"item_used": False, "item_altered": True}},
        *("decline", "used_or_altered", "C6 C12 C15", None),
        id="used_or_altered: altered",
    ),
    pytest.param(
        {"claim": {"original_box": False}}, "decline", "no_original_box", "C6 C13", None, id="no_original_box"
    ),
    *(
        pytest.param(
            {"claim": {"reason": reason}},
            *("approve_return", "return", "C6 C10 C12 C13 C14", None),
            id=f"return: {reason}",
        )
        for reason in ("change_of_mind", "mistaken_order", "natural_variation", "ring_opening", "unspecified")
    ),
]


@pytest.mark.parametrize(("changes", "outcome", "rule", "clauses", "proposed"), ROWS)
def test_each_row_answers_with_its_outcome_clauses_and_proposal(
    *, changes: Form, outcome: str, rule: str, clauses: str, proposed: str | None, decided: Decided
) -> None:
    decision = decided(**changes)
    assert (decision["outcome"], decision["rule"], decision["clauses"]) == (outcome, rule, clauses.split())
    assert decision["escalation"] == (rule if outcome == "escalate" else None)
    assert (decision["settlement"] is not None) == outcome.startswith("approve_")
    offered = decision["proposal"] and (decision["proposal"]["outcome"], decision["proposal"]["rule"])
    assert offered == (proposed and (proposed, rule))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param({"claim": {"mentions_dispute": None}}, "return", id="dispute: nobody knows of one"),
        pytest.param({"order": {"refunded": "85.99"}}, "return", id="already_refunded: a cent is left"),
        pytest.param({"claim": {"wants": "cancellation"}}, "return", id="other_remedy: wants a cancellation"),
        pytest.param({"claim": {"wants": "unspecified"}}, "return", id="other_remedy: wants nothing particular"),
        pytest.param({"claim": {"reason": "natural_variation"}}, "return", id="natural_variation: in time"),
        pytest.param({"claim": {"reason": "ring_opening"}}, "return", id="ring_opening: in time"),
        pytest.param({"claim": {"item_used": False, "item_altered": None}}, "return", id="used_or_altered: not said"),
        pytest.param(
            {"claim": {"item_used": None, "item_altered": False}}, "return", id="used_or_altered: not altered"
        ),
        pytest.param({"claim": {"original_box": None}}, "return", id="no_original_box: not said"),
        pytest.param({"claim": {"original_box": True}}, "return", id="no_original_box: there"),
        pytest.param(
            {"order": {**HERE, **PAID_TODAY, "status": "delivered"}},
            "return_date_unknown",
            id="cancel: delivered by its status alone",
        ),
        pytest.param(
            {"order": {**PAID_TODAY, "status": "paid", "shipped_at": "2026-03-10T08:30:00Z", "delivered_at": None}},
            "cancel_in_transit",
            id="cancel: shipped by its date alone",
        ),
        pytest.param(
            {"order": {**HERE, "delivered_at": "2026-03-06T15:00:00Z"}},
            "return",
            id="cancel_late: delivered by its date alone",
        ),
        pytest.param(
            {"order": {**ON_ITS_WAY, "status": "paid"}}, "not_yet_received", id="cancel_late: shipped by date"
        ),
        pytest.param(
            {"order": ON_ITS_WAY, "claim": {"received_on": "2026-03-06"}},
            "return",
            id="not_yet_received: the customer says when",
        ),
        pytest.param(
            {"order": UNDATED, "claim": {"received_on": "2026-03-06"}},
            "return",
            id="return_date_unknown: the customer says when",
        ),
        pytest.param(
            {"order": UNDATED, "claim": {"reason": "quality_defect", "received_on": "2026-03-06"}},
            "quality_review",
            id="quality_date_unknown: the customer says when",
        ),
        pytest.param(
            {"order": HERE, "claim": {"received_on": "2026-03-06"}},
            "cancel_late",
            id="cancel_late: nobody received what has not left",
        ),
    ],
)
def test_what_just_misses_a_row_is_answered_by_another(changes: Form, rule: str, decided: Decided) -> None:
    assert decided(**changes)["rule"] == rule


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param({"claim": {"mentions_dispute": True}, "order": None}, "dispute", id="dispute, order_unknown"),
        pytest.param(
            {"claim": {"mentions_dispute": True}, "evidence": {"invoice": "absent"}},
            "dispute",
            id="dispute, evidence_missing",
        ),
        pytest.param(
            {"order": {"dispute_open": True}, "sender": "mismatched"}, "dispute", id="dispute, sender_unproven"
        ),
        pytest.param({"order": None, "sender": "unverified"}, "order_unknown", id="order_unknown, sender_unproven"),
        pytest.param(
            {"evidence": {"invoice": "absent"}, "sender": "unverified"},
            "evidence_missing",
            id="evidence_missing, sender_unproven",
        ),
        pytest.param(
            {"sender": "unverified", "evidence": {"invoice": "unreadable"}},
            "sender_unproven",
            id="sender_unproven, invoice_unreadable",
        ),
        pytest.param(
            {"sender": "mismatched", "evidence": {"invoice": "mismatched"}},
            "sender_unproven",
            id="sender_unproven, invoice_mismatched",
        ),
        pytest.param(
            {"evidence": {"invoice": "mismatched"}, "order": {"refunded": "86.00"}},
            "invoice_mismatched",
            id="invoice_mismatched, already_refunded",
        ),
        pytest.param(
            {"order": {"refunded": "86.00", "status": "refunded"}},
            "already_refunded",
            id="already_refunded, order_cancelled",
        ),
        pytest.param(
            {"order": {"status": "cancelled"}, "claim": {"wants": "exchange"}},
            "order_cancelled",
            id="order_cancelled, other_remedy",
        ),
        pytest.param(
            {"claim": {"wants": "exchange", "reason": "customer_damage"}},
            "other_remedy",
            id="other_remedy, customer_damage",
        ),
        pytest.param(
            {"claim": {"wants": "repair", "reason": "quality_defect"}},
            "other_remedy",
            id="other_remedy, quality_review",
        ),
        pytest.param(
            {"claim": {"reason": "customer_damage"}, "order": {**HERE, **PAID_TODAY}},
            "customer_damage",
            id="customer_damage, although not even sent",
        ),
        pytest.param(
            {"claim": {"reason": "late_delivery"}, "order": {**HERE, **PAID_TODAY}},
            "logistics_review",
            id="logistics_review, although it could be cancelled",
        ),
        pytest.param(
            {"claim": {"reason": "quality_defect"}, "order": {**HERE, **PAID_TODAY}},
            "quality_date_unknown",
            id="quality_date_unknown, although it could be cancelled",
        ),
        pytest.param(
            {"order": {**UNDATED, **PAID_TODAY}}, "return_date_unknown", id="return_date_unknown, cancel_in_transit"
        ),
        pytest.param(
            {"order": {**PAID_TODAY, "shipped_at": None, "delivered_at": "2026-03-10T08:30:00Z"}},
            "return",
            id="return, although paid today",
        ),
        pytest.param(
            {"requested_at": PASSED, "claim": {"item_used": True, "reason": "natural_variation"}},
            "natural_variation",
            id="natural_variation, used_or_altered",
        ),
        pytest.param(
            {"requested_at": PASSED, "claim": {"item_used": True, "reason": "ring_opening"}},
            "ring_opening",
            id="ring_opening, used_or_altered",
        ),
        pytest.param(
            {"requested_at": PASSED, "claim": {"item_used": True, "original_box": False}},
            "return_window_passed",
            id="return_window_passed, used_or_altered",
        ),
        pytest.param(
            {"claim": {"item_altered": True, "original_box": False}},
            "used_or_altered",
            id="used_or_altered, no_original_box",
        ),
    ],
)
def test_the_first_of_two_rows_that_match_answers(changes: Form, rule: str, decided: Decided) -> None:
    assert decided(**changes)["rule"] == rule


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        pytest.param({}, [], id="all there"),
        pytest.param({"order": None}, ["order_number"], id="number unknown to the book"),
        pytest.param({"evidence": {"invoice": "absent"}}, ["invoice"], id="no invoice"),
        pytest.param(
            {"order": None, "evidence": {"order_number": None, "invoice": "absent"}},
            ["order_number", "invoice"],
            id="nothing at all, the number asked for first",
        ),
        pytest.param(
            {"order": None, "claim": {"mentions_dispute": True}},
            ["order_number"],
            id="reported though a dispute decides",
        ),
    ],
)
def test_missing_names_what_the_customer_has_yet_to_send(changes: Form, missing: list[str], decided: Decided) -> None:
    assert decided(**changes)["missing"] == missing


def test_the_example_of_the_policy_page_is_answered_as_the_page_says(decided: Decided) -> None:
    assert decided() == {
        "outcome": "approve_return",
        "rule": "return",
        "clauses": ["C6", "C10", "C12", "C13", "C14"],
        "escalation": None,
        "missing": [],
        "proposal": None,
        "settlement": {
            "currency": "USD",
            "items": "80.00",
            "outbound_shipping": "0.00",
            "transaction_fee": "-3.30",
            "already_refunded": "0.00",
            "cap_adjustment": "0.00",
            "refund": "76.70",
            "return_postage": "customer",
        },
        "received_on": "2026-03-06",
    }
