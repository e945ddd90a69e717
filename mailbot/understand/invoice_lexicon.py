"""Which words of ``lexicon/invoices.toml`` stand where in a line, and what a currency mark may mean."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from mailbot.errors import InputError
from mailbot.model.money import DECIMALS
from mailbot.understand.amounts import Marks

_WORD = re.compile(r"\w+")
_WITHIN_PHRASE = re.compile(r"[ .°'\-/&(#]{0,3}")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_ACCENTS = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f]")
_MOST_WORDS = 6
_MOST_IN_A_LINE = 40
_NO_LANGUAGES = frozenset({"marks", "everyday", "files"})
_NO_LABELS = frozenset({"months", "mark"})
_Phrase = TypeVar("_Phrase", str, tuple[str, ...])
_PLAIN_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d"})


class LabelKind(StrEnum):
    """What a phrase of an invoice announces; the head of ``lexicon/invoices.toml`` explains each."""

    INVOICE = "invoice"
    ORDER = "order"
    CREDIT = "credit"
    DELIVERY = "delivery"
    OFFER = "offer"
    REMINDER = "reminder"
    SELF_BILLED = "self_billed"
    INVOICE_NUMBER = "invoice_number"
    CREDIT_NUMBER = "credit_number"
    PAPER_NUMBER = "paper_number"
    ORDER_NUMBER = "order_number"
    ORDER_WORD = "order_word"
    OTHER_NUMBER = "other_number"
    NUMBER_WORD = "number_word"
    INVOICE_DATE = "invoice_date"
    PLAIN_DATE = "plain_date"
    ORDER_DATE = "order_date"
    OTHER_DATE = "other_date"
    GRAND_TOTAL = "grand_total"
    TOTAL = "total"
    DUE = "due"
    PAID = "paid"
    PART = "part"
    INCLUDING = "including"
    WITHOUT = "without"
    CURRENCY = "currency"
    FORWARDED_SUBJECT = "forwarded_subject"
    OTHER = "other"


PROOF = frozenset({LabelKind.INVOICE, LabelKind.ORDER})
"""Titles of papers that prove a purchase."""


class Meaning(NamedTuple):
    """What a phrase announces, and the languages (ISO 639-1) that say it so."""

    kind: LabelKind
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One phrase of the lexicon found in a line, ``line[start:end]``."""

    kind: LabelKind
    languages: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLexicon:
    """The lexicon file as it is looked up.

    Attributes:
        phrases: folded words of a phrase to what it announces and in which languages.
        first_words: that phrases begin with.
        endings: last parts of compound words, likewise; ``all_endings`` are just them.
        proof_titles: finds in folded text what may title an invoice or an order confirmation.
        ideographs: finds the phrases of languages that set no spaces; ``ideograph_kinds`` says what each announces.
        months: folded month names to 1-12.
        marks: what may stand beside an amount.
        own_currency: the currency that readers of a language mean by a shared sign such as the yen sign.
        paper_names, nameless: words of file names that speak of an invoice, and that say nothing.
    """

    phrases: Mapping[tuple[str, ...], Meaning]
    first_words: frozenset[str]
    endings: Mapping[str, Meaning]
    all_endings: tuple[str, ...]
    proof_titles: re.Pattern[str]
    ideographs: re.Pattern[str]
    ideograph_kinds: Mapping[str, Meaning]
    months: Mapping[str, int]
    marks: Marks
    own_currency: Mapping[str, str]
    paper_names: frozenset[str]
    nameless: frozenset[str]

    def labels(self, line: str) -> list[Label]:
        """Every phrase of the lexicon in one line, left to right, the longest at each place; at most 40 of a script."""
        found = list(islice(self._spaced(line), _MOST_IN_A_LINE))
        if _IDEOGRAPHS.search(line):
            found += islice(self._unspaced(line), _MOST_IN_A_LINE)
            found.sort(key=lambda label: label.start)
        return found

    def _spaced(self, line: str) -> Iterator[Label]:
        words = [(match.start(), match.end(), fold(match[0])) for match in _WORD.finditer(line)]
        place = 0
        while place < len(words):
            length, meaning = self._longest(line, words, place)
            if meaning is not None:
                kind, languages = meaning
                yield Label(kind=kind, languages=languages, start=words[place][0], end=words[place + length - 1][1])
            place += length

    def _longest(self, line: str, words: list[tuple[int, int, str]], place: int) -> tuple[int, Meaning | None]:
        best: tuple[int, Meaning | None] = (1, self._compound(words[place][2]))
        if words[place][2] not in self.first_words:
            return best
        phrase: tuple[str, ...] = ()
        for length, (start, _, word) in enumerate(words[place : place + _MOST_WORDS], 1):
            if length > 1 and not _WITHIN_PHRASE.fullmatch(line, words[place + length - 2][1], start):
                break
            phrase = (*phrase, word)
            if phrase in self.phrases:
                best = (length, self.phrases[phrase])
        return best

    def _compound(self, word: str) -> Meaning | None:
        if not word.endswith(self.all_endings):
            return None
        return next(meaning for ending, meaning in self.endings.items() if word.endswith(ending))

    def _unspaced(self, line: str) -> Iterator[Label]:
        for match in self.ideographs.finditer(line):
            kind, languages = self.ideograph_kinds[match[0].upper()]
            yield Label(kind=kind, languages=languages, start=match.start(), end=match.end())

    def month(self, word: str) -> int | None:
        """The month that a word names in any of the languages."""
        return self.months.get(fold(word))


