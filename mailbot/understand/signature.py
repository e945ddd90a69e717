"""Which new lines of a mail are no message: signatures, footers of phones, programs and mailing lists, legal notices.

Such a line may still be the customer's own words ("--", "order 4711, please refund"). What names the trade's own words,
speaks in sentences, or is longer than a signature stays new. The words are data: ``lexicon/quotes.toml``.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from mailbot.understand.quote_words import FIRST_SCRIPT_WITHOUT_SPACES, lexicon_words, plain_form
from mailbot.understand.quotes import is_rule


def find_signatures(lines: Sequence[str], raw_lines: Sequence[str], quoted: Sequence[bool]) -> list[bool]:
    """Tell for each line whether it signs or foots what stands above it; a doubtful line does not.

    Args:
        lines: as ``quote_words.plain_line`` gives them.
        raw_lines: the same as they came: the space of ``"-- "`` counts (RFC 3676, section 4.3).
        quoted: which lines repeat an earlier mail; nothing is looked for there.
    """
    signs, said, at = [False] * len(lines), False, 0
    while at < len(lines):
        end = at
        if lines[at] and not quoted[at]:
            if _is_device_footer(lines[at]):
                end = at + 1
            elif said:
                end = _footer_end(lines, raw_lines, quoted, at)
            said = said or end == at
        signs[at:end] = [True] * (end - at)
        at = max(end, at + 1)
    return signs


_DELIMITERS = {"--", "\u2014"}
_MOST_LINES = 16
_MOST_UNSURE_LINES = 10
_MOST_PARAGRAPH_LINES = 40
_LONGEST_LINE = 100
_LONGEST_FOOTER = 160
_LONGEST_GAP = 40
_SHORTEST_SENTENCE = 30
_SENTENCE_ENDS = (".", "!", "?", "\u3002", "\uff01", "\uff1f")
_FRAME = " *_[]()<>~"
_LONG_NUMBER = re.compile(r"\d(?:[ .-]?\d){3}")
_REACHED_AT = re.compile(
    r"(?:https?://|www\.)\S{3,200}|<?[^\s@<>]{1,64}@[^\s@<>]{1,190}>?|\+\d[\d\s()./-]{6,24}", re.IGNORECASE
)
_SPACED_LETTERS = "a-z\u00df-\u024f\u0370-\u052f"  # in a form without case
_WORD = re.compile(r"[^\W\d_]+")


@cache
def _footers() -> "_Footers":
    return _Footers()


class _Footers:
    """What the lexicon says of footers, ready to compare."""

    def __init__(self) -> None:
        self.lists = tuple(lexicon_words("list_marks"))
        self.programs = tuple(lexicon_words("line_footers"))
        self.disclaimers = tuple(lexicon_words("disclaimers"))
        self.farewells = frozenset(lexicon_words("farewells"))
        self.contact_labels = frozenset(lexicon_words("contact_labels"))
        self.sent_from = [tuple(form.split("{device}")) for form in lexicon_words("sent_from")]
        self.sent_from_begins = tuple(before for before, _ in self.sent_from if before)
        self.sent_from_ends = tuple(after for before, after in self.sent_from if not before)
        devices = sorted(lexicon_words("devices"), key=len, reverse=True)
        self.device = re.compile(rf"(?<![{_SPACED_LETTERS}])(?:{'|'.join(map(re.escape, devices))})")
        self.joiners = frozenset(lexicon_words("device_joiners"))
        own = lexicon_words("own_words")
        self.own_anywhere = tuple(word for word in own if " " in word or word >= FIRST_SCRIPT_WITHOUT_SPACES)
        self.own_beginnings = tuple(word for word in own if word not in self.own_anywhere)


def _footer_end(lines: Sequence[str], raw_lines: Sequence[str], quoted: Sequence[bool], at: int) -> int:
    """The line after the footer that begins at line ``at``; ``at`` itself where none does."""
    line, words = lines[at], _footers()
    if line in _DELIMITERS:
        return _signature_end(lines, quoted, at, sure=raw_lines[at] == "-- ")
    end = _paragraph_end(lines, quoted, at)
    if is_rule(line):
        form = plain_form(" ".join(text[:_LONGEST_FOOTER] for text in lines[at:end]))
        return end if any(mark in form for mark in words.lists) else _framed_end(lines, quoted, at)
    form = plain_form(line[:_LONGEST_FOOTER].strip(_FRAME))
    if form.startswith(words.programs):
        return at + 1
    if form.startswith(words.disclaimers):
        return at if _is_own(lines[at:end]) else end
    if form.rstrip(" ,.!-") in words.farewells:
        return _contact_end(lines, quoted, at)
    return at


def _signature_end(lines: Sequence[str], quoted: Sequence[bool], at: int, *, sure: bool) -> int:
    """The line after the signature below a delimiter: its first paragraph, or all that is mute where it is sure."""
    end = _paragraph_end(lines, quoted, _next_line(lines, at + 1))
    first = lines[at + 1 : end]
    if len(first) > _MOST_LINES or _is_own(first) or not (sure or _is_mute(first)):
        return at
    while sure:
        following = _next_line(lines, end)
        stop = _paragraph_end(lines, quoted, following)
        paragraph = lines[following:stop]
        if not paragraph or stop - at > 2 * _MOST_LINES or _is_own(paragraph) or not _is_mute(paragraph):
            break
        end = stop
    return end


def _framed_end(lines: Sequence[str], quoted: Sequence[bool], at: int) -> int:
    """The line after a card between two rules that ends the text, as Japanese programs sign; ``at`` where none is."""
    last = min(len(lines), at + _MOST_LINES)
    end = next((place for place in range(at + 1, last) if is_rule(lines[place]) or quoted[place]), last)
    if end == last or quoted[end]:
        return at
    following = _next_line(lines, end + 1)
    card = [line for line in lines[at + 1 : end] if line]
    ends_text = following == len(lines) or quoted[following]
    signs = ends_text and any(map(_is_way_to_reach, card)) and _is_mute(card) and not _is_own(card)
    return end + 1 if signs else at


def _contact_end(lines: Sequence[str], quoted: Sequence[bool], at: int) -> int:
    """The line after a farewell, a name and at least one way to reach it, if nothing else follows."""
    end = at + 1
    while end < len(lines) and not quoted[end] and end - at <= _MOST_LINES:
        end += 1
    block = [line for line in lines[at + 1 : end] if line]
    if (end < len(lines) and not quoted[end]) or len(block) > _MOST_UNSURE_LINES:
        return at
    ways = [line for line in block if _is_way_to_reach(line)]
    others = [line for line in block if line not in ways and not _is_device_footer(line)]
    unclear = _is_own(block) or not _is_mute(others) or any(_LONG_NUMBER.search(line) for line in others)
    return end if ways and not unclear else at


def _is_way_to_reach(line: str) -> bool:
    if len(line) > _LONGEST_FOOTER:
        return False
    label = _WORD.match(line)
    labelled = (
        label is not None and plain_form(label[0]) in _footers().contact_labels and line[label.end() :][:1] in ":."
    )
    return labelled or _REACHED_AT.fullmatch(line) is not None


def _is_device_footer(line: str) -> bool:
    """Whether the whole line is a footer such as "Sent from my iPhone"."""
    if len(line) > _LONGEST_FOOTER:
        return False
    words, form = _footers(), plain_form(line.strip(_FRAME)).rstrip(" .!*")
    if not (form.startswith(words.sent_from_begins) or form.endswith(words.sent_from_ends)):
        return False
    return not _is_own([line]) and any(_fits(form, before, after) for before, after in words.sent_from)


def _fits(form: str, before: str, after: str) -> bool:
    if not (form.startswith(before) and form.endswith(after)):
        return False
    middle = form[len(before) : len(form) - len(after)]
    device = _footers().device.search(middle)
    if device is None or device.start() > _LONGEST_GAP or any(mark in middle[: device.start()] for mark in ",.;!?"):
        return False
    tail = middle[device.end() :]
    return bool(after) or _is_short_tail(tail)


def _is_short_tail(tail: str) -> bool:
    """Whether what follows a device's name belongs to the name, or is parted from it by a mark."""
    strangers = 0
    for word in tail.split()[:_MOST_LINES]:
        if word[0] in ",.;:<([-\u2013\u2014|":
            return True
        strangers += word.rstrip(",.;:") not in _footers().joiners and word.isalpha()
        if strangers > 1:
            return False
        if word[-1] in ",.;:":
            return True
    return True


def _is_own(lines: Iterable[str]) -> bool:
    """Whether these lines name an order, a refund or the like: then they may be the customer's claim."""
    words, form = _footers(), plain_form("\n".join(lines))
    if not form.isascii() and any(word in form for word in words.own_anywhere):
        return True
    return any(word[0].startswith(words.own_beginnings) for word in _WORD.finditer(form))


def _is_mute(lines: Sequence[str]) -> bool:
    """Whether none of these lines reads like a sentence."""
    return not any(
        len(line) > _LONGEST_LINE or (len(line) > _SHORTEST_SENTENCE and line.endswith(_SENTENCE_ENDS))
        for line in lines
    )


def _next_line(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and not lines[at]:
        at += 1
    return at


def _paragraph_end(lines: Sequence[str], quoted: Sequence[bool], at: int) -> int:
    last = min(len(lines), at + _MOST_PARAGRAPH_LINES)
    return next((place for place in range(at, last) if not lines[place] or quoted[place]), last)
