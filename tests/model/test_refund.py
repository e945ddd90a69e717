"""A refund's life: what may follow what, and the frozen order to pay it."""

from itertools import product

import pytest

from mailbot.model.money import Money
from mailbot.model.refund import (
    PAID,
    PROMISED,
    REFUND_TRANSITIONS,
    IllegalRefundError,
    RefundOrder,
    RefundState,
    next_refund_state,
    parse_refund_order,
)

ORDER = RefundOrder(
    key="mailbot-1-1-1",
    case_number="RF-000001",
    capture="AW-10001",
    method="paypal",
    amount=Money.parse("82.70", "USD"),
)


@pytest.mark.parametrize(("state", "to"), list(product(RefundState, RefundState)))
def test_a_refund_goes_where_its_state_leads_and_nowhere_else(state: RefundState, to: RefundState) -> None:
    if to in REFUND_TRANSITIONS[state]:
        assert next_refund_state("k", state, to) is to
        return
    with pytest.raises(IllegalRefundError, match=f"refund k is {state} and cannot become {to}"):
        next_refund_state("k", state, to)


def test_what_was_paid_is_never_due_again() -> None:
    for state in PAID:
        assert REFUND_TRANSITIONS[state].isdisjoint(PROMISED | {RefundState.CANCELLED})


def test_what_may_have_been_paid_is_never_called_off() -> None:
    for state in (RefundState.SUBMITTING, RefundState.UNKNOWN):
        assert RefundState.CANCELLED not in REFUND_TRANSITIONS[state]


def test_only_a_looked_for_refund_goes_back_to_be_paid_once_it_was_handed_over() -> None:
    back = {state for state in RefundState if RefundState.DUE in REFUND_TRANSITIONS[state]}
    assert back == {RefundState.AWAITING_APPROVAL, RefundState.HELD, RefundState.UNKNOWN, RefundState.REFUSED}


def test_an_order_to_pay_is_the_same_bytes_at_every_try_and_names_its_sum() -> None:
    body = ORDER.body()
    assert parse_refund_order(body) == ORDER
    assert parse_refund_order(body).body() == body
    assert '"amount": "82.70"' in body
    assert '"currency": "USD"' in body
