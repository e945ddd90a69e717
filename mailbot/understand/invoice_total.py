"""What a document came to: the grand total among subtotals, taxes, postage, deposits and payments."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from mailbot.model.money import DECIMALS
from mailbot.understand.amounts import Amount, Marks
from mailbot.understand.invoice_lexicon import InvoiceLexicon, Label, LabelKind
from mailbot.understand.invoice_rows import Row

_RANKS = {LabelKind.GRAND_TOTAL: 4, LabelKind.TOTAL: 3, LabelKind.DUE: 1, LabelKind.PAID: 0}
_RANK_UNDER_A_HEADING = 2
_MONEY = frozenset({*_RANKS, LabelKind.PART})
_CODE_BESIDE = re.compile(r"[ \t:=(]{0,4}(?:in )?([A-Z]{3}|[€£$])(?![^\W_])")
_CODE_APART = re.compile(r"(?:\(|/|\bin )([A-Z]{3})(?![^\W_])")
_LONE_SIGN = re.compile(r"[€£₹₩₪₽₺₫฿₱₦₴₸]")
_ANY_WITH_CENTS = "EUR"
_WORDS = re.compile(r"[^\W\d_]{2,}")
_BRACKETED = re.compile(r"\([^()]{0,60}\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A document's gross total.

    Attributes:
        currency: ``None`` where neither the amount nor the document says which.
        marked: the currency stands next to the amount.
    """

    amount: Decimal
    currency: str | None
    marked: bool


class Currencies:
    """Which currency an amount of one document is in.

    A mark next to the amount says so. One that may mean several is settled by what else the document says, then
    by its language, then by what it means most often. An amount without one is in the document's only currency.
    """

    def __init__(self, rows: Sequence[Row], language: str | None, lexicon: InvoiceLexicon) -> None:
        """Gather what the document says about its currency."""
        self.marks = lexicon.marks
        self._own = lexicon.own_currency.get(language or "")
        beside = [amount.currencies() for row in rows for amount in row.amounts if amount.meanings]
        declared = _declared(rows, lexicon)
        self._certain = {meanings[0] for meanings in beside if len(meanings) == 1} | declared
        shared = (self._settle(meanings, decimals=False) for meanings in beside if len(meanings) > 1)
        signs = (sign for row in rows for sign in _LONE_SIGN.findall(row.line))
        alone = {lexicon.marks.meaning(sign, decimals=True)[0] for sign in signs}
        said = declared or self._certain | {code for code in shared if code} or alone
        self.only = said.pop() if len(said) == 1 else None

    def of(self, amount: Amount) -> str | None:
        """The currency of one amount; ``None`` where nobody can tell."""
        if not amount.meanings:
            return self.only
        meanings = amount.currencies()
        return self._settle(meanings, decimals=bool(amount.fraction)) if meanings else None

    def _settle(self, meanings: tuple[str, ...], *, decimals: bool) -> str | None:
        if decimals:
            meanings = tuple(code for code in meanings if not code or DECIMALS[code]) or meanings
        certain = [code for code in meanings if code in self._certain]
        if len(certain) == 1:
            return certain[0]
        return self._own if self._own in meanings else meanings[0] or None


def _declared(rows: Sequence[Row], lexicon: InvoiceLexicon) -> set[str]:
    """The currencies of which the document says that its amounts are in them, labelled ("Currency: EUR") or apart."""
    labelled, apart = set[str](), set[str]()
    for row in rows:
        for label in row.labels:
            place = _CODE_BESIDE.match(row.line, label.end) if label.kind is LabelKind.CURRENCY else None
            labelled.update(lexicon.marks.meaning(place[1], decimals=False) if place else ())
        for code in _CODE_APART.findall(row.line):
            apart.update(lexicon.marks.meaning(code, decimals=False))
    return labelled or apart


def find_total(rows: Sequence[Row], currencies: Currencies) -> Total | None:
    """The gross total of a document, or ``None`` where none is labelled or its labels contradict one another.

    A grand total beats a plain one, that beats a figure under a heading, then what is due, then what was paid; nothing
    due or paid says nothing. Of totals that differ the last is taken if it is the largest: goods are totalled before
    postage is added. Totals in two currencies contradict one another. Where nothing is labelled, a lone amount counts.
    """
    labelled = [(rank, _as_total(amount, currencies)) for rank, amount in _labelled(rows, currencies.marks)]
    labelled = labelled or [(_RANKS[LabelKind.PAID], _as_total(amount, currencies)) for amount in _alone(rows)]
    found = [
        (rank, total)
        for rank, total in labelled
        if total is not None and (rank > _RANKS[LabelKind.DUE] or total.amount > 0)
    ]
    best = max((rank for rank, _ in found), default=0)
    totals = [total for rank, total in found if rank == best]
    if not totals or len({total.currency for total in totals if total.currency}) > 1:
        return None
    largest = max(total.amount for total in totals)
    same = [total for total in totals if total.amount == largest]
    return max(same, key=lambda total: (total.currency is not None, total.marked)) if totals[-1] in same else None


