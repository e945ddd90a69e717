"""What does a phrase of a lexicon match? The small pattern language of the ``lexicon/*.toml`` files.

A phrase is a row of words as ``wording.py`` writes them: lower case, contractions spelled out, one space apart.

==================  ================================================================================
``cancel``          that word
``cancel*``         a word that begins so
``want|need``       one of these words
``(a b|c)``         one of these rows of words
``[please]``        the same, or nothing
``<item>``          a row of words out of the lexicon's ``[words]`` table
``~3``              up to three words, no comma among them
``,``               a comma, colon, dash or bracket
``^``, ``$``        the begin, the end of a clause: of the sentence, or at a comma
``@``, ``#``        a date; a number of four digits or more, such as an order number
==================  ================================================================================

A phrase becomes a regular expression without nested or unbounded repetition, so that matching is linear.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from sys import intern

from mailbot.errors import InputError, shown

_LONGEST_GAP = 8
_SHORTEST_STEM = 3  # letters; shorter stems would match half the language
STEM = "*"
_SIGN = re.compile(r"<\w+>|~\d|[()\[\]|^$,]|[^\s()\[\]|^$,<>~]+")
_BRACKETS = {"(": ")", "[": "]"}
_EDGES = {"^": "(?:^|(?<= ,))", "$": "(?= ,| $)"}
_NODE_END = {")", "]", "|"}

Needs = tuple[frozenset[str], ...]
"""Sets of words and, as ``canc*``, of stems."""
Spell = Callable[[str], Sequence[str]]
"""How ``wording.py`` would write one written word."""


class WordSet:
    """Words of which some are stems: ``cancel`` and all that begins with ``refund*``."""

    __slots__ = ("_lengths", "_stems", "exact")

    def __init__(self, written: Iterable[str]) -> None:
        """Part the words from the stems, which end with a star."""
        written = frozenset(written)
        self.exact = frozenset(map(intern, (word for word in written if not word.endswith(STEM))))
        self._stems = frozenset(intern(word[:-1]) for word in written if word.endswith(STEM))
        self._lengths = tuple(sorted(set(map(len, self._stems))))

    def __contains__(self, word: object) -> bool:
        """Whether a word is one of them or begins with a stem."""
        if word in self.exact:
            return True
        if isinstance(word, str):
            for length in self._lengths:
                if word[:length] in self._stems:
                    return True
        return False

    def __iter__(self) -> Iterator[str]:
        """Every word and, with its star, every stem."""
        yield from self.exact
        yield from (f"{stem}{STEM}" for stem in self._stems)

    def isdisjoint(self, words: Iterable[str]) -> bool:
        """Whether none of the words is one of these."""
        return not any(word in self for word in words) if self._stems else self.exact.isdisjoint(words)

    def stems_of(self, words: Iterable[str]) -> list[str]:
        """Every stem that one of the words begins with, with its star."""
        stems = self._stems
        return [stem + STEM for word in words for length in self._lengths if (stem := word[:length]) in stems]

    def stem_of(self, word: str) -> str | None:
        """The longest stem that a word begins with, with its star."""
        found = (word[:length] for length in reversed(self._lengths) if word[:length] in self._stems)
        stem = next(found, None)
        return stem and f"{stem}{STEM}"


class PhraseError(InputError):
    """A phrase that cannot be read: ``phrase`` as written, and what is wrong with it."""

    def __init__(self, phrase: str, problem: str) -> None:
        """Keep the phrase apart from what is wrong with it."""
        self.phrase, self.problem = phrase, problem
        super().__init__(f"phrase {shown(phrase)} {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A compiled phrase.

    Attributes:
        pattern: of ``regex``, which searches the words of a sentence, each with a space before it and one at the end.
        listed: every word that the phrase may consist of, and every stem, one space apart.
    """

    pattern: str
    listed: str

    @property
    def regex(self) -> re.Pattern[str]:
        """The compiled pattern: compiled when first asked for, as few of a language's phrases stand in one mail."""
        return _compiled(self.pattern)

    @property
    def words(self) -> WordSet:
        """What ``listed`` lists: made when first asked for, as sets of all phrases' words take much memory."""
        return _word_set(self.listed)


@dataclass(slots=True)
class _Part:
    """A piece of a phrase while it is compiled: what it matches, what it cannot do without, what it may hold."""

    regex: str = ""
    needs: list[frozenset[str]] = field(default_factory=list)
    words: set[str] = field(default_factory=set)


