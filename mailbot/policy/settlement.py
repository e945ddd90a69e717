"""What is owed, line by line, exactly to the minor unit. Source: POLICY.md, Settlement."""

from dataclasses import dataclass
from enum import StrEnum

from mailbot.model.decision import Outcome, ReturnPostage, Settlement
from mailbot.model.facts import Order, OrderLine
from mailbot.model.money import Money
from mailbot.policy.conditions import Ground
from mailbot.policy.rules import Test


class OutboundShipping(StrEnum):
    """Whether the shop gives back what sending the goods had cost."""

    REFUNDED = "refunded"
    KEPT = "kept"


class FeeBearer(StrEnum):
    """Who bears the payment service's fee."""

    BY_RULE = "by_rule"
    SHOP = "shop"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementTerms:
    """One ``[[settlement]]`` of the policy file: what a refund of this outcome is made of."""

    outcome: Outcome
    tests: tuple[Test[Ground], ...]
    outbound_shipping: OutboundShipping
    transaction_fee: FeeBearer
    return_postage: ReturnPostage


def settle(ground: Ground, terms: SettlementTerms, *, buyer_bears_fee: bool) -> Settlement | None:
    """Work out the refund under one settlement of the policy.

    Returns:
        ``None`` where the buyer bears a fee that the order does not record, or where there is no order.

    Source: POLICY.md, Settlement; ``items + outbound_shipping + transaction_fee + already_refunded +
    cap_adjustment = refund``, and ``0 <= refund <= captured - refunded``.
    """
    order = ground.order
    if order is None:
        return None
    nothing = Money.zero(order.currency)
    fee = nothing
    if buyer_bears_fee and terms.transaction_fee is FeeBearer.BY_RULE:
        if order.transaction_fee is None:
            return None
        fee = -order.transaction_fee
    items = sum((_line_refund(line, _claimed(ground, line)) for line in order.lines), start=nothing)
    ships = ground.whole_order and terms.outbound_shipping is OutboundShipping.REFUNDED
    shipping = order.shipping if ships else nothing
    refunded = -order.refunded if ground.whole_order else nothing
    owed = items + shipping + fee + refunded
    refund = max(nothing, min(owed, _left(order)))
    return Settlement(
        items=items,
        outbound_shipping=shipping,
        transaction_fee=fee,
        already_refunded=refunded,
        cap_adjustment=refund - owed,
        refund=refund,
        return_postage=terms.return_postage,
    )


def _line_refund(line: OrderLine, claimed: int) -> Money:
    share = (line.tax.amount - line.discount.amount) * claimed / line.quantity
    return Money.rounded(line.unit_price.amount * claimed + share, line.unit_price.currency)


def _claimed(ground: Ground, line: OrderLine) -> int:
    lines = ground.facts.claim.lines
    return sum(claimed.quantity for claimed in lines if claimed.sku == line.sku) if lines else line.quantity


def _left(order: Order) -> Money:
    return order.captured - order.refunded
