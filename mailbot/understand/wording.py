"""How does a sentence read once spelling, contractions and punctuation no longer differ?"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from mailbot.understand.stated_dates import StatedDate

CLAUSE_MARK = ","
DATE = "@"
NUMBER = "#"
_LONG_NUMBER = 4  # digits
_CHARACTER_SCRIPTS = "\u3005\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_LETTER = rf"[^\W\d_{_CHARACTER_SCRIPTS}]"
_SIGN = rf"[^\W{_CHARACTER_SCRIPTS}]"  # a letter, a digit or a low line
_TOKEN = re.compile(
    rf"""(?P<plain>{_LETTER}+(?![\w@'\u2019\u02bc`:]|[-\u2013.+]\w))
    | (?P<link>https?://\S{{1,2000}}|www\.\S{{1,500}}|[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,4}})
    | (?P<character>[{_CHARACTER_SCRIPTS}])
    | (?P<number>(?:{_LETTER}{{1,20}}[-\u2013]?)?[0-9]{_SIGN}{{0,40}}(?:[-./:,][0-9]{_SIGN}{{0,40}}){{0,9}})
    | (?P<word>{_LETTER}+(?:['\u2019\u02bc`]{_LETTER}+)*)
    | (?P<mark>[,;:()\[\]{{}}"\u201c\u201d\u201e\u00ab\u00bb\u3001\u3002\u2013\u2014.!?\u2026]|(?<=\s)-+(?=\s))
    """,
    re.VERBOSE,
)
_APOSTROPHES = str.maketrans("\u2019\u02bc`", "'''")
_FULL_WIDTH = {0xFF01 + place: 0x21 + place for place in range(94)} | {0x3000: 0x20}
_OPENING, _CLOSING = frozenset("([\uff08"), frozenset(")]\uff09")
_DRAWN_OUT = re.compile(r"(\w)\1{2,}")
_PLAIN_LETTERS = str.maketrans({"ß": "ss", "ł": "l", "œ": "oe", "æ": "ae", "ø": "o", "đ": "d"})
_ACCENTS = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How one language's words are brought to one spelling.

    Attributes:
        same: written word, folded, to the plain words that it stands for.
        signs: further single letters that count as others, after accents are gone.
        pairs: the same of more than one letter: ``ae`` as ``a``.
    """

    same: Mapping[str, Sequence[str]]
    signs: Mapping[int, str] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()

    def fold(self, word: str) -> str:
        """A word in lower case without accents, so that ``möchte``, ``moechte`` and ``mochte`` are one."""
        if not word.isascii():
            letters = unicodedata.normalize("NFD", word.translate(_PLAIN_LETTERS))
            word = unicodedata.normalize("NFC", _ACCENTS.sub("", letters))
        if self.signs:
            word = word.translate(self.signs)
        for written, plain in self.pairs:
            word = word.replace(written, plain)
        return word


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One sentence in plain words, and where each of them came from.

    Attributes:
        text: the words with a space before each and one at the end; ``,`` parts clauses, ``@`` is a date, ``#`` a long
            number.
        words: the same, one by one; ``spans`` says where in the source each stands.
        dates: place of each ``@`` among the words, and its date.
    """

    text: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    dates: Mapping[int, StatedDate]
    starts: Sequence[int]

    def place(self, offset: int) -> int:
        """Which word the character ``text[offset]`` belongs to."""
        return bisect_right(self.starts, offset) - 1


def spell(word: str, spelling: Spelling) -> Sequence[str]:
    """One written word as plain words: ``don't`` is ``do not``, ``recieved`` is ``received``.

    A word that ``same`` does not list is parted at its apostrophes, and in scripts without spaces at each character.
    """
    plain = spelling.fold(word.lower().translate(_APOSTROPHES))
    if plain in spelling.same:
        return spelling.same[plain]
    return [piece for token in _TOKEN.finditer(plain) for piece in _pieces(token[0], spelling)] or [plain]


def words_of(text: str) -> list[str]:
    """The words of any text in lower case as they are written, single characters in scripts without spaces."""
    return [token[0].lower() for token in _TOKEN.finditer(text) if token.lastgroup in {"plain", "word", "character"}]


def word_sentence(
    text: str,
    stretch: tuple[int, int],
    *,
    spelling: Spelling,
    known: Container[str],
    dates: Sequence[StatedDate] = (),
) -> Wording:
    """Write one sentence in plain words.

    Args:
        text: the whole text, whose offsets ``spans`` keeps.
        stretch: where the sentence starts and ends.
        spelling: of the text's language.
        known: words that are right as they stand, so that a drawn-out ``reeeally`` is mended and ``iii`` is not.
        dates: the dates in this sentence, in order, apart; each becomes one word.
    """
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    by_place: dict[int, StatedDate] = {}
    waiting = list(reversed(dates))
    begun = stretch[0]
    written = text[begun : stretch[1]]
    if not written.isascii():
        written = written.translate(_FULL_WIDTH)
    for token in _TOKEN.finditer(written):
        span = begun + token.start(), begun + token.end()
        while waiting and waiting[-1].end <= span[0]:
            waiting.pop()
        if waiting and span[0] >= waiting[-1].start:
            if by_place.get(len(words) - 1) is not waiting[-1]:
                by_place[len(words)] = waiting[-1]
                words.append(DATE)
                spans.append((waiting[-1].start, waiting[-1].end))
            continue
        word = token[0].lower()
        if word in _CLOSING and _is_bracketed_number(words, text, spans):
            del words[-2], spans[-2]
            continue
        if word in known and token.lastgroup != "mark":
            words.append(word)
            spans.append(span)
            continue
        for plain in _plain(token.lastgroup, word, spelling):
            words.append(plain)
            spans.append(span)
    starts, at = [], 0
    for word in words:
        starts.append(at)
        at += len(word) + 1
    return Wording(
        text=" " + " ".join(words) + " ", words=tuple(words), spans=tuple(spans), dates=by_place, starts=starts
    )


def _is_bracketed_number(words: Sequence[str], text: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the last words are a bracket and a number: an order number in brackets parts no clause."""
    return words[-2:] == [CLAUSE_MARK, NUMBER] and text[spans[-2][0]] in _OPENING and len(words) > len("()")


def _plain(kind: str | None, word: str, spelling: Spelling) -> Sequence[str]:
    if kind == "mark":
        return (CLAUSE_MARK,)
    if kind == "link":
        return (NUMBER,)
    if kind == "character":
        return (word.translate(spelling.signs),)
    if kind == "number":
        digits = sum(sign.isdigit() for sign in word)
        is_code = word[0].isalpha() or "-" in word
        return (NUMBER,) if is_code or digits >= _LONG_NUMBER else spelling.same.get(word) or (word,)
    word = spelling.fold(word.translate(_APOSTROPHES))
    if word not in spelling.same and _DRAWN_OUT.search(word):
        word = _DRAWN_OUT.sub(r"\1", word)
    return _pieces(word, spelling)


def _pieces(word: str, spelling: Spelling) -> Sequence[str]:
    """A folded word as what it stands for, else as its pieces between apostrophes, each as what that stands for."""
    if word in spelling.same:
        return spelling.same[word]
    if "'" not in word:
        return (word,)
    return [plain for piece in word.split("'") if piece for plain in spelling.same.get(piece, (piece,))]
