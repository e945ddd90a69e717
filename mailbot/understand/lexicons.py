"""Which phrases of one language say what: a file ``lexicon/<language>.toml`` as a frozen ``Lexicon``.

The head of ``lexicon/en.toml`` explains the tables; a further language is a further file, no code.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import accumulate
from types import MappingProxyType
from typing import Any

from mailbot.errors import InputError, shown
from mailbot.model.facts import Reason, Remedy
from mailbot.understand.phrases import STEM, Needs, Phrase, PhraseCompiler, WordSet, rarest_first
from mailbot.understand.stated_dates import DateWords, compile_date_words
from mailbot.understand.wording import NUMBER, Spelling, spell

_WORD = re.compile(r"[^\W\d_]+")
_LANGUAGE_CODE = 2  # letters: ISO 639-1
_TELLING = 2  # reasons, facts and doubts; a word of more of them tells of none
_REACH = 6  # words that a negator reaches forward, as long as no break stands between


class Terms:
    """A word list: sought word by word, or in the running text of a language that writes without spaces."""

    __slots__ = ("_running", "_words")

    def __init__(self, words: Iterable[str], *, spaced: bool) -> None:
        """Keep the words, the longest first where they are sought in running text."""
        words = sorted(set(words), key=lambda word: (-len(word), word))
        self._words = WordSet(words)
        self._running = None if spaced or not words else re.compile("|".join(map(re.escape, words)))

    def places(self, words: Sequence[str]) -> list[range]:
        """Where in a sentence they stand, in order, without overlaps."""
        if self._running is None:
            return [range(place, place + 1) for place, word in enumerate(words) if word in self._words]
        ends = list(accumulate(map(len, words)))
        found = self._running.finditer("".join(words))
        return [range(bisect_right(ends, each.start()), bisect_right(ends, each.end() - 1) + 1) for each in found]

    def stand_in(self, words: Sequence[str]) -> bool:
        """Whether a sentence has one of them."""
        if self._running is None:
            return not self._words.isdisjoint(words)
        return self._running.search("".join(words)) is not None


class Kind(StrEnum):
    """What a phrase is for: the table of the lexicon that it stands in."""

    REASON = "reason"
    WANTS = "wants"
    FACT = "facts"
    RECEIVED = "received"
    ITEM = "items"
    DISPUTE = "dispute"
    DOUBT = "doubts"
    OTHER = "other"
    FRAME = "frames"
    FILLER = "filler"
    FOLLOW_UP = "follow_ups"


class Strength(StrEnum):
    """How much a phrase tells by itself; the head of ``lexicon/en.toml`` explains each."""

    CLEAR = "clear"
    SYMPTOM = "symptom"
    LIKELY = "likely"
    GENERIC = "generic"
    VAGUE = "vague"

    @property
    def yields(self) -> bool:
        """Whether any other reason goes before it."""
        return self in {Strength.GENERIC, Strength.VAGUE}

    @property
    def uncertain(self) -> bool:
        """Whether a person should look."""
        return self in {Strength.LIKELY, Strength.VAGUE}


QUESTIONS = frozenset({"policy", "status", "advice", "change", "process"})
"""Values of ``other`` that ask for something, however they are put."""
NO_ORDER = "no_order"
"""The value of ``other`` for what no order of a shop is about: a flight, a bank card, an account."""


class Follow(StrEnum):
    """What a later mail may say that is neither a wish nor a question."""

    RETURN_SENT = "return_sent"
    TRACKING = "tracking"
    ACKNOWLEDGEMENT = "acknowledgement"


class Frame(StrEnum):
    """What a phrase does to the words around it; the head of ``lexicon/en.toml`` explains each."""

    HYPOTHETICAL = "hypothetical"
    POLITE = "polite"
    AFFIRMING = "affirming"
    HEDGE = "hedge"
    ELSEWHERE = "elsewhere"
    REPORTED = "reported"
    QUESTION = "question"
    DENIED = "denied"
    DENYING = "denying"
    SUPPOSING = "supposing"


class Fact(StrEnum):
    """A fact of the claim that is stated or denied."""

    ITEM_USED = "item_used"
    ITEM_ALTERED = "item_altered"
    ORIGINAL_BOX = "original_box"
    REPURCHASED = "repurchased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One phrase and what it says: ``reason`` ``change_of_mind`` ``clear``, ``facts`` ``item_used`` ``no``."""

    kind: Kind
    value: str
    strength: str
    phrase: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """All that reading needs to know of one language.

    Attributes:
        language: ISO 639-1.
        spelling: how its words are written alike.
        spaced: its words stand apart; else each character is a word, and word lists are searched in the running text.
        neutral: words that never are a reason by themselves; the ``everyday`` ones among them can be one together.
        tells: word to the reasons, facts and doubts whose phrases use it; one that no phrase explains hints at them.
        vocabulary: every word that the lexicon knows.
        negators, breaks, alternatives: words that deny what follows, that end a denial, that carry it on through a
            list ("or").
        reach: how many words a negator denies.
        grounds, conclusions: words that announce a reason ("because"), that follow one ("so").
        goods: words that say what a mail is about: an order, goods, an invoice.
        money: words that say of a question "where is it?" that it is about money that comes back.
        names_capitalised: an upper-case word within a sentence is a name (not so in German).
        by_word: the word that a rule is found by, to the places of those rules and to what else each needs.
    """

    language: str
    spelling: Spelling
    spaced: bool
    neutral: Terms
    everyday: Terms
    tells: Mapping[str, frozenset[str]]
    vocabulary: WordSet
    negators: frozenset[str]
    breaks: frozenset[str]
    alternatives: frozenset[str]
    reach: int
    grounds: frozenset[str]
    conclusions: frozenset[str]
    goods: Terms
    money: Terms
    abbreviations: frozenset[str]
    names_capitalised: bool
    dates: DateWords
    rules: tuple[Rule, ...]
    by_word: Mapping[str, Sequence[tuple[int, frozenset[str]]]]

    def candidates(self, words: Sequence[str]) -> list[int]:
        """Places in ``rules`` of those whose two most telling needs stand in ``words``, in the order of the file."""
        present = set(words)
        present.update(self.vocabulary.stems_of(present))
        found = set()
        for word in present & self.by_word.keys():
            for place, need in self.by_word[word]:
                if not need.isdisjoint(present):
                    found.add(place)
        return sorted(found)

    def hints(self, word: str) -> frozenset[str]:
        """The reasons, facts and doubts whose phrases use a word."""
        if word in self.tells:
            return self.tells[word]
        stem = self.vocabulary.stem_of(word)
        return self.tells.get(stem, frozenset()) if stem else frozenset()


_VALUES: Mapping[Kind, frozenset[str] | None] = {
    Kind.REASON: frozenset(Reason) - {Reason.UNSPECIFIED},
    Kind.WANTS: frozenset(Remedy) - {Remedy.UNSPECIFIED},
    Kind.FACT: frozenset(Fact),
    Kind.FRAME: frozenset(Frame),
    Kind.RECEIVED: None,
    Kind.ITEM: None,
    Kind.DISPUTE: None,
    Kind.DOUBT: None,
    Kind.OTHER: None,
    Kind.FILLER: None,
    Kind.FOLLOW_UP: frozenset(Follow),
}
_STRENGTHS: Mapping[Kind, frozenset[str]] = {
    Kind.REASON: frozenset(Strength),
    Kind.WANTS: frozenset({Strength.CLEAR, Strength.LIKELY}),
    Kind.FACT: frozenset({"yes", "no"}),
}
_PLAIN = frozenset({Strength.CLEAR})


@cache
def load_lexicons() -> Mapping[str, Lexicon]:
    """Every language that ships, by its code; read once.

    Raises:
        InputError: a file is wrong; the text says where.
    """
    folder = files("mailbot.understand") / "lexicon"
    names = sorted(file.name for file in folder.iterdir())
    languages = [name.removesuffix(".toml") for name in names if name.endswith(".toml")]
    return MappingProxyType(
        {
            language: parse_lexicon((folder / f"{language}.toml").read_text(encoding="utf-8"), language)
            for language in languages
            if len(language) == _LANGUAGE_CODE
        }
    )


def parse_lexicon(text: str, language: str) -> Lexicon:
    """Compile one lexicon file.

    Args:
        text: TOML as the head of ``lexicon/en.toml`` describes it.
        language: ISO 639-1.

    Raises:
        InputError: it is no such file; the text names the table and the phrase.
    """
    try:
        file = tomllib.loads(text)
        return _lexicon(file, language, frozenset(_WORD.findall(text.lower())))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, ValueError) as problem:
        raise InputError(f"lexicon {language}: {type(problem).__name__}: {problem}") from None
    except InputError as problem:
        raise InputError(f"lexicon {language}: {problem}") from None


def _lexicon(file: Mapping[str, Any], language: str, written: frozenset[str]) -> Lexicon:
    grammar = file["grammar"]
    spelling = _spelling(file, written)
    compiler = PhraseCompiler(file["words"], lambda word: spell(word, spelling))
    rules, needs = zip(*_rules(file, compiler), strict=True)
    spaced = grammar.get("spaced", True)

    def words(*lists: Any) -> frozenset[str]:
        return frozenset(plain for word in _words(lists) for plain in _plain(word, spelling))

    everyday = words(*file["neutral"]["everyday"].values())
    neutral = everyday | words(*file["neutral"]["empty"].values())
    said = {kind: _said(rules, kind) for kind in Kind}
    known = neutral.union(*said.values(), *([plain] for plains in spelling.same.values() for plain in plains))
    return Lexicon(
        language=language,
        spelling=spelling,
        spaced=spaced,
        neutral=Terms(neutral if spaced else _words(_lists(file["neutral"])), spaced=spaced),
        everyday=Terms(everyday if spaced else _words(file["neutral"]["everyday"].values()), spaced=spaced),
        tells=_tells(rules, neutral | said[Kind.WANTS]) if spaced else MappingProxyType({}),
        vocabulary=WordSet(known),
        negators=words(grammar["negators"]),
        breaks=words(grammar["breaks"]),
        alternatives=words(grammar["alternatives"]),
        reach=grammar.get("reach", _REACH),
        grounds=words(grammar["grounds"]),
        conclusions=words(grammar["conclusions"]),
        goods=Terms([*(words if spaced else _each)(grammar["goods"]), NUMBER], spaced=spaced),
        money=Terms((words if spaced else _each)(grammar["money"]), spaced=spaced),
        abbreviations=_words([grammar["abbreviations"]]),
        names_capitalised=grammar["names_capitalised"],
        dates=compile_date_words(**file["dates"], spaced=spaced),
        rules=rules,
        by_word=_index(needs),
    )


