"""Which pieces an invoice sells: its rows of goods, with what each of them cost."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from mailbot.model.reading import GoodsRow
from mailbot.understand.amounts import Amount
from mailbot.understand.invoice_lexicon import LabelKind
from mailbot.understand.invoice_rows import Row

MOST_GOODS = 100
_LONGEST_TEXT = 200
_BESIDE_GOODS = frozenset({LabelKind.OTHER_NUMBER, LabelKind.NUMBER_WORD, LabelKind.CURRENCY})
_TIMES = re.compile(r"(?<![\w.,])(\d{1,3}) ?[x\u00d7*](?![^\W\d])|(?<!\w)[x\u00d7] ?(\d{1,3})(?![\w.,])", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}|[\u3040-\u30ff\u4e00-\u9fff]")
_EDGES = " \t\n|:;,-*@="
_MOST_PIECES = 99
_ANY_WITH_CENTS = "EUR"


def goods_of(rows: Sequence[Row], currency: str | None) -> tuple[GoodsRow, ...]:
    """The rows that name something and what it costs; totals, postage, taxes and numbers are labelled, and none.

    Args:
        rows: of the paper.
        currency: of the paper.
    """
    return tuple(_goods(rows, currency or _ANY_WITH_CENTS))[:MOST_GOODS]


def _goods(rows: Sequence[Row], currency: str) -> Iterator[GoodsRow]:
    for row in rows:
        if not row.amounts or row.dates or any(label.kind not in _BESIDE_GOODS for label in row.labels):
            continue
        times = _TIMES.search(row.line)
        numbers, prices = _apart(row.amounts, currency)
        if not prices or min(prices) < 0 or not _WORD.search(row.line):
            continue
        quantity = int(times[1] or times[2]) if times else _quantity(numbers, prices)
        yield GoodsRow(text=_name(row, times), quantity=quantity, amounts=tuple(prices))


def _name(row: Row, times: re.Match[str] | None) -> str:
    """A row without its numbers of pieces and prices."""
    counted = [(amount.start, amount.end) for amount in row.amounts]
    counted += [times.span()] if times else []
    kept, place = [], 0
    for start, end in sorted(counted):
        kept.append(row.line[place:start])
        place = max(place, end)
    return " ".join(" ".join((*kept, row.line[place:])).strip(_EDGES).split())[:_LONGEST_TEXT]


def _apart(amounts: Sequence[Amount], currency: str) -> tuple[list[int], list[Decimal]]:
    """Whole numbers that may count pieces, and prices: what is marked, has decimals, or is too much to count."""
    numbers: list[int] = []
    prices: list[Decimal] = []
    for amount in amounts:
        value = amount.value(currency)
        if value is None:
            continue
        if amount.meanings or amount.fraction or value > _MOST_PIECES:
            prices.append(value)
        else:
            numbers.append(int(value))
    return numbers, prices


def _quantity(numbers: Sequence[int], prices: Sequence[Decimal]) -> int | None:
    """How many pieces a row sells: what leads from one of its prices to another; one where nothing is counted."""
    fitting = {count for count in numbers if count > 1 and any(price * count in prices for price in prices)}
    if len(fitting) == 1:
        return fitting.pop()
    if 1 in numbers or not numbers:
        return 1
    return None
