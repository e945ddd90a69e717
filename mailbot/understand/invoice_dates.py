"""On which day a document was issued, among the days of orders, deliveries and payments."""

from collections.abc import Iterator, Sequence
from datetime import date

from mailbot.understand.dates import FoundDate
from mailbot.understand.invoice_lexicon import Label, LabelKind
from mailbot.understand.invoice_rows import DATE_LABELS, PAPER_LABELS, Row, columns

_RANKS = {LabelKind.INVOICE_DATE: 3, LabelKind.PLAIN_DATE: 1, LabelKind.ORDER_DATE: 0}
_BEHIND_TITLE = 2
_TITLES = PAPER_LABELS | {LabelKind.INVOICE_NUMBER}
_REACH = 25
_LONGEST_FROM = len("from ")
_YEAR_FIRST_LANGUAGES = frozenset({"ja", "zh"})
_EITHER_ORDER = frozenset({None, "CAD"})


def issued_on(rows: Sequence[Row], *, day_first: bool | None) -> date | None:
    """The day of issue: labelled so, else behind the title, else labelled as date or order date, else the only date.

    Args:
        rows: the document.
        day_first: whether 3/4 is the third of April; ``None`` where nobody can tell, and such a date is none.
    """
    ranked = list(_ranked(rows))
    for wanted in sorted({rank for rank, _ in ranked if rank is not None}, reverse=True):
        return next(found for rank, found in ranked if rank == wanted).read(day_first=day_first)
    labelled = {id(found) for _, found in ranked}
    lone = {found.read(day_first=day_first) for row in rows for found in row.dates if id(found) not in labelled}
    return lone.pop() if len(lone) == 1 else None


def day_first(rows: Sequence[Row], language: str | None, currency: str | None) -> bool | None:
    """Whether figures go day, month, year: as another date of the document shows, else as its language has it.

    English goes by the currency: month first with US dollars, day first with any other, but unknown with Canadian
    dollars or none.
    """
    told = {found.tells_order for row in rows for found in row.dates} - {None}
    if told:
        return told.pop() if len(told) == 1 else None
    if language == "en":
        return None if currency in _EITHER_ORDER else currency != "USD"
    return None if language is None or language in _YEAR_FIRST_LANGUAGES else True


def _ranked(rows: Sequence[Row]) -> Iterator[tuple[int | None, FoundDate]]:
    """Every date that a label or a title claims, with the label's rank; ``None`` for dates that are no issue dates."""
    for row, below in zip(rows, [*rows[1:], None], strict=False):
        table = columns(row, below)
        yield from ((_RANKS.get(label.kind), value) for label, value in table if isinstance(value, FoundDate))
        for label in row.labels if not table else ():
            found = _after(row, label) or _on_next_row(row, label, below)
            if found is not None and label.kind in DATE_LABELS:
                yield _RANKS.get(label.kind), found
            elif found is not None and label.kind in _TITLES:
                yield _BEHIND_TITLE, found


def _after(row: Row, label: Label) -> FoundDate | None:
    """The first date behind a label, near it, with no other label of a date between."""
    reach = label.end + (len(row.line) if label.kind in _TITLES else _REACH)
    others = (other.start for other in row.labels if other.kind in DATE_LABELS and other.start > label.start)
    stop = min((*others, reach))
    return next((found for found in row.dates if label.end <= found.start < stop), None)


def _on_next_row(row: Row, label: Label, below: Row | None) -> FoundDate | None:
    """The date that starts the next row, where the label's own row has none and nothing else follows the label."""
    if below is None or row.dates or not below.dates or below.labels or below.dates[0].start > _LONGEST_FROM:
        return None
    last = label.kind in _TITLES or not any(map(str.isalnum, row.line[label.end :]))
    return below.dates[0] if last else None