def fold(word: str) -> str:
    """A word or a text as it is compared: without case and accents."""
    if word.isascii():
        return word.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", word.casefold())).translate(_PLAIN_LETTERS)


@cache
def invoice_lexicon() -> InvoiceLexicon:
    """The lexicon file that ships, read once."""
    return build_lexicon(tomllib.loads((files(__package__) / "lexicon" / "invoices.toml").read_text("utf-8")))


def build_lexicon(file: Mapping[str, Any]) -> InvoiceLexicon:
    """Turn the file's tables into what is looked up.

    Raises:
        InputError: a phrase announces two things, or a currency does not circulate.
        ValueError: there is no such kind of label.
    """
    spaced: dict[tuple[str, ...], Meaning] = {}
    endings: dict[str, Meaning] = {}
    unspaced: dict[str, Meaning] = {}
    languages = {name: table for name, table in file.items() if name not in _NO_LANGUAGES}
    for language, kind, phrase in _phrases(languages):
        if phrase.startswith("*"):
            _announce(endings, fold(phrase[1:]), kind, language)
        elif _IDEOGRAPHS.search(phrase):
            _announce(unspaced, phrase.upper(), kind, language)
        else:
            _announce(spaced, tuple(map(fold, _WORD.findall(phrase))), kind, language)
    return InvoiceLexicon(
        phrases=spaced,
        first_words=frozenset(phrase[0] for phrase in spaced),
        all_endings=tuple(endings),
        proof_titles=_proof_titles(spaced, endings, unspaced),
        endings=dict(sorted(endings.items(), key=lambda entry: -len(entry[0]))),
        ideographs=re.compile("|".join(map(re.escape, sorted(unspaced, key=len, reverse=True))), re.IGNORECASE),
        ideograph_kinds=unspaced,
        months={
            fold(name): place % 12 + 1 for table in languages.values() for place, name in enumerate(table["months"])
        },
        marks=Marks(
            meanings={mark: _known(codes) for mark, codes in file["marks"].items()}
            | {code: (code,) for code in DECIMALS},
            everyday=frozenset((*file["everyday"]["codes"], *file["everyday"]["marks"])),
        ),
        own_currency={language: table["mark"] for language, table in languages.items() if "mark" in table},
        paper_names=frozenset(map(fold, file["files"]["papers"])),
        nameless=frozenset(map(fold, file["files"]["nameless"])),
    )


def _proof_titles(
    spaced: Mapping[tuple[str, ...], Meaning], endings: Mapping[str, Meaning], unspaced: Mapping[str, Meaning]
) -> re.Pattern[str]:
    """One pattern for all; alternatives are gathered by their first letter, so that few are tried at each place."""
    kinds = PROOF | {LabelKind.INVOICE_NUMBER}
    whole = [words for words, meaning in spaced.items() if meaning.kind in kinds]
    parts = [ending for ending, meaning in endings.items() if meaning.kind in kinds]
    signs = [fold(sign) for sign, meaning in unspaced.items() if meaning.kind in kinds]
    by_letter: dict[str, list[str]] = {}
    for first, *others in whole:
        rest = r"\W{0,5}".join(map(re.escape, (first[1:], *others)))
        by_letter.setdefault(first[0], []).append(rf"(?<!\w{re.escape(first[0])}){rest}(?!\w)")
    for part in parts:
        by_letter.setdefault(part[0], []).append(rf"{re.escape(part[1:])}(?!\w)")
    for sign in signs:
        by_letter.setdefault(sign[0], []).append(re.escape(sign[1:]))
    return re.compile("|".join(rf"{re.escape(first)}(?:{'|'.join(rests)})" for first, rests in by_letter.items()))


def _phrases(languages: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, LabelKind, str]]:
    for language, table in languages.items():
        for kind, phrases in table.items():
            if kind not in _NO_LABELS:
                yield from ((language, LabelKind(kind), phrase) for phrase in phrases)


def _announce(table: dict[_Phrase, Meaning], phrase: _Phrase, kind: LabelKind, language: str) -> None:
    known: Meaning = table.get(phrase, Meaning(kind, ()))
    if known.kind is not kind:
        raise InputError(f"invoices.toml: {phrase!r} announces both {known.kind} and {kind}")
    if language not in known.languages:
        table[phrase] = Meaning(kind, (*known.languages, language))


def _known(codes: list[str]) -> tuple[str, ...]:
    if unknown := [code for code in codes if code and code not in DECIMALS]:
        raise InputError(f"invoices.toml: {unknown} are no circulating currencies")
    return tuple(codes)
