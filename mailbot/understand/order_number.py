"""Which of the shop's order numbers does a text name, however the customer writes them, and which one is meant?"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice

from mailbot.model.facts import number_key
from mailbot.model.money import DECIMALS
from mailbot.model.reading import OrderNumberCandidate
from mailbot.understand.invoice_lexicon import LabelKind, invoice_lexicon
from mailbot.understand.number_pattern import SqueezedPattern, squeeze_pattern

_MOST_BETWEEN = 4  # signs dropped between two characters of one number: " - "
_OWN_WORDS = frozenset({"subject", "body"})
_FILE_NAME = "file_name"
_KEPT = re.compile(r"[!-,./-~]+|[^\x00-\x7f]")  # runs of ASCII but spaces and hyphens, and every other sign
_UNKEPT = dict.fromkeys((*range(33), ord("-"), 127))
_OTHER_SIGN = re.compile(r"[^\x00-\x7f]")
_DASHES = {"\N{MINUS SIGN}", "\N{HYPHEN BULLET}", "\N{SOFT HYPHEN}"}
_CURRENCY = "[$€£¥₹]|" + "|".join(sorted(DECIMALS))
_NUMBER_GOES_ON_BEFORE = re.compile(
    rf"(?:\d[ \t\xa0.,:)]|\d\) |\d ?[-\N{{EN DASH}}] ?|[^\W_][-\N{{EN DASH}}]|[+/] ?|(?:{_CURRENCY})[ \xa0]?)\Z"
)
_NUMBER_GOES_ON_AFTER = re.compile(
    rf"[ \t\xa0.,:/\N{{EN DASH}}-]\d|/|[ \xa0]?(?:%|{_CURRENCY})(?!\w)| [-\N{{EN DASH}}] \d"
)
_UNSPACED = re.compile(r"[\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")  # kana, ideographs
_TOWN_BEFORE = re.compile(r"(?:\A|[\n,]) ?(?:[A-Z]{1,2}-)?\Z")
_TOWN_AFTER = re.compile(r"[ \xa0][^\W\d_a-zà-ÿ][^\W\d_]+")
_STATE_BEFORE = re.compile(r"(?:\A|[\W_])[A-Z]{2}[ \xa0]\Z")
_CONTEXT = 8
_MOST = 201  # one more than a mail may have, so that the limit shows
_LONGEST_WORD, _LONGEST_LABEL = 20, 48
_BETWEEN = re.compile(r"(?:\W{0,4}(?:number|nummer|num|no|nr|n|is|ist|est|es)\b)?\W{0,4}", re.IGNORECASE)
_ITS_WORDS = frozenset({LabelKind.ORDER_NUMBER, LabelKind.ORDER_WORD, LabelKind.NUMBER_WORD})
_OTHER_LABELS = frozenset(
    {
        *(
            LabelKind.INVOICE,
            LabelKind.INVOICE_NUMBER,
            LabelKind.CREDIT,
            LabelKind.CREDIT_NUMBER,
            LabelKind.OTHER_NUMBER,
        ),
        *(LabelKind.TOTAL, LabelKind.GRAND_TOTAL, LabelKind.DUE, LabelKind.PAID, LabelKind.OTHER),
    }
)
_LOOK_LIKE_FIGURES = (
    re.compile(r"(?<=\d)[OoIl|]{1,4}(?=\d)|(?<=\d)[OoIl|]{1,4}(?![A-Za-z])"),
    re.compile(r"(?<=\d)[OoIl|]{1,4}(?![A-Za-z])|[OoIl|]{1,4}(?=\d)"),
)
_FIGURES = str.maketrans("OoIl|", "00111")
_LOOK_LIKE_LATIN = str.maketrans("АВЕКМНОРСТУХавекмнорстухΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXabekmhopctyxABEZHIKMNOPTYX")
_LAST_FIGURES = re.compile(r"\d{3,}\Z")
_LISTED = re.compile(r"[ \xa0]?(?:[,/&+、]|[^\W\d_]{1,4})[ \xa0]?(?:[^\W\d_]{1,4}[ \xa0])?#?([0-9]{3,12})(?![\w-])")


@dataclass(frozen=True, kw_only=True)
class OrderNumbers:
    """The shop's pattern, ready to look for numbers without regard to case, spaces and hyphens (CONTRACT.md)."""

    pattern: SqueezedPattern

    def find(self, text: str, part: str, quoted: Sequence[tuple[int, int]] = ()) -> tuple[OrderNumberCandidate, ...]:
        """Every place of ``text`` that is one of the shop's order numbers, in order.

        A number may be torn by spaces and hyphens of any script, and by one line break; the signs on either side of
        it must be no letters or digits; signs of scripts without spaces may be, and so may the word for "order" or
        "number" (``order10231``). Beside figures, ``O`` reads as 0, and ``l`` and ``I`` as 1. A number without letters
        must also not be one group of a longer one (a telephone number, a date, a price, a postcode), nor be labelled
        as something else (an invoice, a parcel, an article), and is only torn where the pattern has a separator. In a
        file name it needs its word or ``#`` before it: cameras and phones number their pictures, too.
        The first 201 are given.

        Args:
            text: any text.
            part: as in ``Span``.
            quoted: ranges of ``text`` that the customer did not write now, ascending and apart.
        """
        starts = [start for start, _ in quoted]
        found = []
        for number, start, end in self._matches(text):
            if part == _FILE_NAME and not _is_meant_by_name(text, start, end):
                continue
            before = bisect_right(starts, start) - 1
            found.append(
                OrderNumberCandidate(
                    number=number,
                    key=number_key(number),
                    part=part,
                    start=start,
                    end=end,
                    quote=text[start:end],
                    quoted=before >= 0 and start < quoted[before][1],
                )
            )
        return tuple(found)

    def keys(self, text: str) -> tuple[str, ...]:
        """Keys of all order numbers that a text names, each once, in order."""
        return tuple(dict.fromkeys(number_key(number) for number, _, _ in self._matches(text)))

    def _matches(self, text: str) -> list[tuple[str, int, int]]:
        """Numbers as the shop writes them with where they stand; what only looks like one counts beside no other."""
        found: list[tuple[str, int, int]] = []
        looked: set[str] = set()
        for squeezed, written in self._forms(text):
            if squeezed in looked or self.pattern.search(squeezed, 0) is None:
                continue
            looked.add(squeezed)
            taken = [(start, end) for _, start, end in found]
            others = islice(self._search(text, squeezed, _origins(written)), _MOST)
            found += [each for each in others if not any(start < each[2] and each[1] < end for start, end in taken)]
        return sorted(found, key=lambda each: each[1])[:_MOST]

    def _forms(self, text: str) -> Iterator[tuple[str, str]]:
        """What may be searched, the truest first, each with the text whose places it has."""
        yield (squeezed := _squeeze(text)), text
        parted = self._other_separators.sub("-", text)
        if not parted.isascii():
            parted = parted.translate(_LOOK_LIKE_LATIN)
        if parted != text:
            yield (squeezed := _squeeze(parted)), parted
        for pattern in _LOOK_LIKE_FIGURES:
            figures = pattern.sub(_as_figures, squeezed)
            if figures != squeezed:
                yield figures, parted

    @cached_property
    def _other_separators(self) -> re.Pattern[str]:
        """What stands for a hyphen between letters and figures, but signs that the shop's own pattern speaks of."""
        signs = [re.escape(sign) for sign in "_.:#" if sign not in self.pattern.original.pattern]
        return re.compile(rf"(?<=[A-Za-z])[{''.join(signs)}](?=[ \xa0]?\d)" if signs else r"(?!)")

    def _search(self, text: str, squeezed: str, origins: Sequence[int]) -> Iterator[tuple[str, int, int]]:
        at = 0
        while (match := self.pattern.search(squeezed, at)) is not None:
            start, end = origins[match.start()], origins[match.end() - 1] + 1
            number = self.pattern.written(match)
            inside = origins[match.start() : match.end()]
            if number is not None and _stands_alone(text, start, end) and self._holds_together(text, inside, match):
                yield number, start, end
                yield from self._listed(text, number, end)
                at = match.end()
            else:
                at = match.start() + 1

    def _listed(self, text: str, number: str, end: int) -> Iterator[tuple[str, int, int]]:
        """The second number of "AW-10231 and 10232" or "AW-10231/10232", written without its letters."""
        figures = _LAST_FIGURES.search(number)
        if figures is None or not any(map(str.isalpha, number)):
            return
        following = _LISTED.match(text, end)
        if (
            following is not None
            and len(following[1]) == len(figures[0])
            and not _TOWN_AFTER.match(text, following.end())
        ):
            other = self.pattern.search(_squeeze(number[: figures.start()] + following[1]), 0)
            written = None if other is None else self.pattern.written(other)
            if written is not None:
                yield written, *following.span(1)

    def _holds_together(self, text: str, origins: Sequence[int], match: re.Match[str]) -> bool:
        gaps = [place for place in range(1, len(origins)) if origins[place] - origins[place - 1] > 1]
        between = [text[origins[place - 1] + 1 : origins[place]] for place in gaps]
        if any(len(gap) > _MOST_BETWEEN for gap in between) or sum(gap.count("\n") for gap in between) > 1:
            return False
        if any(sign.isalpha() for sign in match[0]):
            return True
        own = self.pattern.separators(match)
        start, end = origins[0], origins[-1] + 1
        whole = all(match.start() + place in own for place in gaps)
        return whole and _is_no_group(text, start, end) and not _is_labelled_otherwise(text, start)


