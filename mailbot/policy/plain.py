"""The policy's tests in words that a shop's owner reads."""

from collections.abc import Iterable
from typing import Any

from mailbot.model.decision import Answer, Outcome
from mailbot.policy.rules import Row, Test
from mailbot.policy.terms import Terms

# What a condition means where it answers yes, no and "nobody knows"; or a text with the answers put in.
_PHRASES: dict[str, tuple[str, str, str] | str] = {
    "disputed": ("a dispute is open, announced or mentioned", "there is no dispute", ""),
    "evidence_complete": ("the order and an invoice are known", "the order or the invoice is missing", ""),
    "order_number_given": ("an order number is given", "no order number is given", ""),
    "invoice": "the invoice is {}",
    "sender": "the sender is {}",
    "money_left": ("some of the payment is left", "all of the payment has gone back", "the payment is unknown"),
    "order_status": "the order is {}",
    "wants": "the customer wants {}",
    "reason": "the reason is {}",
    "returnable": ("the reason is one for a return", "the reason is none for a return", ""),
    "logistics": ("the parcel went wrong", "the parcel did not go wrong", ""),
    "dispatched": ("the goods have left", "the goods have not left", "nobody knows whether the goods have left"),
    "in_guarantee": (
        "within {guarantee_months} months of receipt",
        "later than {guarantee_months} months after receipt",
        "the day of receipt is unknown (guarantee)",
    ),
    "in_cancel_window": (
        "within {cancel_days} days of payment",
        "later than {cancel_days} days after payment",
        "the day of payment is unknown",
    ),
    "in_return_window": (
        "within {return_days} days of receipt",
        "later than {return_days} days after receipt",
        "the day of receipt is unknown",
    ),
    "used_or_altered": (
        "the customer says used, installed or modified",
        "the customer says unused and unmodified",
        "the customer does not say whether it was used",
    ),
    "original_box": (
        "the original box is there",
        "the original box is gone",
        "the customer does not say whether the box is there",
    ),
    "payment_method": "paid by {}",
    "whole_order": ("about the whole order", "about a part of the order", ""),
    "mistake_repurchased": ("a mistaken order that was bought again", "not a mistaken order bought again", ""),
    "row_outcome": "the row decides {}",
    "row_escalates": ("the row hands over to a person", "the row decides by itself", ""),
    "row_approves": ("the row approves", "the row does not approve", ""),
    "confident": (
        "the reason was read with at least {min_confidence:.0%} certainty",
        "the reason was read with less than {min_confidence:.0%} certainty",
        "",
    ),
    "settlement_known": ("the sum is known", "the sum is not known", ""),
    "within_auto_approve_limit": (
        "the refund is within the limit for automatic approval",
        "the refund is above the limit for automatic approval",
        "the refund is not known",
    ),
}
_ANSWERS: dict[Answer, int] = {True: 0, False: 1, None: 2}


def word(answer: Answer) -> str:
    """An answer as the policy file writes it: ``true``, ``unknown``, ``change_of_mind``."""
    return "unknown" if answer is None else str(answer).lower()


def phrase(test: Test[Any], terms: Terms) -> str:
    """One test in words, with the policy's own numbers in it."""
    text = _PHRASES[test.condition]
    if isinstance(text, str):
        return text.format(" or ".join(_spaced(answer) for answer in test.wanted))
    numbers = {name: getattr(terms, name) for name in ("guarantee_months", "cancel_days", "return_days")}
    phrases = [text[_ANSWERS[answer]] for answer in test.wanted]
    return " or ".join(phrases).format(**numbers, min_confidence=terms.min_confidence)


def phrases(tests: Iterable[Test[Any]], terms: Terms) -> str:
    """Tests in words; all of them must hold."""
    return "; ".join(phrase(test, terms) for test in tests) or "always"


def answer_of(row: Row) -> str:
    """What a row does, in words."""
    outcome = outcome_words(row.outcome)
    return f"{outcome}, proposing to {outcome_words(row.proposal)}" if row.proposal else outcome


def outcome_words(outcome: Outcome) -> str:
    """An outcome as a thing to do."""
    return {
        Outcome.APPROVE_CANCELLATION: "approve the cancellation",
        Outcome.APPROVE_RETURN: "approve the return",
        Outcome.REQUEST_INFO: "ask for what is missing",
        Outcome.VERIFY_SENDER: "ask the sender to prove who writes",
        Outcome.DECLINE: "decline",
        Outcome.ESCALATE: "hand over to a person",
        Outcome.REFUND: "refund",
    }[outcome]


def _spaced(answer: Answer) -> str:
    return word(answer).replace("_", " ")
