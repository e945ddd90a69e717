"""Which lines of a mail repeat an earlier mail: quoted lines, the line above a quote, header blocks, forwarded mail.

The words that mail programs put there are data: ``lexicon/quotes.toml`` holds them for all languages, and its head
explains the keys.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from mailbot.understand.quote_words import FIRST_SCRIPT_WITHOUT_SPACES, lexicon_entries, lexicon_words, plain_form


def find_quotes(lines: Sequence[str], marked: Sequence[bool]) -> list[bool]:
    """Tell for each line whether it repeats an earlier mail; a doubtful line does not.

    Args:
        lines: as ``quote_words.plain_line`` gives them.
        marked: which of them are quoted by ``>`` or by markup.

    What follows an attribution, header block or mark is quoted to the end, unless marked lines follow at once: then
    they alone are, and what stands between and below them is an answer. An attribution that names neither a time
    nor an address quotes the next paragraph only.
    """
    quoted, at, said = list(marked), 0, False
    while at < len(lines):
        start = None if marked[at] else _quote_start(lines, marked, at, said=said)
        if start is None:
            said = said or bool(lines[at] and not quoted[at])
            at += 1
            continue
        above = _rule_above(lines, at)
        following = _next_line(lines, start.after)
        if following < len(lines) and marked[following]:
            end = following
        else:
            end = len(lines) if start.to_the_end else _paragraph_end(lines, following)
        quoted[above:end] = [True] * (end - above)
        at = end if start.to_the_end else start.after
    return quoted


def is_rule(line: str) -> bool:
    """Whether a line only draws a rule: dashes, underscores and the like, two at least."""
    return len(line) > 1 and not line.strip(_RULE_LETTERS + " ")


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a quote begins: the line after what introduces it."""

    after: int
    to_the_end: bool