def _spelling(file: Mapping[str, Any], written: frozenset[str]) -> Spelling:
    grammar = file["grammar"]
    alike = [(here, there) for here, there in grammar.get("alike", ())]
    bare = Spelling(
        same=MappingProxyType({}),
        signs=str.maketrans({here: there for here, there in alike if len(here) == 1}),
        pairs=tuple((here, there) for here, there in alike if len(here) > 1),
    )
    listed = {
        bare.fold(variant): tuple(map(bare.fold, plain.split()))
        for plain, variants in file["same"].items()
        for variant in variants.split()
    }
    mistyped = _misspelt([bare.fold(word) for word in grammar["mistyped"].split()], frozenset(map(bare.fold, written)))
    plains = {word: listed.get(word, (word,)) for word in set(mistyped.values())}
    slips = {form: plains[word] for form, word in mistyped.items()}
    return replace(bare, same=MappingProxyType(slips | listed))


def _plain(word: str, spelling: Spelling) -> Sequence[str]:
    if word.endswith(STEM):
        return (spelling.fold(word[:-1]) + STEM,)
    return spell(word, spelling)


def _lists(tables: Mapping[str, Mapping[str, str]]) -> list[str]:
    return [words for table in tables.values() for words in table.values()]


def _each(words: str) -> frozenset[str]:
    return _words([words])


def _misspelt(mistyped: Sequence[str], written: frozenset[str]) -> dict[str, str]:
    """Every spelling one slip away from a word that mails turn on, but for words that the file itself writes."""
    letters = sorted(set("".join(written)))
    slips: dict[str, str] = {}
    for word in mistyped:
        for place in range(1, len(word) + 1):
            head, tail = word[:place], word[place:]
            forms = [head + tail[1:], head + tail[1:2] + tail[:1] + tail[2:]]
            forms += [head + letter + rest for letter in letters for rest in (tail, tail[1:])]
            slips.update({form: word for form in forms if form not in written})
    return slips


def _rules(file: Mapping[str, Any], compiler: PhraseCompiler) -> Iterator[tuple[Rule, Needs]]:
    for kind in Kind:
        for value, phrases in file[kind].items():
            values = _VALUES[kind]
            if values is not None and value not in values:
                raise InputError(f"[{kind}] {value!r} is none of {', '.join(sorted(values))}")
            by_strength = phrases if isinstance(phrases, dict) else {Strength.CLEAR: phrases}
            for strength, written in by_strength.items():
                if strength not in _STRENGTHS.get(kind, _PLAIN):
                    raise InputError(f"[{kind}.{value}] has no {strength!r}")
                for phrase in written:
                    compiled, needs = compiler.compile(phrase)
                    yield Rule(kind=kind, value=value, strength=strength, phrase=compiled), needs


def _said(rules: Sequence[Rule], kind: Kind) -> frozenset[str]:
    return frozenset().union(*(rule.phrase.listed.split() for rule in rules if rule.kind is kind))


def _tells(rules: Sequence[Rule], silent: frozenset[str]) -> Mapping[str, frozenset[str]]:
    tells: dict[str, set[str]] = {}
    for rule in rules:
        if rule.kind in {Kind.REASON, Kind.FACT, Kind.DISPUTE, Kind.DOUBT}:
            for word in frozenset(rule.phrase.listed.split()) - silent:
                tells.setdefault(word, set()).add(rule.value)
    telling = {word: frozenset(values) for word, values in tells.items() if len(values) <= _TELLING}
    return MappingProxyType(telling)


def _words(lists: Iterable[Any]) -> frozenset[str]:
    texts = list(lists)
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"{shown(texts)} is no text of words")
    return frozenset(word for text in texts for word in text.split())


def _index(needs_of: Sequence[Needs]) -> Mapping[str, Sequence[tuple[int, frozenset[str]]]]:
    index: dict[str, list[tuple[int, frozenset[str]]]] = {}
    for place, needs in enumerate(rarest_first(needs_of)):
        entry = place, needs[min(1, len(needs) - 1)]
        for word in needs[0]:
            index.setdefault(word, []).append(entry)
    return MappingProxyType(index)
