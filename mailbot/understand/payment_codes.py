"""Which sum a QR code for a bank transfer asks for: the European payment code, and the Swiss QR bill."""

import re
from dataclasses import dataclass
from decimal import Decimal

from mailbot.model.money import DECIMALS

_EUROPEAN, _SWISS = "BCD", "SPC"
_EUROPEAN_SUM, _SWISS_SUM, _SWISS_CURRENCY = 7, 18, 19
_SUM_AND_CODE = re.compile(r"([A-Z]{3})(\d{1,9}(?:\.\d{1,2})?)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What is to be paid."""

    amount: Decimal
    currency: str


def find_payment(code: str) -> Payment | None:
    """The sum that a payment code names, or ``None`` where it is another code or leaves the sum open.

    Source: EPC069-12, version 2.1, table 1 (amount on line 8); Swiss Implementation Guidelines QR-bill, version 2.3,
    table 8 (amount and currency on lines 19 and 20).
    """
    lines = [line.strip() for line in code.splitlines()]
    match lines:
        case [str(mark), *_] if mark == _EUROPEAN and len(lines) > _EUROPEAN_SUM:
            written = lines[_EUROPEAN_SUM]
        case [str(mark), *_] if mark == _SWISS and len(lines) > _SWISS_CURRENCY:
            written = lines[_SWISS_CURRENCY] + lines[_SWISS_SUM]
        case _:
            return None
    found = _SUM_AND_CODE.fullmatch(written)
    return Payment(amount=Decimal(found[2]), currency=found[1]) if found and found[1] in DECIMALS else None
