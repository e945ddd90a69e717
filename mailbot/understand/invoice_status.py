"""How the invoices that came with a mail compare with the order that it is about."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from mailbot.model.facts import InvoiceStatus, Order, number_key
from mailbot.model.money import Money
from mailbot.model.reading import InvoiceReading

_BEST_FIRST = (InvoiceStatus.MATCHED, InvoiceStatus.UNREADABLE, InvoiceStatus.MISMATCHED)


def weigh_invoices(
    invoices: Sequence[InvoiceReading], order: Order, invoice_number: str | None
) -> tuple[InvoiceStatus, InvoiceReading | None]:
    """Compare what came with an order, and give the reading that says so.

    ``MATCHED``: one names the order, or the invoice number that the book has for it, and comes to what the order came
    to, in the order's currency. ``MISMATCHED``: each names another number and no order, or another order, or another
    amount or currency. ``UNREADABLE``: of one, that cannot be told. ``ABSENT``: nothing came that may be an invoice;
    credit notes and delivery notes are none. Of several the best counts: matched, then unreadable, then mismatched.

    Numbers compare by ``number_key``. What an order came to is what was captured, or the sum of its lines and its
    postage where the two differ (a gift card, a later refund of postage); there is no other tolerance, not even a cent.

    Args:
        invoices: as read from the mail.
        order: the order that the claim is about.
        invoice_number: that the order book records for it; ``None`` if it records none.

    Source: C8; POLICY.md, row 4.
    """
    weighed = [(_weigh(invoice, order, invoice_number), invoice) for invoice in invoices if not invoice.credit_note]
    for wanted in _BEST_FIRST:
        for status, invoice in weighed:
            if status is wanted:
                return status, invoice
    return InvoiceStatus.ABSENT, None


def weigh_without_order(invoices: Sequence[InvoiceReading]) -> InvoiceStatus:
    """Tell whether anything came that may be an invoice, where no order is known to compare it with.

    ``ABSENT`` or ``UNREADABLE``: without an order row 2 of the decision table asks only whether something came.

    Source: POLICY.md, row 2.
    """
    came = any(not invoice.credit_note for invoice in invoices)
    return InvoiceStatus.UNREADABLE if came else InvoiceStatus.ABSENT


def reference_totals(order: Order) -> frozenset[Money]:
    """What an order came to: the payment captured, and the sum of lines and postage, which are mostly the same."""
    return frozenset({order.captured, Money.rounded(sum(_parts(order), Decimal(0)), order.currency)})


def _parts(order: Order) -> Iterator[Decimal]:
    yield order.shipping.amount
    for line in order.lines:
        yield line.unit_price.amount * line.quantity + line.tax.amount - line.discount.amount


def _weigh(invoice: InvoiceReading, order: Order, invoice_number: str | None) -> InvoiceStatus:
    if invoice.unreadable is not None:
        return InvoiceStatus.UNREADABLE
    named, amount = _names(invoice, order, invoice_number), _comes_to(invoice, order)
    if named and amount:
        return InvoiceStatus.MATCHED
    return InvoiceStatus.MISMATCHED if False in {named, amount} else InvoiceStatus.UNREADABLE


def _names(invoice: InvoiceReading, order: Order, invoice_number: str | None) -> bool | None:
    """Whether an invoice is this order's; ``None`` where it names nothing that the book could be asked for."""
    same_number: bool | None = None
    if invoice.number is not None and invoice_number is not None:
        same_number = number_key(invoice.number) == number_key(invoice_number)
    if same_number or number_key(order.number) in invoice.order_keys:
        return True
    return False if invoice.order_keys else same_number


def _comes_to(invoice: InvoiceReading, order: Order) -> bool | None:
    if invoice.amount is None or invoice.currency is None:
        return None
    totals = {total.amount for total in reference_totals(order)}
    return invoice.currency == order.currency and invoice.amount in totals
