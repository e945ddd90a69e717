"""A document's text as rows: what each line announces, and which dates and amounts stand in it."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from mailbot.understand.amounts import Amount, find_amounts
from mailbot.understand.dates import FoundDate, find_dates
from mailbot.understand.invoice_lexicon import InvoiceLexicon, Label, LabelKind

MOST_TEXT = 200_000
PAPER_LABELS = frozenset(
    {LabelKind.INVOICE, LabelKind.ORDER, LabelKind.CREDIT, LabelKind.DELIVERY, LabelKind.OFFER, LabelKind.REMINDER}
)
NUMBER_LABELS = frozenset(
    {
        LabelKind.INVOICE_NUMBER,
        LabelKind.CREDIT_NUMBER,
        LabelKind.PAPER_NUMBER,
        LabelKind.ORDER_NUMBER,
        LabelKind.ORDER_WORD,
        LabelKind.OTHER_NUMBER,
    }
)
DATE_LABELS = frozenset({LabelKind.INVOICE_DATE, LabelKind.PLAIN_DATE, LabelKind.ORDER_DATE, LabelKind.OTHER_DATE})
_HEADINGS = NUMBER_LABELS | DATE_LABELS | {LabelKind.INVOICE}
_LONGEST_ROW = 1_000
_MOST_ROWS = 5_000
_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CELL_BORDER = re.compile(r" {2,}| ?[\t|│] ?")
_QUOTE_MARK = re.compile(r"(?:[ \t]?>){1,20} ?")
_SPACED_OUT = re.compile(r"(?<!\S)(?:[^\W\d_] ){3,40}[^\W\d_](?!\S)")
_PLAIN_SIGNS = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufffe", "-")
    | dict.fromkeys("\u2018\u2019\u201b\u00b4\u066c", "'")
    | {"\u066b": "."}
)
_FEWEST_COLUMNS = 2
_LONGEST_VALUE = 40
_EDGES = " \t*_-=•·"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a document; the places of what was found are in ``line``.

    Attributes:
        line: plain spaces, hyphens and ASCII digits; a tab where a cell of a table ends.
        start: where the line begins in the document's text.
    """

    line: str
    start: int
    labels: tuple[Label, ...]
    dates: tuple[FoundDate, ...]
    amounts: tuple[Amount, ...]


def read_rows(text: str, lexicon: InvoiceLexicon) -> list[Row]:
    """Every line of a text that is not blank, without marks of quoting; what is beyond 200 KB is not read."""
    return list(_with_values(list(read_lines(text, lexicon, bool)), lexicon))


def read_lines(text: str, lexicon: InvoiceLexicon, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """Those lines of a text that are wanted, each by itself."""
    start = 0
    for line in text[:MOST_TEXT].splitlines(keepends=True)[:_MOST_ROWS]:
        if wanted(line) and (plain := _plain(line[:_LONGEST_ROW])):
            yield _row(plain, start, lexicon)
        start += len(line)


def _with_values(rows: list[Row], lexicon: InvoiceLexicon) -> Iterator[Row]:
    """Join a column of labels with the column of values that follows it, row by row."""
    place = 0
    while place < len(rows):
        labels = list(takewhile(_is_bare_label, islice(rows, place, None)))
        values = list(takewhile(_is_bare_value, rows[place + len(labels) : place + 2 * len(labels)]))
        if len(labels) >= _FEWEST_COLUMNS and len(values) == len(labels):
            for label, value in zip(labels, values, strict=True):
                yield _row(f"{label.line}\t{value.line}", label.start, lexicon)
            place += 2 * len(labels)
        else:
            yield from labels or rows[place : place + 1]
            place += len(labels) or 1


def _is_bare_label(row: Row) -> bool:
    return len(row.labels) == 1 and row.labels[0].kind not in PAPER_LABELS and not _beside(row.line, row.labels)


def _is_bare_value(row: Row) -> bool:
    return not row.labels and any(map(str.isdigit, row.line)) and len(row.line) <= _LONGEST_VALUE


def _row(line: str, start: int, lexicon: InvoiceLexicon) -> Row:
    has_digit = any(map(str.isdigit, line))
    dates = find_dates(line, lexicon.month) if has_digit else []
    undated = line
    for found in dates:
        undated = undated[: found.start] + "\0" * (found.end - found.start) + undated[found.end :]
    return Row(
        line=line,
        start=start,
        labels=tuple(label for label in lexicon.labels(line) if _is_meant(label, line)),
        dates=tuple(dates),
        amounts=tuple(find_amounts(undated, lexicon.marks)) if has_digit else (),
    )


def _is_meant(label: Label, line: str) -> bool:
    """Whether a phrase is what it looks like: "AW" and "Re" stand for a subject only before a colon."""
    return label.kind is not LabelKind.FORWARDED_SUBJECT or line[label.end : label.end + 2].lstrip().startswith(":")


def _plain(line: str) -> str:
    line = _QUOTE_MARK.sub("", line, count=1) if line.lstrip().startswith(">") else line
    if not line.isascii():
        line = unicodedata.normalize("NFKC", line.translate(_PLAIN_SIGNS))
        line = _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), line)
    line = _CELL_BORDER.sub("\t", _UNSEEN.sub("", line)).strip(_EDGES)
    return _SPACED_OUT.sub(lambda spaced: spaced[0].replace(" ", ""), line)


def columns(heading: Row, below: Row | None) -> list[tuple[Label, str | FoundDate]]:
    """The values of a row of headings, taken from the row below it and matched by what they look like.

    Dates go to headings of dates and numbers to the others, each in order. Empty where ``heading`` holds anything
    but headings, or ``below`` does not fit it.
    """
    labels = [label for label in heading.labels if label.kind in _HEADINGS]
    if below is None or len(labels) < _FEWEST_COLUMNS or below.labels or _beside(heading.line, heading.labels):
        return []
    of_days = [label for label in labels if label.kind in DATE_LABELS]
    of_numbers = [label for label in labels if label.kind not in DATE_LABELS]
    values = [value.lstrip("#") for value in _beside(below.line, below.dates)]
    found: list[tuple[Label, str | FoundDate]] = []
    if len(of_days) == len(below.dates):
        found += zip(of_days, below.dates, strict=True)
    if len(of_numbers) == len(values):
        pairs = zip(of_numbers, values, strict=True)
        found += [(label, value) for label, value in pairs if any(map(str.isdigit, value))]
    return found


def _beside(line: str, found: Sequence[Label] | Sequence[FoundDate]) -> list[str]:
    """The words of a line that are none of what was found in it."""
    for start, end in reversed([(each.start, each.end) for each in found]):
        line = f"{line[:start]} {line[end:]}"
    return [word for word in line.split() if any(map(str.isalnum, word))]