class PhraseCompiler:
    """Compiles the phrases of one lexicon."""

    def __init__(self, words: Mapping[str, str], spell: Spell) -> None:
        """Keep the lexicon's word table and its way to spell a word.

        Args:
            words: slot name to a row of alternatives, which may name further slots.
            spell: how ``wording.py`` would write one written word.
        """
        self._written, self._spell = words, spell
        self._slots: dict[str, _Part] = {}
        self._words: dict[str, _Part] = {}

    def compile(self, written: str) -> tuple[Phrase, Needs]:
        """Compile one phrase, and say what it needs: a sentence without a word of each set cannot match it.

        Raises:
            PhraseError: brackets without their partner, an unknown slot, or nothing that must be there.
        """
        reader = _Reader(written, self)
        part = reader.alternatives(None)
        if not part.needs:
            raise PhraseError(written, "has no word that must be there")
        return Phrase(pattern=part.regex + "(?= )", listed=" ".join(sorted(part.words))), tuple(part.needs)

    def slot(self, name: str, phrase: str) -> _Part:
        """The compiled slot ``<name>``; a slot that needs itself is refused."""
        if name not in self._written:
            raise PhraseError(phrase, f"names <{name}>, which [words] does not have")
        if name not in self._slots:
            self._slots[name] = _Part(regex="", needs=[])
            self._slots[name] = _Reader(f"({self._written[name]})", self).alternatives(None)
        part = self._slots[name]
        if not part.regex:
            raise PhraseError(phrase, f"needs <{name}> to know what <{name}> is")
        return part

    def word(self, written: str) -> _Part:
        """One written word as the sequence of words that ``wording.py`` makes of it."""
        if written not in self._words:
            self._words[written] = self._word(written)
        return self._words[written]

    def _word(self, written: str) -> _Part:
        stem = written.endswith(STEM)
        if stem and len(written) <= _SHORTEST_STEM:
            raise PhraseError(written, f"is too short a stem; write at least {_SHORTEST_STEM} letters")
        words = self._spell(written[:-1] if stem else written)
        if not all(any(map(str.isalnum, word)) for word in words):
            raise PhraseError(written, "is no word")
        if stem and len(words) != 1:
            raise PhraseError(written, "is a stem of more than one word")
        tail, mark = ("[^ ]*", STEM) if stem else ("", "")
        return _Part(
            regex="".join(f" {re.escape(word)}{tail}" for word in words),
            needs=[frozenset({intern(f"{word}{mark}")}) for word in words],
            words={intern(f"{word}{mark}") for word in words},
        )


class _Reader:
    """Reads one phrase from left to right."""

    def __init__(self, written: str, compiler: PhraseCompiler) -> None:
        self.written, self.compiler = written, compiler
        self.signs = _SIGN.findall(written)
        self.at = 0

    def alternatives(self, closing: str | None) -> _Part:
        rows = [self.row(in_brackets=closing is not None)]
        while self.at < len(self.signs) and self.signs[self.at] == "|":
            self.at += 1
            rows.append(self.row(in_brackets=closing is not None))
        if closing is None and self.at < len(self.signs):
            raise PhraseError(self.written, f"has {self.signs[self.at]!r} without its partner")
        if closing is not None:
            if self.at >= len(self.signs) or self.signs[self.at] != closing:
                raise PhraseError(self.written, f"lacks a {closing!r}")
            self.at += 1
        return _any_of(rows)

    def row(self, *, in_brackets: bool) -> _Part:
        row = _Part()
        while self.at < len(self.signs) and self.signs[self.at] not in _NODE_END:
            part = self.element()
            if not in_brackets:
                words = [part]
                while self.at < len(self.signs) and self.signs[self.at] == "|":
                    self.at += 1
                    words.append(self.element())
                part = _any_of(words)
            row.regex += part.regex
            row.needs += part.needs
            row.words |= part.words
        if in_brackets and not row.regex:
            raise PhraseError(self.written, "has an empty alternative; write [a|b] for what may be missing")
        return row

    def element(self) -> _Part:
        if self.at >= len(self.signs):
            raise PhraseError(self.written, "ends too early")
        sign = self.signs[self.at]
        self.at += 1
        if sign in _BRACKETS:
            part = self.alternatives(_BRACKETS[sign])
            return part if sign == "(" else _Part(regex=f"(?:{part.regex})?", words=part.words)
        if sign[0] == "<":
            return self.compiler.slot(sign[1:-1], self.written)
        return _mark(sign) or self.compiler.word(sign)


@cache
def _word_set(listed: str) -> WordSet:
    return WordSet(listed.split())


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _mark(sign: str) -> _Part | None:
    if sign[0] == "~":
        return _Part(regex=f"(?: [^ ,]+){{0,{min(int(sign[1:]), _LONGEST_GAP)}}}?")
    if sign in _EDGES:
        return _Part(regex=_EDGES[sign])
    return _Part(regex=f" {sign}", needs=[frozenset({sign})]) if sign in {",", "@", "#"} else None


def _any_of(rows: Sequence[_Part]) -> _Part:
    if len(rows) == 1:
        return rows[0]
    words: set[str] = set().union(*(row.words for row in rows))
    needs = (
        [frozenset().union(*(max(row.needs, key=_length) for row in rows))] if all(row.needs for row in rows) else []
    )
    return _Part(regex=f"(?:{'|'.join(row.regex for row in rows)})", needs=needs, words=words)


def _length(need: frozenset[str]) -> int:
    return min(map(len, need))


def rarest_first(needs_of: Sequence[Needs]) -> list[Needs]:
    """The needs of each phrase, the most telling one first: the one whose words the fewest phrases need."""
    common = Counter(word for needs in needs_of for need in needs for word in need)
    return [
        tuple(sorted(set(needs), key=lambda need: (sum(common[w] for w in need), sorted(need)))) for needs in needs_of
    ]