def compile_order_numbers(pattern: str) -> OrderNumbers:
    r"""Make the shop's pattern ready, once; ``AW-\d{5}`` then also finds ``aw 10231`` and ``#AW10231.``.

    Raises:
        InputError: it is no regular expression, matches nothing or the empty text, or uses what cannot be matched
            without regard to spaces and hyphens (back-references, conditions, flags but ``(?i)``).
    """
    return OrderNumbers(pattern=squeeze_pattern(pattern))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChoice:
    """Which order a mail is about.

    Attributes:
        key: of an order in the book; ``None`` where the mail names none, or where a person must choose.
        given: the one number that the mail gives and the book does not have, as the shop would write it.
        ambiguous: several orders could be meant.
    """

    key: str | None
    given: str | None
    ambiguous: bool


def choose_order(
    candidates: Iterable[OrderNumberCandidate], known: Mapping[str, str | None], sender_address: str | None
) -> OrderChoice:
    """Choose the order that a mail is about; quoted candidates never decide.

    What the customer writes (subject and body) goes before what came with it (attachments, file names). Within each,
    one order of the book decides; of several, the only one whose customer is the sender. An attachment that names a
    known order beside words that give another number, unknown to the book, is a contradiction for a person.

    Args:
        candidates: of every part of the mail.
        known: keys of the orders that the book has, with the customer's address if it has that.
        sender_address: the bare address in lower case; ``None`` where the From field is ambiguous.
    """
    words: dict[str, str] = {}
    papers: dict[str, str] = {}
    for candidate in candidates:
        if not candidate.quoted:
            (words if candidate.part in _OWN_WORDS else papers).setdefault(candidate.key, candidate.number)
    for named in (words, papers):
        hits = [key for key in named if key in known]
        if hits:
            key = _only_one(hits, known, sender_address)
            contradicted = named is papers and bool(words)
            if key is None or contradicted:
                return OrderChoice(key=None, given=None, ambiguous=True)
            return OrderChoice(key=key, given=None, ambiguous=False)
    given = list((words or papers).values())
    return OrderChoice(key=None, given=given[0] if len(given) == 1 else None, ambiguous=len(given) > 1)


