"""What a person reads in an HTML mail, as plain text; what is hidden from that person stands apart."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape

from lxml import etree

from mailbot.understand.html_layout import Layout
from mailbot.understand.html_quotes import MarkedQuotes, Quote
from mailbot.understand.visibility import Look, Styles

MAX_BYTES = 262_144
MAX_TAGS = 10_000
MAX_DEPTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlText:
    """An HTML document as text.

    Attributes:
        text: blocks and table rows on lines of their own, cells of a row parted by a tab.
        hidden: what a reader does not see, one entry a stretch.
        quotes: stretches of ``text``, in order and apart, that stood in markup by which mail programs quote.
        defects: which limit was met, one constant text each; then the rest is missing, or nothing but tags was removed.
    """

    text: str
    hidden: tuple[str, ...]
    quotes: tuple[tuple[int, int], ...]
    defects: tuple[str, ...]


def read_html(html: str) -> HtmlText:
    """Read an HTML document as a person would; never raises.

    Tags are counted before the parser runs, depth while it runs; the parser reports tags one by one and builds no
    tree, so that time and memory grow with the length alone. Past a limit only tags are removed.

    Source: RELIABILITY.md, Limits, "HTML used".
    """
    defects: tuple[str, ...] = ()
    data = html.replace("\0", "").encode("utf-8", "replace")
    if len(data) > MAX_BYTES:
        html = data[:MAX_BYTES].decode("utf-8", "ignore")
        data, defects = html.encode(), ("html_cut_at_256_kb",)
    if not data.strip():
        return HtmlText(text="", hidden=(), quotes=(), defects=defects)
    if sum(1 for _ in _TAG_START.finditer(data)) > MAX_TAGS:
        return without_tags(html, (*defects, "html_over_10000_tags"))
    page = _Page()
    parser = etree.HTMLParser(target=page, encoding="utf-8")
    try:
        parser.feed(data)
        parser.close()
    except _TooDeepError:
        return without_tags(html, (*defects, "html_over_200_deep"))
    except etree.XMLSyntaxError:  # no element at all, such as a lone comment
        return without_tags(html, defects)
    return page.read(defects)


_TAG_START = re.compile(rb"<[A-Za-z]")
_RULE = "_" * 32
_RAW = {"script", "style", "title"}
_NEVER_SHOWN = {"template", "svg", "iframe", "noframes", "datalist"}
# How many line ends a block puts around itself: two leave a blank line.
_BLOCKS = {
    **dict.fromkeys(("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"), 2),
    **dict.fromkeys(("div", "tr", "li", "ul", "ol", "table", "pre", "hr", "center", "form", "fieldset", "body"), 1),
    **dict.fromkeys(("address", "article", "section", "header", "footer", "main", "nav", "aside", "figure"), 1),
    **dict.fromkeys(("dl", "dt", "dd", "caption", "option", "legend", "tbody", "thead", "tfoot"), 1),
}
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
)


class _TooDeepError(Exception):
    """Elements stand deeper in one another than the limit."""


@dataclass(slots=True, kw_only=True)
class _Open:
    """An element whose end has not come yet."""

    tag: str
    look: Look
    breaks: int = 0
    quote: Quote | None = None


class _Page:
    """What the HTML parser reports to: gathers the text, shown or hidden, and where quotes stand in it."""

    def __init__(self) -> None:
        self._layout = Layout()
        self._quotes = MarkedQuotes(self._layout)
        self._styles = Styles()
        self._sheet: list[str] = []
        self._stack = [_Open(tag="", look=Look())]
        self._hidden: list[str] = []
        self._unseen: list[str] = []

    def read(self, defects: tuple[str, ...]) -> HtmlText:
        """Everything gathered, once the parser is done."""
        self._quotes.finish()
        self._end_unseen()
        quotes = tuple(self._quotes.stretches)
        return HtmlText(text=self._layout.text(), hidden=tuple(self._hidden), quotes=quotes, defects=defects)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if len(self._stack) > MAX_DEPTH:
            raise _TooDeepError
        look = self._styles.look(self._stack[-1].look, tag, attributes)
        if tag == "pre":
            look = look._replace(kept=True)
        elif tag in _NEVER_SHOWN:
            look = look._replace(gone=True, unseen=True)
        element = _Open(tag=tag, look=look, breaks=_BLOCKS.get(tag, 0))
        self._stack.append(element)
        if attributes or tag == "blockquote":
            element.quote = self._quotes.start(tag, attributes)
        if element.breaks:
            if element.breaks > 1 and "Mso" in attributes.get("class", ""):
                element.breaks = 1
            self._layout.part(element.breaks)
        self._start_in_layout(tag, look)

    def _start_in_layout(self, tag: str, look: Look) -> None:
        if tag == "br":
            self._layout.end_line()
        elif tag in {"td", "th"}:
            self._layout.start_cell()
        elif tag == "li":
            self._layout.start_item()
        elif tag == "hr" and not look.unseen:
            self._place(_RULE, self._layout.write)

    def end(self, tag: str) -> None:
        """The innermost element ends."""
        element = self._stack.pop()
        if element.look.unseen and not self._stack[-1].look.unseen:
            self._end_unseen()
        if tag == "style":
            self._styles.add("".join(self._sheet))
            self._sheet.clear()
        elif tag in {"td", "th"}:
            self._layout.end_cell()
        elif tag == "li":
            self._layout.end_item()
        if element.breaks:
            self._layout.end_block(element.breaks)
        if element.quote is not None:
            self._quotes.end(element.quote)

    def data(self, text: str) -> None:
        """Text, or a piece of it, stands directly in the innermost element."""
        element = self._stack[-1]
        if element.tag in _RAW:
            if element.tag == "style":
                self._sheet.append(text)
            return
        text = text if text.isascii() else text.translate(_INVISIBLE)
        if element.look.unseen:
            self._unseen.extend(text.split())
            return
        self._place(text, self._layout.write_kept if element.look.kept else self._layout.write)

    def _place(self, text: str, write: Callable[[str], int | None]) -> None:
        begins_quote = self._quotes.awaits_text and not text.isspace()
        if begins_quote:
            self._layout.begin_line()
        start = write(text)
        if begins_quote:
            self._quotes.begin_at(start)

    def close(self) -> None:
        """The document is over; the parser asks for this method."""

    def _end_unseen(self) -> None:
        if self._unseen:
            self._hidden.append(" ".join(self._unseen))
            self._unseen.clear()


_TAG = re.compile(r"<[/!?]?[A-Za-z!?-][^<>]*>?")
_BREAKING_TAG = re.compile(r"</?(?:div|p|br|tr|li|table|h[1-6]|blockquote|pre)\b", re.IGNORECASE)
_UNREAD_TAG = re.compile(r"<(script|style|title)\b", re.IGNORECASE)
_UNREAD_END = {name: re.compile(rf"</{name}[^<>]*>?", re.IGNORECASE) for name in ("script", "style", "title")}
_SPACES = re.compile(r"\s+")
_LONG_ENTITY = re.compile(r"&#[0-9A-Fa-fxX]{9,}+")
"""What stands for no character; Python refuses to count so many digits."""
_BLANK_LINES = re.compile(r"\n(?:\s*\n)+")


def without_tags(html: str, defects: tuple[str, ...]) -> HtmlText:
    """Text by one scan that only removes tags, comments, scripts and style sheets; nothing is hidden or quoted.

    Args:
        html: any text.
        defects: which limit was met.
    """
    html = html.encode("utf-8", "replace").decode().replace("\0", "").translate(_INVISIBLE)
    parts, at = [], 0
    while (start := html.find("<", at)) >= 0:
        parts.append(_SPACES.sub(" ", html[at:start]))
        if html.startswith("<!--", start):
            end = html.find("-->", start)
            at = len(html) if end < 0 else end + len("-->")
        elif unread := _UNREAD_TAG.match(html, start):
            close = _UNREAD_END[unread[1].lower()].search(html, start)
            at = close.end() if close else len(html)
        elif tag := _TAG.match(html, start):
            parts.append("\n" if _BREAKING_TAG.match(html, start) else " ")
            at = tag.end()
        else:
            parts.append("<")
            at = start + 1
    parts.append(_SPACES.sub(" ", html[at:]))
    lines = (" ".join(line.split()) for line in unescape(_LONG_ENTITY.sub("", "".join(parts))).split("\n"))
    text = _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
    return HtmlText(text=text, hidden=(), quotes=(), defects=defects)
