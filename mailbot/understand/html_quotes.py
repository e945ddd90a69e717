"""Which elements of an HTML mail hold an earlier mail: the marks that mail programs leave when they quote."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mailbot.understand.html_layout import Layout


@dataclass(slots=True, kw_only=True)
class Quote:
    """A quoting element that has not ended yet.

    Attributes:
        last_line_only: people write above an attribution, but inside of its element.
        holds_answers: what stands beside the blockquotes in it may be new.
        to_the_end: it ends with the document.
        start: set by the first text in it.
    """

    last_line_only: bool
    holds_answers: bool
    to_the_end: bool
    start: int | None = None


class MarkedQuotes:
    """Follows a document element by element; quotes begin and end with lines of the layout.

    Attributes:
        stretches: start and end of every quote that has ended, in order and apart; a quote in a quote does not count.
    """

    def __init__(self, layout: Layout) -> None:
        """Begin with no quote."""
        self.stretches: list[tuple[int, int]] = []
        self._layout = layout
        self._open: Quote | None = None

    @property
    def awaits_text(self) -> bool:
        """Whether a quote has begun that holds no text yet."""
        return self._open is not None and self._open.start is None

    def begin_at(self, start: int | None) -> None:
        """Say where the first text of the open quote stands, if it is there."""
        if self._open is not None:
            self._open.start = start

    def start(self, tag: str, attributes: Mapping[str, str]) -> Quote | None:
        """Begin a quote at an element that quotes, unless it stands inside of another quote.

        Answers may stand between the blockquotes of one container: of such a container only the attribution above
        its first blockquote counts.
        """
        around = self._open
        if around is not None and not (around.holds_answers and tag == "blockquote"):
            return None
        marks = _marks(attributes)
        quotes = self._is_quoting(marks, attributes) if tag == "blockquote" else not marks.isdisjoint(_QUOTING)
        to_the_end, attributing = not marks.isdisjoint(_QUOTING_TO_THE_END), not marks.isdisjoint(_ATTRIBUTING)
        if not (quotes or to_the_end or attributing):
            return None
        if around is not None:
            around.last_line_only = True
            self._close(around)
        holds_answers = tag != "blockquote" and not to_the_end and marks.isdisjoint(_HOLDING_NO_ANSWERS)
        self._open = Quote(last_line_only=attributing, holds_answers=holds_answers, to_the_end=to_the_end)
        return self._open

    def end(self, quote: Quote) -> None:
        """End the quote of an element that ends, unless it ended before or goes on to the end."""
        if quote is self._open and not quote.to_the_end:
            self._close(quote)

    def finish(self) -> None:
        """End what is open at the end of the document."""
        if self._open is not None:
            self._close(self._open)

    def _close(self, quote: Quote) -> None:
        if quote.start is not None:
            start = max(quote.start, self._layout.line_start) if quote.last_line_only else quote.start
            self.stretches.append((start, self._layout.length))
            self._layout.begin_line()
        self._open = None

    def _is_quoting(self, marks: set[str], attributes: Mapping[str, str]) -> bool:
        """Tell a quoting blockquote from one that indents; a bare one quotes below a line that ends in a colon."""
        if attributes.keys() & {"type", "cite"}:
            return True
        style = attributes.get("style", "")
        if _NO_BORDER.search(style):
            return False
        if _LEFT_BORDER.search(style) or not marks.isdisjoint(_QUOTING):
            return True
        return not style and self._layout.ends_in_colon


# Classes, ids and names of elements in which mail programs put an earlier mail, or the line above it, or after which
# nothing but that mail follows.
_QUOTING = {
    *("gmail_quote", "protonmail_quote", "tutanota_quote", "yahoo_quoted", "freshdesk_quote", "missive_quote"),
    *("ms-outlook-mobile-reference-message", "mail-editor-reference-message-container", "mail-quote-collapse"),
    *("olk_src_body_section", "isreplycontent", "ntes-mailmaster-quote", "zmail_extra"),
    *("name=quote", "name=messagereplysection"),
}
_HOLDING_NO_ANSWERS = {"yahoo_quoted", "ms-outlook-mobile-reference-message", "olk_src_body_section"}
_ATTRIBUTING = {"gmail_attr", "moz-cite-prefix", "reply-intro"}
_QUOTING_TO_THE_END = {"divrplyfwdmsg", "appendonsend", "stopspelling", "zwchr", "outlookmessageheader"}
_LEFT_BORDER = re.compile(r"\bborder-left(?:-style|-width)?\s*:(?!\s*(?:none|0))", re.IGNORECASE)
_NO_BORDER = re.compile(r"\bborder\s*:\s*(?:none|0)", re.IGNORECASE)


def _marks(attributes: Mapping[str, str]) -> set[str]:
    named = f"{attributes.get('class', '')} {attributes.get('id', '')} name={attributes.get('name', '')}"
    return set(named.lower().split())
