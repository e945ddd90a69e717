"""All that the policy may see: what the customer claims, what proves it, who asks, and the order.

In every class here ``None`` means that nobody knows; it never means "no".
Source: POLICY.md, Definitions and "``policy decide``: facts in, decision out".
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from mailbot.errors import InputError
from mailbot.model.money import Money

MAX_QUANTITY = 1_000_000
_HYPHENS = frozenset(
    "-\N{SOFT HYPHEN}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"
)


class Reason(StrEnum):
    """Why the customer writes, in the policy's words."""

    CHANGE_OF_MIND = "change_of_mind"
    MISTAKEN_ORDER = "mistaken_order"
    NATURAL_VARIATION = "natural_variation"
    RING_OPENING = "ring_opening"
    UNSPECIFIED = "unspecified"
    QUALITY_DEFECT = "quality_defect"
    CUSTOMER_DAMAGE = "customer_damage"
    WRONG_ITEM = "wrong_item"
    DAMAGED_IN_TRANSIT = "damaged_in_transit"
    NOT_DELIVERED = "not_delivered"
    LATE_DELIVERY = "late_delivery"


class Remedy(StrEnum):
    """What the customer wants done."""

    REFUND = "refund"
    CANCELLATION = "cancellation"
    EXCHANGE = "exchange"
    REPAIR = "repair"
    UNSPECIFIED = "unspecified"


class InvoiceStatus(StrEnum):
    """How the invoice that came with the mail compares with the order."""

    MATCHED = "matched"
    ABSENT = "absent"
    MISMATCHED = "mismatched"
    UNREADABLE = "unreadable"


class SenderStatus(StrEnum):
    """Whether the sender proved to be the order's customer (RELIABILITY.md, the sender table)."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    MISMATCHED = "mismatched"


class OrderStatus(StrEnum):
    """The order's state in the shop's book."""

    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class FactsError(InputError):
    """A fact that cannot be: ``path`` is the place in the JSON form, such as ``order.lines[0].quantity``."""

    def __init__(self, path: str, problem: str) -> None:
        """Keep the place apart from what is wrong there."""
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLine:
    """So many units of one order line that the claim is about."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one customer asks for, as read from the mail and not yet believed.

    Attributes:
        reason_confidence: 0 to 1; under the policy's ``min_confidence`` a person decides.
        received_on: as the customer states it, in the shop's time zone.
        repurchased: whether a mistaken order was bought again correctly (C10).
        lines: what the claim is about; empty means the whole order.
    """

    reason: Reason
    reason_confidence: float
    wants: Remedy = Remedy.UNSPECIFIED
    item_used: bool | None = None
    item_altered: bool | None = None
    original_box: bool | None = None
    received_on: date | None = None
    repurchased: bool | None = None
    mentions_dispute: bool | None = None
    lines: tuple[ClaimLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What came with the claim.

    Attributes:
        order_number: as given by the customer, known to the order book or not.
        photos: how many pictures came that are not the invoice.
    """

    order_number: str | None
    invoice: InvoiceStatus
    photos: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of an order.

    Attributes:
        discount: for all units of the line together, as is ``tax``.
    """

    sku: str
    quantity: int
    unit_price: Money
    discount: Money
    tax: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One sale as the order book knows it; all amounts are in ``currency``.

    Attributes:
        captured: what the customer has paid; ``refunded`` is what went back already.
        transaction_fee: what the payment service kept; ``None`` if the book does not record it.
    """

    number: str
    status: OrderStatus
    paid_at: datetime
    shipped_at: datetime | None
    delivered_at: datetime | None
    currency: str
    shipping: Money
    captured: Money
    refunded: Money
    payment_method: str
    transaction_fee: Money | None
    dispute_open: bool
    lines: tuple[OrderLine, ...]

    def __post_init__(self) -> None:
        """Refuse a parcel that arrived before it was paid for."""
        if self.delivered_at is not None and self.delivered_at < self.paid_at:
            raise FactsError("order.delivered_at", "lies before order.paid_at; an order is paid before it is delivered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a decision is made of; the same facts and policy always give the same decision.

    Attributes:
        requested_at: when the first message of the case that asked for something arrived.
        order: the order that the claim is about; ``None`` if none is given or the book has none such.
    """

    requested_at: datetime
    claim: Claim
    evidence: Evidence
    sender: SenderStatus
    order: Order | None

    def __post_init__(self) -> None:
        """Refuse a claim for goods that the order does not hold, and evidence of another order."""
        if self.order is None:
            return
        given = self.evidence.order_number
        if given is not None and number_key(given) != number_key(self.order.number):
            raise FactsError("evidence.order_number", f"{given!r} is not the order given, {self.order.number!r}")
        claimed: dict[str, int] = {}
        for place, line in enumerate(self.claim.lines):
            bought = [bought for bought in self.order.lines if bought.sku == line.sku]
            if len(bought) != 1:
                problem = f"sku {line.sku!r} names {len(bought)} lines of the order; it must name one"
                raise FactsError(f"claim.lines[{place}].sku", problem)
            claimed[line.sku] = claimed.get(line.sku, 0) + line.quantity
            if claimed[line.sku] > bought[0].quantity:
                problem = f"{claimed[line.sku]} of {line.sku!r} claimed, {bought[0].quantity} ordered"
                raise FactsError(f"claim.lines[{place}].quantity", problem)


def number_key(number: str) -> str:
    """An order or invoice number as it is compared: without case, spaces and hyphens of any script (CONTRACT.md)."""
    return "".join(sign for sign in number if not (sign.isspace() or sign in _HYPHENS)).upper()