def _alone(rows: Sequence[Row]) -> Iterator[Amount]:
    """The one amount of a paper that names no other, if it stands in a line of its own: a receipt written by hand."""
    marked = [(row, amount) for row in rows for amount in row.amounts if amount.meanings]
    if len(marked) == 1 and not any(map(str.isalnum, _around(*marked[0]))):
        yield marked[0][1]


def _around(row: Row, amount: Amount) -> str:
    return row.line[: amount.start] + row.line[amount.end :]


def _as_total(amount: Amount, currencies: Currencies) -> Total | None:
    currency = currencies.of(amount)
    marked = bool(amount.meanings)
    if not marked and not amount.fraction and not (currency and not DECIMALS[currency]):
        return None
    value = amount.value(currency or _ANY_WITH_CENTS)
    return None if value is None else Total(amount=value, currency=currency, marked=marked)


def _labelled(rows: Sequence[Row], marks: Marks) -> Iterator[tuple[int, Amount]]:
    for place, row in enumerate(rows):
        money = [label for label in row.labels if label.kind in _MONEY and not _included(row, label)]
        if len(money) > 1 and not row.amounts:
            yield from _under_headings(money, rows[place + 1 :])
            continue
        for label, following in zip(money, [*money[1:], None], strict=False):
            if label.kind in _RANKS:
                end = following.start if following else len(row.line)
                amounts = _outside_brackets(row, [each for each in row.amounts if label.end <= each.start < end])
                alone = following is None and not _WORDS.search(_BRACKETED.sub("", row.line[label.end :]))
                if not amounts and alone and _only_amounts(rows[place + 1 : place + 2]):
                    amounts = [*rows[place + 1].amounts]
                amount = _one_of(amounts)
                if amount is not None and not _without(row, label, amount):
                    yield _RANKS[label.kind], _marked(amount, row, label, marks)


def _marked(amount: Amount, row: Row, label: Label, marks: Marks) -> Amount:
    """The amount with the currency that stands beside its label instead: "Total (EUR) 86.00"."""
    code = None if amount.meanings else _CODE_BESIDE.match(row.line, label.end)
    meanings = marks.meaning(code[1], decimals=bool(amount.fraction)) if code else ()
    return replace(amount, meanings=(meanings,)) if meanings else amount


def _included(row: Row, label: Label) -> bool:
    """Whether a label only says what the total before it includes: "Total (incl. postage and VAT) 86.00"."""
    total = next((each.end for each in row.labels if each.kind in _RANKS), len(row.line))
    words = [each.end for each in row.labels if each.kind is LabelKind.INCLUDING and total <= each.start < label.start]
    if label.kind is not LabelKind.PART or not words:
        return False
    return not any(words[-1] <= amount.start < label.start for amount in row.amounts)


def _without(row: Row, label: Label, amount: Amount) -> bool:
    return any(each.kind is LabelKind.WITHOUT and label.end <= each.start < amount.start for each in row.labels)


def _outside_brackets(row: Row, amounts: list[Amount]) -> list[Amount]:
    """Those that no bracket holds; all where a bracket holds every one: "86,00 € (inkl. 13,73 € MwSt.)"."""
    brackets = [match.span() for match in _BRACKETED.finditer(row.line)]
    outside = [each for each in amounts if not any(start < each.start < end for start, end in brackets)]
    return outside or amounts


def _under_headings(money: list[Label], below: Sequence[Row]) -> Iterator[tuple[int, Amount]]:
    """The last row of figures under a row of headings, the sum of the others; columns count from the right."""
    last: Row | None = None
    for row in below:
        if not _only_amounts([row]):
            break
        last = row
    for column, label in enumerate(reversed(money), 1):
        if last is not None and label.kind in _RANKS and len(last.amounts) >= column:
            yield _RANK_UNDER_A_HEADING, last.amounts[-column]


def _only_amounts(rows: Sequence[Row]) -> bool:
    """Whether there is a row, and it holds nothing but amounts, percentages and signs."""
    if not rows or not rows[0].amounts:
        return False
    rest = rows[0].line
    for amount in reversed(rows[0].amounts):
        rest = rest[: amount.start] + rest[amount.end :]
    return not _WORDS.search(rest)


def _one_of(amounts: Sequence[Amount]) -> Amount | None:
    """The one amount that follows a label; of net, tax and gross in a row the gross; of two currencies none."""
    marked = [amount for amount in amounts if amount.meanings]
    if len({(amount.whole, amount.fraction, amount.negative) for amount in amounts}) == 1:
        return (marked or amounts)[0]
    if len(amounts) > len(("net", "gross")):
        values = [amount.value(_ANY_WITH_CENTS) for amount in amounts]
        if None not in values and values[-1] == sum(value for value in values[:-1] if value):
            return amounts[-1]
    return marked[0] if len(marked) == 1 else None
