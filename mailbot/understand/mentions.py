"""Which pieces of an order does a sentence speak of, and do they go back or stay?"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mailbot.understand.pieces import AllPieces, Found, PieceWords
from mailbot.understand.statements import WORD, Role, Statements, Stretch, Unclear

SEVERAL = 0
_NEAR, _NEAR_RUNNING = 3, 6  # words or signs between a number and its piece
_BESIDE, _BESIDE_RUNNING = (40, 25), (8, 0)  # signs before and behind a piece that tell what it looks like
_SUBJECT_BEHIND = frozenset({"de", "nl"})
_FEW = 2  # words between "only" and its piece
_NEXT = 16  # signs
_CLOSES_A_LIST = frozenset({"", "\u3092"})  # behind the name of a piece in a list
_NE = re.compile(r"(?<!\w)n(?:e\b|')")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One piece, or several of a kind, that a sentence speaks of.

    Attributes:
        kind: ``None``: a number, or what is left, without a name.
        role: ``None`` where the sentence does not say.
        firm: it is said outright, not only that somebody likes the piece.
        number, of: as in "one of the two"; ``None`` where not said, ``SEVERAL`` in "one of the rings".
        whole: all of the kind ("both rings").
        rest: what is left of the kind, or of the order; ``several``: it may be more than one piece.
        only: nothing else.
        spared: all save this one.
        looks: what sort of it ("the silver ring").
        bought: the sentence tells of the purchase.
        start, end: in the sentence.
    """

    kind: str | None
    role: Role | None
    firm: bool
    number: int | None
    of: int | None
    whole: bool
    rest: bool
    several: bool
    only: bool
    spared: bool
    pair: bool
    looks: frozenset[str]
    bought: bool
    start: int
    end: int


def read_mentions(text: str, words: PieceWords, pieces: AllPieces, language: str) -> list[Mention]:
    """Every piece that a sentence speaks of, in order.

    Raises:
        Unclear: something in it makes no certain statement of a piece.
    """
    return _Sentence(text, words, pieces, language).mentions()


