"""What is new in a mail: its text as a person reads it, quotes and signatures set apart and nothing thrown away."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from mailbot.model.reading import Body, Segment, SegmentKind
from mailbot.understand.html_text import HtmlText, read_html
from mailbot.understand.quote_words import lexicon_words, plain_form, plain_line
from mailbot.understand.quotes import find_quotes
from mailbot.understand.signature import find_signatures

MAX_BYTES = 204_800
MAX_LINES = 2_000


def read_body(plain: str | None, html: str | None, read_page: Callable[[str], HtmlText] = read_html) -> Body:
    """Read the text of a mail, and tell what its sender wrote now from what is quoted or signs; never raises.

    What cannot be told for sure counts as new, so that no word of a customer is lost. Text beyond 200 KB or 2,000
    lines is cut off; ``Body.defects`` says so.

    Args:
        plain: the text/plain parts, LF line ends; used untouched, unless it is blank or only points to the HTML.
        html: the text/html parts. Where the plain part is used, they are not read and ``Body.hidden`` is empty.
        read_page: reads HTML; whoever reads what strangers send limits its time.

    Source: RELIABILITY.md, Limits, "text used" and "HTML used".
    """
    page = _readable(plain, html, read_page)
    text, defects = _within_limits(page.text)
    raw_lines = text.split("\n")
    lines = [plain_line(line) for line in raw_lines]
    quoted = find_quotes(lines, _marked(raw_lines, page.quotes))
    signs = find_signatures(lines, raw_lines, quoted)
    segments = _segments(raw_lines, lines, quoted, signs)
    return Body(text=text, segments=segments, hidden=page.hidden, defects=page.defects + defects)


def new_stretches(body: Body) -> tuple[tuple[int, int], ...]:
    """Start and end of every stretch of the body's text that its sender wrote now, in order."""
    return tuple((part.start, part.end) for part in body.segments if part.kind is SegmentKind.NEW)


_LONGEST_STUB = 400
_QUOTE_MARKS = (">", "\uff1e")


def _readable(plain: str | None, html: str | None, read_page: Callable[[str], HtmlText]) -> HtmlText:
    """The plain part, or the HTML where the plain part says nothing."""
    written = HtmlText(text=plain or "", hidden=(), quotes=(), defects=())
    if not html or not (written.text.strip() == "" or _is_stub(written.text)):
        return written
    page = read_page(html)
    return page if page.text.strip() else replace(page, text=written.text, quotes=())


def _is_stub(text: str) -> bool:
    text = text.strip()
    return len(text) <= _LONGEST_STUB and any(phrase in plain_form(text) for phrase in _stubs())


@cache
def _stubs() -> tuple[str, ...]:
    return tuple(lexicon_words("stubs"))


def _within_limits(text: str) -> tuple[str, tuple[str, ...]]:
    defects = []
    data = text.encode("utf-8", "replace")
    if len(data) > MAX_BYTES:
        text = text[: len(data[:MAX_BYTES].decode("utf-8", "ignore"))]
        defects.append("text_cut_at_200_kb")
    if text.count("\n") >= MAX_LINES:
        text = "\n".join(text.split("\n", MAX_LINES)[:MAX_LINES])
        defects.append("text_cut_at_2000_lines")
    return text, tuple(defects)


def _marked(raw_lines: Sequence[str], quotes: Sequence[tuple[int, int]]) -> list[bool]:
    """Which lines a mail program marked as quoted, by ``>`` or by markup.

    ``>From`` alone is no quote: mailbox files escape a line that begins with "From" so.
    """
    marked: list[bool] = []
    at, starts = 0, [start for start, _ in quotes]
    for line in raw_lines:
        is_marked = line.lstrip().startswith(_QUOTE_MARKS)
        if is_marked and line.startswith(">From ") and not (marked and marked[-1]):
            is_marked = False
        if quotes and not is_marked:
            before = bisect_right(starts, at) - 1
            is_marked = before >= 0 and at < quotes[before][1]
        marked.append(is_marked)
        at += len(line) + 1
    return marked


def _segments(
    raw_lines: Sequence[str], lines: Sequence[str], quoted: Sequence[bool], signs: Sequence[bool]
) -> tuple[Segment, ...]:
    """Lines of one kind joined; a blank line goes with the line above it, the first ones with the line below."""
    ends: list[tuple[SegmentKind, int]] = []
    end = 0
    for raw_line, line, is_quoted, is_signing in zip(raw_lines, lines, quoted, signs, strict=True):
        end += len(raw_line) + 1
        if line:
            kind = SegmentKind.QUOTE if is_quoted else SegmentKind.SIGNATURE if is_signing else SegmentKind.NEW
            if not ends or ends[-1][0] is not kind:
                ends.append((kind, end))
        if ends:
            ends[-1] = ends[-1][0], end
    length = max(0, end - 1)
    if length and not ends:
        ends.append((SegmentKind.NEW, length))
    starts = [0, *(end for _, end in ends)]
    return tuple(
        Segment(kind=kind, start=start, end=min(end, length)) for start, (kind, end) in zip(starts, ends, strict=False)
    )