def _only_one(hits: Sequence[str], known: Mapping[str, str | None], sender_address: str | None) -> str | None:
    if len(hits) == 1:
        return hits[0]
    own = [key for key in hits if sender_address is not None and (known[key] or "").lower() == sender_address.lower()]
    return own[0] if len(own) == 1 else None


def _squeeze(text: str) -> str:
    """The text without spaces and hyphens, compatibility forms and digits made plain."""
    kept = text.translate(_UNKEPT)
    return kept if kept.isascii() else _OTHER_SIGN.sub(lambda sign: _plain(sign[0]), kept)


def _origins(text: str) -> Sequence[int]:
    """Where each sign of the squeezed text stands in the text itself."""
    origins: list[int] = []
    for piece in _KEPT.finditer(text):
        if piece[0].isascii():
            origins.extend(range(piece.start(), piece.end()))
        else:
            origins.extend([piece.start()] * len(_plain(piece[0])))
    return origins


@lru_cache(4096)
def _plain(sign: str) -> str:
    """The plain signs that a sign beyond ASCII stands for, if any."""
    if _is_dropped(sign):
        return ""
    digit = unicodedata.digit(sign, None)
    return unicodedata.normalize("NFKC", sign) if digit is None else str(digit)


def _as_figures(signs: re.Match[str]) -> str:
    """Letters that look like figures as figures."""
    return signs[0].translate(_FIGURES)