_RULE_LETTERS = "-_=*~\u2014\u2500"
_FRAME = " \t*_-=~>#\u2022|+"
_LONGEST_LINE = 300
_MOST_WORDS = 32
_MOST_NAMES = 5
_MOST_LINES = 4
_COLONS = (":", "\uff1a", "\ufe55")
_COLON = re.compile(r"[:\uff1a]")
_DATED = re.compile(r"[\d@]")
_ADDRESS = re.compile(r"[^\s@<>()\[\]]{1,64}@[^\s@<>()\[\]]{1,190}")
_CLOCK = re.compile(r"(?<![\d.])\d{1,2}\s?[:.h\u6642\u65f6\uc2dc]\s?\d{2}(?![.\d])|\d\s?[ap]\.?m\b", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d{2}")
_CLOSING_ADDRESS = re.compile(r"[^\s@]@[^\s@]{1,190}\s?[>)\]]\s*[:\uff1a]$")
_CLOSING_WORDS = re.compile(r"@[^\s@]{1,190}[>)\]](?:\s?[^\s\d]{1,20}){0,3}\s?[:\uff1a]$")  # "wrote" in any language
_NAME_FIRST = re.compile(r"(?:[^<>@:?!]{0,60}[<(\[](?:mailto:)?)?[^\s<>()@]{1,64}@[^\s<>()@]{1,190}")
_SOON_A_DIGIT = re.compile(r"(?:[^\d\s]{1,14}[\s,.]\s?){0,2}\d")
_TEXT_BEHIND = re.compile(r"(?<=[:\uff1a])\s{2,}")
_SENTENCE = re.compile(r"[!?;]|[.:]\s+(?:[^\W\d_]+\s+){6}")


@cache
def _introductions() -> "_Introductions":
    return _Introductions()


class _Introductions:
    """What the lexicon says of lines above a quote, compiled."""

    def __init__(self) -> None:
        wrote = lexicon_words("wrote")
        own = lexicon_entries("self")
        others = lexicon_entries("others")
        self.begins = re.compile(rf"(?:{_whole_words(lexicon_words('begins'))})\D{{0,30}}\d")
        self.wrote = re.compile(rf"(?:{_whole_words(wrote)})\W{{0,8}}$")
        self.wrote_endings = tuple(wrote)
        self.wrote_by = re.compile(rf"(?:{_whole_words(lexicon_words('wrote_by'))})\s?(.{{1,160}})[:\uff1a]$")
        self.own = re.compile(_whole_words(own))
        self.own_or_others = re.compile(_whole_words([*own, *others]))
        self.marks = frozenset(lexicon_words("marks"))
        self.labels = {word: role for role in _ROLES for word in lexicon_words(role)}


def _whole_words(words: Iterable[str]) -> str:
    """An alternation that matches these words whole; scripts without spaces need no edges."""
    longest_first = sorted(set(words), key=len, reverse=True)
    spaced = [re.escape(word) for word in longest_first if word[0] < FIRST_SCRIPT_WITHOUT_SPACES]
    others = [re.escape(word) for word in longest_first if word[0] >= FIRST_SCRIPT_WITHOUT_SPACES]
    return "|".join([rf"(?<![^\W\d_])(?:{'|'.join(spaced)})(?![^\W\d_])", *others])


def _quote_start(lines: Sequence[str], marked: Sequence[bool], at: int, *, said: bool) -> _Start | None:
    line = lines[at]
    if not line:
        return None
    if _is_mark(line):
        return _Start(at + 1, to_the_end=True)
    if (after := _header_block(lines, at, said=said)) is not None:
        return _Start(after, to_the_end=True)
    if not _DATED.search(line, 0, _LONGEST_LINE):
        return None
    return _attribution(lines, marked, at) or _attribution_before_text(line, at)


def _attribution_before_text(line: str, at: int) -> _Start | None:
    """An attribution and the quoted text behind it in one line, as Yahoo's programs for phones write it."""
    head = _TEXT_BEHIND.split(line[:_LONGEST_LINE], maxsplit=1)[0]
    whole = head != line and _ADDRESS.search(head) is not None and _CLOCK.search(head) is not None
    return _Start(at + 1, to_the_end=True) if whole and _introduces(head, above_marked=False) else None


def _is_mark(line: str) -> bool:
    if len(line) > _LONGEST_LINE:
        return False
    marks = _introductions().marks
    core = plain_form(line.strip(_FRAME + ":\uff1a<[]()\u00ae"))
    if core in marks:
        return True
    framed = line.startswith(("--", "==", "__", "**"))
    return framed and plain_form(line.lstrip(_FRAME)).partition("--")[0].strip(_FRAME) in marks


def _rule_above(lines: Sequence[str], at: int) -> int:
    """The rule that a mail program drew above line ``at``, over blank lines; ``at`` where there is none."""
    above = at - 1
    while above >= 0 and not lines[above]:
        above -= 1
    return above if above >= 0 and is_rule(lines[above]) else at


def _next_line(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and not lines[at]:
        at += 1
    return at


def _paragraph_end(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and lines[at]:
        at += 1
    return at


# --- header blocks: From, Sent, To, Subject on lines of their own

_MOST_BLOCK_LINES = 24
_MOST_MISSES = 2
_ROLES = ("from", "sent", "date", "to", "cc", "subject")
_LEAST_LABELS = 3
_ANSWERED = re.compile(r"[^\W\d]{1,4}\s?[:\uff1a]")  # Re, Fwd, AW, SV
_LONGEST_LABEL = 32


def _header_block(lines: Sequence[str], at: int, *, said: bool) -> int | None:
    """The line after a header block that begins at line ``at``, or ``None``."""
    if _label(lines[at]) is None:
        return None
    found: dict[str, str] = {}
    misses, end = 0, at
    for place in range(at, min(len(lines), at + _MOST_BLOCK_LINES)):
        label = _label(lines[place])
        if label is not None:
            found.setdefault(*label)
            misses, end = 0, place + 1
        else:
            misses += 1
            if misses > _MOST_MISSES:
                break
    return end if _is_by_program(found, ruled=_rule_above(lines, at) < at, said=said) else None


def _is_by_program(found: Mapping[str, str], *, ruled: bool, said: bool) -> bool:
    """Tell the header block of a program from what people list: a letter's head, or where a parcel went.

    Labels alone do not make one. It takes a time of day, an address, "Re:", or a rule above; an address or "Re:" do
    not where nothing was said before, nor a time where the other labels are a parcel's.
    """
    timed = _CLOCK.search(found.get("sent", found.get("date", ""))) is not None
    addressed = _ADDRESS.search(f"{found.get('from', '')} {found.get('to', '')}") is not None
    sure = ruled or (timed and not found.keys().isdisjoint({"sent", "subject"}))
    likely = said and (addressed or _ANSWERED.match(found.get("subject", "")) is not None)
    roles = len(found.keys() - {"cc"})
    return "from" in found and (
        (roles >= _LEAST_LABELS and (sure or likely)) or (roles > 1 and timed and (ruled or addressed))
    )


def _label(line: str) -> tuple[str, str] | None:
    """Role and value of a header line such as ``*Von:* Jane``, or ``None``."""
    colon = _COLON.search(line, 0, _LONGEST_LABEL)
    if colon is None:
        return None
    role = _introductions().labels.get(plain_form(line[: colon.start()].strip(" \t*_")))
    return None if role is None else (role, line[colon.end() : _LONGEST_LINE].strip(" \t*_"))


# --- attributions: "On 3 May 2026 at 14:22, Jane <jane@example.org> wrote:", over up to four lines


def _attribution(lines: Sequence[str], marked: Sequence[bool], at: int) -> _Start | None:
    joined = ""
    for after in range(at + 1, min(len(lines), at + _MOST_LINES) + 1):
        line = lines[after - 1]
        if not line or (marked[after - 1] and not line.startswith(">:")):
            return None
        joined = f"{joined} {line}".lstrip(_FRAME).rstrip(_RULE_LETTERS + " ")
        if len(joined) > _LONGEST_LINE:
            return None
        following = _next_line(lines, after)
        above_marked = following < len(lines) and marked[following]
        if not _may_end(joined, above_marked=above_marked):
            continue
        to_the_end = _introduces(joined, above_marked=above_marked)
        if to_the_end is not None and (to_the_end or after == at + 1):
            return _Start(after, to_the_end=to_the_end)
    return None


def _may_end(joined: str, *, above_marked: bool) -> bool:
    if joined.endswith(_COLONS) or (above_marked and joined.endswith(">")):
        return True
    return plain_form(joined[-_LONGEST_LABEL:]).endswith(_introductions().wrote_endings)


def _introduces(joined: str, *, above_marked: bool) -> bool | None:
    """Whether a line introduces a quote: to the end (true), of a paragraph (false), or not at all (``None``)."""
    words = _introductions()
    bare = _ADDRESS.sub(" ", joined)
    form, addressed, timed = plain_form(joined), bare != joined, _CLOCK.search(joined) is not None
    tells = words.own if addressed else words.own_or_others
    if tells.search(bare) or _SENTENCE.search(bare) or joined.count(" ") > _MOST_WORDS:
        return None
    says = _says_wrote(form, closed=addressed or above_marked or joined.endswith(_COLONS))
    closes = says or (_CLOSING_ADDRESS.search(form) and _YEAR.search(form) and (timed or words.begins.match(form)))
    if words.begins.match(form):
        return (addressed or timed or above_marked) if closes else None
    if closes and (addressed or timed) and _SOON_A_DIGIT.match(form):
        return True
    if says and _names_author_first(form, addressed=addressed):
        return timed or above_marked
    looks_so = addressed and _YEAR.search(form) and not words.own.search(form)
    return True if looks_so and (above_marked or (timed and _CLOSING_WORDS.search(form))) else None


def _names_author_first(form: str, *, addressed: bool) -> bool:
    """Whether a name and an address begin the line, or a name before "wrote" and a date."""
    words = _introductions()
    if words.own.match(form):
        return False
    if addressed:
        return _NAME_FIRST.match(form) is not None
    by = words.wrote_by.search(form)
    return by is not None and _YEAR.search(by[1]) is not None and form[: by.start()].count(" ") < _MOST_NAMES


def _says_wrote(form: str, *, closed: bool) -> bool:
    words = _introductions()
    if closed and words.wrote.search(form):
        return True
    by = words.wrote_by.search(form)
    return by is not None and (_DATED.search(by[1]) is not None or by[1].count(" ") < _MOST_NAMES)
