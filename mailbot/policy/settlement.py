"""What is owed, line by line, exactly to the minor unit. Source: POLICY.md, Settlement."""

from dataclasses import dataclass, replace
from decimal import Decimal
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRule:
    """When the buyer bears the payment service's fee, and the clause that says so; otherwise the shop bears it."""

    tests: tuple[Test[Ground], ...]
    clause: str


def settle(ground: Ground, terms: SettlementTerms, *, buyer_bears_fee: bool) -> Settlement | None:
    """Work out the refund under one settlement of the policy.

    Returns:
        ``None`` where the buyer bears a fee that the order does not record, or where there is no order.

    Source: POLICY.md, Settlement; ``items + outbound_shipping + transaction_fee + already_refunded +
    cap_adjustment = refund``, and ``0 <= refund <= captured - refunded``.
    """
    order, nothing = ground.order, _NOTHING
    if order is None:
        return None
    fee = nothing
    if buyer_bears_fee and terms.transaction_fee is FeeBearer.BY_RULE:
        if order.transaction_fee is None:
            return None
        fee = 0 - order.transaction_fee.amount
    items = sum((_line_refund(line, _claimed(ground, line)) for line in order.lines), start=nothing)
    ships = ground.whole_order and terms.outbound_shipping is OutboundShipping.REFUNDED
    shipping = order.shipping.amount if ships else nothing
    refunded = 0 - order.refunded.amount if ground.whole_order else nothing
    owed = items + shipping + fee + refunded
    refund = max(nothing, min(owed, order.captured.amount - order.refunded.amount))
    return Settlement(
        items=Money.rounded(items, order.currency),
        outbound_shipping=Money.rounded(shipping, order.currency),
        transaction_fee=Money.rounded(fee, order.currency),
        already_refunded=Money.rounded(refunded, order.currency),
        cap_adjustment=Money.rounded(refund - owed, order.currency),
        refund=Money.rounded(refund, order.currency),
        return_postage=terms.return_postage,
    )


def resettled(settlement: Settlement, order: Order, *, outbound_shipping: Money, transaction_fee: Money) -> Settlement:
    """A settlement with shipping and fee as a person set them, held between 0 and what is left of the payment."""
    nothing = Money.zero(order.currency)
    owed = settlement.items + outbound_shipping + transaction_fee + settlement.already_refunded
    refund = max(nothing, min(owed, order.captured - order.refunded))
    return replace(
        settlement,
        outbound_shipping=outbound_shipping,
        transaction_fee=transaction_fee,
        cap_adjustment=refund - owed,
        refund=refund,
    )


_NOTHING = Decimal(0)


def _line_refund(line: OrderLine, claimed: int) -> Decimal:
    share = (line.tax.amount - line.discount.amount) * claimed / line.quantity
    return Money.rounded(line.unit_price.amount * claimed + share, line.unit_price.currency).amount


def _claimed(ground: Ground, line: OrderLine) -> int:
    lines = ground.facts.claim.lines
    return sum(claimed.quantity for claimed in lines if claimed.sku == line.sku) if lines else line.quantity