def _is_dropped(sign: str) -> bool:
    return sign.isspace() or sign in _DASHES or unicodedata.category(sign) in {"Pd", "Cf", "Mn"}


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no sign beside a number is a part of it; Chinese and Japanese set no space between it and their words.

    Bare digits before or behind such a sign may be a sum, a date or a house number, and bare digits behind letters
    anything: they are a number only right behind the word for "order" or "number" (``order10231``, ``订单10231号``).
    """
    before, after = text[start - 1 : start], text[end : end + 1]
    if any(sign.isalpha() for sign in text[start:end]):
        return not any(sign.isalnum() and not _UNSPACED.match(sign) for sign in (before, after))
    if after.isalnum() and not _UNSPACED.match(after):
        return False
    return not (before.isalnum() or after.isalnum()) or _follows_its_word(text, start)


def _is_meant_by_name(name: str, start: int, end: int) -> bool:
    """Whether a file name means an order by a number: ``order_10231.pdf``, not ``IMG_10231.jpg``."""
    certain = any(sign.isalpha() for sign in name[start:end]) or "#" in name[max(0, start - 1) : end]
    return certain or _follows_its_word(name, start)


def _follows_its_word(text: str, start: int) -> bool:
    word = text[max(0, start - _LONGEST_WORD) : start].replace("_", " ").rstrip(" #:\uff1a.-")
    labels = invoice_lexicon().labels(word)
    return bool(labels) and labels[-1].kind in _ITS_WORDS and labels[-1].end == len(word)


def _is_labelled_otherwise(text: str, start: int) -> bool:
    """Whether the label right before a number says that it is something else: "Invoice no. 10231", "PLZ 10231"."""
    line = text[max(0, start - _LONGEST_LABEL) : start].rpartition("\n")[2]
    labels = [label for label in invoice_lexicon().labels(line) if label.kind is not LabelKind.NUMBER_WORD]
    return bool(labels) and labels[-1].kind in _OTHER_LABELS and _BETWEEN.fullmatch(line, labels[-1].end) is not None


def _is_no_group(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - _CONTEXT) : start], text[end : end + _CONTEXT]
    goes_on_before = _NUMBER_GOES_ON_BEFORE.search(before) and not _follows_its_word(text, start)
    if goes_on_before or _NUMBER_GOES_ON_AFTER.match(after):
        return False
    return not (_STATE_BEFORE.search(before) or (_TOWN_BEFORE.search(before) and _TOWN_AFTER.match(after)))
