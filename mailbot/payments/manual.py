"""Refunds that a person pays: the payments to make, as a table for a spreadsheet. Source: P4, provider "manual"."""

import csv
import io
from collections.abc import Iterable

from mailbot.model.refund import RefundOrder

_COLUMNS = ("case", "order", "payment_method", "amount", "currency", "key")
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\0")


def write_payments(orders: Iterable[RefundOrder]) -> str:
    """The payments to make, one a row (CSV, RFC 4180), each to the payment that its order was paid by (I8).

    No cell can become a formula, and none comes from a mail.
    """
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(_COLUMNS)
    for order in orders:
        cells = (order.case_number, order.capture, order.method, str(order.amount), order.amount.currency, order.key)
        rows.writerow([_harmless(cell) for cell in cells])
    return table.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell
