"""Which numbers a document names: its own, and those of orders."""

import re
from collections.abc import Iterator, Sequence

from mailbot.model.facts import number_key
from mailbot.understand.invoice_lexicon import Label, LabelKind
from mailbot.understand.invoice_rows import NUMBER_LABELS, Row, columns

_ORDERS = frozenset({LabelKind.ORDER_NUMBER, LabelKind.ORDER_WORD})
_OWN = frozenset({LabelKind.INVOICE_NUMBER, LabelKind.INVOICE})
_TITLES_WITH_NUMBER = frozenset({LabelKind.INVOICE, LabelKind.CREDIT})
_WEAKER = frozenset({LabelKind.CREDIT_NUMBER, LabelKind.PAPER_NUMBER})
_GAP = re.compile(r"[\s:.#°=\->]{0,4}(?:\([^()]{0,40}\)[\s:.#°]{0,4}){0,2}")
_NUMBER = re.compile(r"(?:[A-Z]{1,4} (?=\w*[/.-]?\d))?[^\W_](?:[\w./#\-]{0,38}\w)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SHORTEST_UNLABELLED = 3

Numbers = Sequence[tuple[LabelKind, str]]


def find_numbers(rows: Sequence[Row]) -> Numbers:
    """Every labelled number with what labels it: in the same row, at the end of the row above, or over its column."""
    return list(_labelled(rows))


def own_number(numbers: Numbers, rows: Sequence[Row]) -> str | None:
    """The document's number as printed.

    Labelled as an invoice's, else behind the title, else labelled as a paper's, else behind a mere "No." in a row.
    """
    labelled = (value for kind, value in numbers if kind in _OWN)
    titled = (value for row in rows if (value := _in_title(row)) is not None)
    others = (value for kind, value in numbers if kind in _WEAKER)
    alone = (value for row in rows if (value := _behind_number_word(row)) is not None)
    return next((value for values in (labelled, titled, others, alone) for value in values), None)


def order_references(numbers: Numbers) -> tuple[str, ...]:
    """The order numbers that the document names, as printed, each once."""
    return tuple({number_key(value): value for kind, value in numbers if kind in _ORDERS}.values())


def _labelled(rows: Sequence[Row]) -> Iterator[tuple[LabelKind, str]]:
    for row, below in zip(rows, [*rows[1:], None], strict=False):
        table = columns(row, below)
        yield from ((label.kind, value) for label, value in table if isinstance(value, str))
        for label in row.labels if not table else ():
            if label.kind is LabelKind.ORDER and (value := _at(row, label.end)) is not None and _stands_alone(value):
                yield LabelKind.ORDER_WORD, value
            elif label.kind in NUMBER_LABELS:
                value = _at(row, label.end)
                if value is None and below is not None and _ends_with(row, label) and not _starts_with_label(below):
                    value = _at(below, 0)
                if value is not None and (label.kind is not LabelKind.ORDER_WORD or _stands_alone(value)):
                    yield label.kind, value


def _in_title(row: Row) -> str | None:
    """The number behind the word for the paper, with or without a word for "number" between: ``Invoice INV-1``."""
    labels = [label for label in row.labels if label.kind is not LabelKind.SELF_BILLED]
    for label, following in zip(labels, [*labels[1:], None], strict=False):
        if label.kind in _TITLES_WITH_NUMBER:
            if following is not None and following.kind is LabelKind.NUMBER_WORD:
                return _at(row, following.end)
            value = _at(row, label.end)
            if value is not None and _stands_alone(value, ends_row=row.line[label.end :].strip() == value):
                return value
    return None


def _behind_number_word(row: Row) -> str | None:
    first = row.labels[0] if row.labels else None
    if first is None or first.kind is not LabelKind.NUMBER_WORD or first.start > 0:
        return None
    value = _at(row, first.end)
    return value if value is not None and _stands_alone(value) else None


def _at(row: Row, place: int) -> str | None:
    gap = _GAP.match(row.line, place)
    match = _NUMBER.match(row.line, gap.end() if gap else place)
    if match is None or not any(map(str.isdigit, match[0])):
        return None
    taken = [(found.start, found.end) for found in row.dates]
    taken += [(each.start, each.end) for each in row.amounts if each.meanings and (each.fraction or " " in match[0])]
    return None if any(start < match.end() and match.start() < end for start, end in taken) else match[0]


def _stands_alone(value: str, *, ends_row: bool = False) -> bool:
    return (ends_row or len(value) >= _SHORTEST_UNLABELLED) and not _YEAR.fullmatch(value)


def _ends_with(row: Row, label: Label) -> bool:
    return not any(map(str.isalnum, row.line[label.end :]))


def _starts_with_label(row: Row) -> bool:
    return any(not _WORD.search(row.line[: label.start]) for label in row.labels[:1])