class _Sentence(Statements):
    def __init__(self, text: str, words: PieceWords, pieces: AllPieces, language: str) -> None:
        super().__init__(text, words, language)
        self.written, self.pieces = text, pieces
        self.kinds = self._kinds()

    def _kinds(self) -> list[Found]:
        """The pieces that are named; of two names of one kind side by side ("hoop earrings") the last."""
        found = self.words.kinds_in(self.text)
        doubled = {
            each.start
            for each, after in pairwise(found)
            if each.value == after.value and not self.text[each.end : after.start].strip(" -")
        }
        return [each for each in found if each.start not in doubled]

    def mentions(self) -> list[Mention]:
        found: list[Mention] = []
        for stretch in self.stretches:
            found += self._in(stretch)
        if self.asks_for_all() or (any(each.role for each in found) and self.words.where("undecided", self.text)):
            raise Unclear
        return sorted(found, key=lambda each: each.start)

    def _is_alone(self, kind: Found, stretch: Stretch) -> bool:
        """Whether a piece is the only one in its sentence, or nothing is said of it but what is said of its list."""
        one = len({each.value for each in self.kinds}) == 1
        return one or self.text[kind.end : stretch.end].strip() in _CLOSES_A_LIST

    def _in(self, stretch: Stretch) -> Iterator[Mention]:
        start, end = stretch.start, stretch.end
        kinds = [each for each in self.kinds if start <= each.start and each.end <= end]
        numbers = [each for each in self.words.numbers(self.text) if start <= each.start and each.end <= end]
        begun = start
        for kind in kinds:
            yield self._named(kind, stretch, begun, numbers)
            begun = kind.end
        yield from self._unnamed(stretch, kinds, numbers)

    def _named(self, kind: Found, stretch: Stretch, begun: int, numbers: Sequence[Found]) -> Mention:
        until = next((each.start for each in self.kinds if each.start >= kind.end), stretch.end)
        before = [each for each in numbers if begun <= each.start and self._near(each.end, kind.start)]
        if not self.words.spaced:
            before += [
                each
                for each in numbers
                if kind.end <= each.start and each.end <= until and self._near(kind.end, each.start)
            ]
        number, of = self._number(kind, before, [each for each in numbers if each not in before], stretch)
        others = self.where("other", begun, kind.end)
        rest = any(self._near(each.end, kind.start) for each in others)
        both = [each for each in self.where("both", begun, kind.start) if self._near(each.end, kind.start)]
        role, firm = self.role(stretch, alone=self._is_alone(kind, stretch))
        only = self._is_only(kind.start, kind.end, stretch)
        spared = bool(self.where("but", begun, kind.start))
        back, ahead = _BESIDE if self.words.spaced else _BESIDE_RUNNING
        window = self.text[max(begun, kind.start - back) : min(until, kind.end + ahead)]
        return Mention(
            kind=kind.value,
            role=Role.STAYS if spared and role is Role.BACK else role,
            firm=firm,
            number=number,
            of=of,
            whole=bool(both) and number is None,
            rest=rest,
            several=rest and bool(self.where("others", begun, kind.end)),
            only=only,
            spared=spared and role is Role.BACK,
            pair=bool(self.where("pair", begun, kind.start)),
            looks=self.pieces.looks_of(window),
            bought=bool(self.words.where("bought", self.text)),
            start=kind.start,
            end=kind.end,
        )

    def _number(
        self, kind: Found, before: Sequence[Found], others: Sequence[Found], stretch: Stretch
    ) -> tuple[int | None, int | None]:
        """How many of how many: "two rings", "one of the two rings", "of the three rings I keep one"."""
        if len(before) > 1 and self._is_of(before[-2].end, before[-1].start):
            return self._counts(before[-2], before[-1])
        before = [each for each in before if self._is_count(each)]
        if not before:
            return None, None
        last = before[-1]
        if self._is_of(last.end, kind.start) or (not self.words.spaced and self._is_of(kind.end, last.start)):
            return int(last.value), SEVERAL
        if last.value != "1" and any(
            each.end <= last.start and self._near(each.end, last.start)
            for each in self.where("of", stretch.start, last.start)
        ):
            alone = [int(each.value) for each in others if self._stands_alone(each, stretch)]
            return (alone[0] if len(alone) == 1 else None), int(last.value)
        return int(last.value), None

    def _counts(self, first: Found, second: Found) -> tuple[int, int]:
        """So many of so many; where words run together, the larger number comes first."""
        pair = int(first.value), int(second.value)
        return pair if self.words.spaced else (pair[1], pair[0])

    def _is_of(self, start: int, end: int) -> bool:
        return bool(self.where("of", start, end))

    def _near(self, left: int, right: int) -> bool:
        """Whether little stands between two places, and nothing of what is done with pieces."""
        if left > right:
            return False
        between = self.text[left:right]
        if any(self.words.where(what, between) for what in ("claimed", "kept", "bought")):
            return False
        return len(WORD.findall(between)) <= _NEAR if self.words.spaced else right - left <= _NEAR_RUNNING

    def _is_count(self, number: Found) -> bool:
        """Whether "un" and the like count here, and are no article: "un seul", "nur einen", "één"."""
        if not self._is_article(number):
            return True
        return "\u00e9" in self.written[number.start : number.end] or self._beside("only", number)

    def _is_article(self, number: Found) -> bool:
        articles = self.words.says.get("article")
        return articles is not None and articles.fullmatch(self.text, number.start, number.end) is not None

    def _beside(self, what: str, found: Found) -> bool:
        """Whether one of these words stands right before or behind."""
        near = self.where(what, max(0, found.start - _NEXT), min(len(self.text), found.end + _NEXT))
        return any(
            self._close(each.end, found.start) if each.end <= found.start else self._close(found.end, each.start)
            for each in near
            if each.end <= found.start or found.end <= each.start
        )

    def _is_only(self, start: int, end: int, stretch: Stretch) -> bool:
        """Whether nothing but a piece is meant: "only the ring", "the ring only", "only want to return the ring"."""
        for each in self.where("only", stretch.start, stretch.end):
            if self.text[each.start : each.end] == "que" and not _NE.search(self.text, stretch.start, each.start):
                continue
            if each.start >= end and self._close(end, each.start):
                return True
            if each.end > start or self.where("bought", each.end, start):
                continue
            few = (
                len(WORD.findall(self.text, each.end, start)) <= _FEW
                if self.words.spaced
                else start - each.end <= _NEAR_RUNNING
            )
            if few or self.where("claimed", each.start, start):
                return True
        return False

    def _close(self, left: int, right: int) -> bool:
        between = self.text[left:right]
        return not between.strip() if self.words.spaced else right - left <= _NEAR

    def _unnamed(self, stretch: Stretch, kinds: Sequence[Found], numbers: Sequence[Found]) -> Iterator[Mention]:
        if kinds or not any(each.roles for each in self.stretches):
            return
        others = self.where("other", stretch.start, stretch.end)
        pairs = self.where("pair", stretch.start, stretch.end)
        items = [*self.where("item", stretch.start, stretch.end), *pairs]
        pair = bool(pairs)
        for each in others[: bool(stretch.roles)]:
            beside = [
                number
                for number in numbers
                if each.start <= number.start and self._near(min(each.end, number.start), number.start)
            ]
            counted = [int(number.value) for number in beside]
            if (
                self.words.says["remains"].fullmatch(self.text, each.start, each.end)
                or beside
                or self._ends(each.end, stretch)
                or any(self._near(each.end, item.start) for item in items)
            ):
                yield self._counted(each, stretch, counted[0] if counted else None, None, rest=True, pair=pair)
            return
        for place, each in enumerate(numbers):
            following = numbers[place + 1] if place + 1 < len(numbers) else None
            if (
                following is not None
                and self._is_of(each.end, following.start)
                and self._near(each.end, following.start)
            ):
                number, of = self._counts(each, following)
                yield self._counted(each, stretch, number, of, rest=False, pair=pair)
                return
            named = any(each.end <= item.start and self._near(each.end, item.start) for item in items)
            if (named and stretch.roles) or self._stands_alone(each, stretch):
                yield self._counted(each, stretch, int(each.value), None, rest=False, pair=pair)
                return

    def _stands_alone(self, number: Found, stretch: Stretch) -> bool:
        """Whether a number counts pieces though it names none: "keeping one", "un seul", "one of them"."""
        if self.text[number.start : number.end].isdigit():
            return False
        if not self.words.spaced:
            return any(self._beside(what, number) for what in ("of", "only", "claimed", "kept"))
        them = self.words.says["of"].match(self.text, number.end + 1, stretch.end)
        if them:
            return self._ends(them.end(), stretch)
        if self._beside("only", number):
            return True
        done = [each for what in ("claimed", "kept") for each in self.where(what, stretch.start, number.start)]
        between = self.language in _SUBJECT_BEHIND  # "behalte ich einen"
        said = any(len(WORD.findall(self.text, each.end, number.start)) <= between for each in done)
        if self._is_article(number):
            return said and not self.text[number.end : stretch.end].strip()
        return (said or self._beside("claimed", number) or self._beside("kept", number)) and self._ends(
            number.end, stretch
        )

    def _ends(self, place: int, stretch: Stretch) -> bool:
        """Whether the statement ends here, but for what is done with the piece."""
        if not self.words.spaced:
            return True
        following = [*WORD.finditer(self.text, place, stretch.end)]
        if not following:
            return True
        said = [each for what in ("claimed", "kept", "only") for each in self.where(what, place, stretch.end)]
        return any(
            each.start <= word.start()
            for each in said
            for word in following[: 1 + (len(following[0][0]) <= len("they"))]
        )

    def _counted(
        self, found: Found, stretch: Stretch, number: int | None, of: int | None, *, rest: bool, pair: bool
    ) -> Mention:
        role, firm = self.role(stretch, alone=True)
        return Mention(
            kind=None,
            role=role,
            firm=firm,
            number=number,
            of=of,
            whole=False,
            rest=rest,
            several=rest and bool(self.where("others", found.start, found.end)),
            only=self._is_only(found.start, found.end, stretch),
            spared=False,
            pair=pair,
            looks=frozenset(),
            bought=False,
            start=found.start,
            end=found.end,
        )
