"""Which pieces of an order does a sentence speak of, and do they go back or stay?"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from mailbot.understand.pieces import AllPieces, Found, PieceWords, fold

_STOP = re.compile(
    r"(?<!\d)[,.;:]|[,.;:](?!\d)|[()\[\]!?\u2026\u2014\u2013\n\u3001\u3002\uff0c\uff1b\uff1a\uff01\uff1f]| - "
)
_WORD = re.compile(r"\w+(?:'\w+)*")
_BEFORE, _BEHIND, _BEHIND_RUNNING = 2, 2, 4  # words, words, signs between a negator and what it turns around
_NEAR, _NEAR_RUNNING = 3, 6  # words or signs between a number and its piece
_BESIDE, _BESIDE_RUNNING = (40, 25), (8, 0)  # signs before and behind a piece that tell what it looks like
_TURNS_BEHIND = frozenset({"de", "nl", "fr"})
_NE = re.compile(r"(?<!\w)n(?:e\b|')")


class Unclear(Exception):  # noqa: N818 (no error: a way out of reading)
    """Nobody can say for certain which pieces are meant."""


class Role(StrEnum):
    """What becomes of a piece."""

    BACK = "back"
    STAYS = "stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One piece, or several of a kind, that a sentence speaks of.

    Attributes:
        kind: ``None``: a number, or what is left, without a name.
        role: ``None`` where the sentence does not say.
        firm: it is said outright, not only that somebody likes the piece.
        number, of: as in "one of the two"; ``None`` where not said.
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


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A statement within a sentence; those of one clause share its ``clause``."""

    start: int
    end: int
    clause: int
    roles: frozenset[tuple[Role, bool]]


def read_mentions(text: str, words: PieceWords, pieces: AllPieces, language: str) -> list[Mention]:
    """Every piece that a sentence speaks of, in order.

    Raises:
        Unclear: something in it makes no certain statement of a piece.
    """
    return _Sentence(text, words, pieces, language).mentions()


class _Sentence:
    def __init__(self, text: str, words: PieceWords, pieces: AllPieces, language: str) -> None:
        self.text, self.words, self.pieces, self.language = fold(text), words, pieces, language
        self.kinds = self._kinds()
        self.stretches = self._parted()

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
        if any(each.role for each in found) and self.words.where("undecided", self.text):
            raise Unclear
        if any(self._is_all(stretch) for stretch in self.stretches):
            raise Unclear
        return sorted(found, key=lambda each: each.start)

    def _is_all(self, stretch: _Stretch) -> bool:
        """Whether the whole order is to go back, whatever is said of its pieces."""
        if not self._where("all", stretch.start, stretch.end) or self.words.where("but", self.text):
            return False
        clause = (each for each in self.stretches if each.clause == stretch.clause)
        return any(role is Role.BACK for each in clause for role, _ in each.roles)

    def _where(self, what: str, start: int, end: int) -> list[Found]:
        return [each for each in self.words.where(what, self.text) if start <= each.start and each.end <= end]

    def _parted(self) -> list[_Stretch]:
        stops = [match.span() for match in _STOP.finditer(self.text)]
        ends = [*stops, (len(self.text), len(self.text))]
        parted, begun = [], 0
        for clause, (end, after) in enumerate(ends):
            places = [begun]
            joins = self._where("joins", begun, end)
            for join in joins:
                parted.append((places[-1], join.start, clause))
                places.append(join.end if self.words.spaced else join.start)
            parted.append((places[-1], end, clause))
            begun = after
        return [_Stretch(start, end, clause, self._roles(start, end)) for start, end, clause in parted if start < end]

    def _roles(self, start: int, end: int) -> frozenset[tuple[Role, bool]]:
        told = [(Role.BACK, True, each) for each in self._where("claimed", start, end)]
        told += [(Role.STAYS, True, each) for each in self._where("kept", start, end)]
        told += [(Role.STAYS, False, each) for each in self._where("liked", start, end)]
        other = {Role.BACK: Role.STAYS, Role.STAYS: Role.BACK}
        return frozenset((other[role] if self._turned(each, start, end) else role, firm) for role, firm, each in told)

    def _turned(self, said: Found, start: int, end: int) -> bool:
        if not self.words.spaced:
            reach = (said.end, said.end + _BEHIND_RUNNING) if self.language == "ja" else (said.start - 2, said.start)
            return any(reach[0] <= each.start <= reach[1] for each in self._where("negators", max(start, 0), end))
        before = [*_WORD.finditer(self.text, start, said.start)][-_BEFORE - 1 :]
        behind = [*_WORD.finditer(self.text, said.end, end)][:_BEHIND] if self.language in _TURNS_BEHIND else []
        near = [match.start() for match in (*before, *behind)]
        return any(each.start <= at < each.end for each in self._where("negators", start, end) for at in near)

    def _role(self, stretch: _Stretch) -> tuple[Role | None, bool]:
        """What the statement says of its pieces, else its clause, else the sentence; one of a purchase says nothing."""
        if not stretch.roles and self._where("bought", stretch.start, stretch.end):
            return None, False
        clause = [each for each in self.stretches if each.clause == stretch.clause]
        for roles in (stretch.roles, frozenset().union(*(each.roles for each in clause))):
            if roles:
                firm = {role for role, sure in roles if sure}
                if len(firm) == 1:
                    return firm.pop(), True
                if not firm and len({role for role, _ in roles}) == 1:
                    return next(iter(roles))[0], False
                if roles is stretch.roles:
                    raise Unclear
        if any(each.roles for each in clause):
            place = clause.index(stretch)
            nearest = [*reversed(clause[:place]), *clause[place + 1 :]]
            return self._role(next(each for each in nearest if each.roles))
        roles = frozenset().union(*(each.roles for each in self.stretches))
        firm = {role for role, sure in roles if sure}
        return (firm.pop(), True) if len(firm) == 1 and len({role for role, _ in roles}) == 1 else (None, False)

    def _in(self, stretch: _Stretch) -> Iterator[Mention]:
        start, end = stretch.start, stretch.end
        kinds = [each for each in self.kinds if start <= each.start and each.end <= end]
        numbers = [each for each in self.words.numbers(self.text) if start <= each.start and each.end <= end]
        begun = start
        for kind in kinds:
            yield self._named(kind, stretch, begun, numbers)
            begun = kind.end
        yield from self._unnamed(stretch, kinds, numbers)

    def _named(self, kind: Found, stretch: _Stretch, begun: int, numbers: Sequence[Found]) -> Mention:
        until = next((each.start for each in self.kinds if each.start >= kind.end), stretch.end)
        before = [each for each in numbers if begun <= each.start and self._near(each.end, kind.start)]
        if not self.words.spaced:
            before += [
                each
                for each in numbers
                if kind.end <= each.start and each.end <= until and self._near(kind.end, each.start)
            ]
        number, of = self._number(before, [each for each in numbers if each not in before], stretch)
        others = self._where("other", begun, kind.end)
        rest = any(self._near(each.end, kind.start) for each in others)
        both = [each for each in self._where("both", begun, kind.start) if self._near(each.end, kind.start)]
        role, firm = self._role(stretch)
        only = self._is_only(kind.start, kind.end, stretch)
        spared = bool(self._where("but", begun, kind.start))
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
            several=rest and bool(self._where("others", begun, kind.end)),
            only=only,
            spared=spared and role is Role.BACK,
            pair=bool(self._where("pair", begun, kind.start)),
            looks=self.pieces.looks_of(window),
            bought=bool(self.words.where("bought", self.text)),
            start=kind.start,
            end=kind.end,
        )

    def _number(
        self, before: Sequence[Found], others: Sequence[Found], stretch: _Stretch
    ) -> tuple[int | None, int | None]:
        """How many of how many: "two rings", "one of the two rings", "of the three rings I keep one"."""
        if not before:
            return None, None
        last = before[-1]
        if len(before) > 1 and self._is_of(before[-2].end, last.start):
            return self._counts(before[-2], last)
        if any(
            each.end <= last.start and self._near(each.end, last.start)
            for each in self._where("of", stretch.start, last.start)
        ):
            alone = [int(each.value) for each in others if self._stands_alone(each, stretch)]
            return (alone[0] if len(alone) == 1 else None), int(last.value)
        return int(last.value), None

    def _counts(self, first: Found, second: Found) -> tuple[int, int]:
        """So many of so many; where words run together, the larger number comes first."""
        pair = int(first.value), int(second.value)
        return pair if self.words.spaced else (pair[1], pair[0])

    def _is_of(self, start: int, end: int) -> bool:
        return bool(self._where("of", start, end))

    def _near(self, left: int, right: int) -> bool:
        """Whether little stands between two places, and nothing of what is done with pieces."""
        if left > right:
            return False
        between = self.text[left:right]
        if any(self.words.where(what, between) for what in ("claimed", "kept", "bought")):
            return False
        return len(_WORD.findall(between)) <= _NEAR if self.words.spaced else right - left <= _NEAR_RUNNING

    def _is_only(self, start: int, end: int, stretch: _Stretch) -> bool:
        for each in self._where("only", stretch.start, stretch.end):
            if self.text[each.start : each.end] == "que" and not _NE.search(self.text, stretch.start, each.start):
                continue
            behind = each.start >= end and self._close(end, each.start)
            before = each.end <= start and not self._where("bought", each.end, start)
            if behind or before:
                return True
        return False

    def _close(self, left: int, right: int) -> bool:
        between = self.text[left:right]
        return not _WORD.search(between) if self.words.spaced else right - left <= _NEAR

    def _unnamed(self, stretch: _Stretch, kinds: Sequence[Found], numbers: Sequence[Found]) -> Iterator[Mention]:
        if kinds or not any(each.roles for each in self.stretches):
            return
        others = self._where("other", stretch.start, stretch.end)
        items = self._where("item", stretch.start, stretch.end)
        pair = bool(self._where("pair", stretch.start, stretch.end))
        for each in others[:1]:
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
            if any(each.end <= item.start and self._near(each.end, item.start) for item in items) or self._stands_alone(
                each, stretch
            ):
                yield self._counted(each, stretch, int(each.value), None, rest=False, pair=pair)
                return
        for each in self._where("ordinal", stretch.start, stretch.end):
            if any(each.end <= item.start and self._near(each.end, item.start) for item in items):
                yield self._counted(each, stretch, 1, None, rest=False, pair=pair)
                return

    def _stands_alone(self, number: Found, stretch: _Stretch) -> bool:
        """Whether a number counts pieces though it names none: "keeping one", "un seul", "one of them"."""
        word = self.text[number.start : number.end]
        if word.isdigit():
            return False
        if not self.words.spaced:
            return True
        them = self.words.says["of"].match(self.text, number.end + 1, stretch.end)
        if them and self._ends(them.end(), stretch):
            return True
        article = "article" in self.words.says and self.words.says["article"].fullmatch(word)
        if any(0 <= only.start - number.end <= 1 for only in self._where("only", number.end, stretch.end)):
            return True
        left = self.text[number.end : stretch.end].strip()
        return not left if article else self._ends(number.end, stretch)

    def _ends(self, place: int, stretch: _Stretch) -> bool:
        """Whether the statement ends here, but for what is done with the piece."""
        if not self.words.spaced:
            return True
        following = [*_WORD.finditer(self.text, place, stretch.end)]
        if not following:
            return True
        said = [each for what in ("claimed", "kept", "only") for each in self._where(what, place, stretch.end)]
        return any(
            each.start <= word.start()
            for each in said
            for word in following[: 1 + (len(following[0][0]) <= len("they"))]
        )

    def _counted(
        self, found: Found, stretch: _Stretch, number: int | None, of: int | None, *, rest: bool, pair: bool
    ) -> Mention:
        role, firm = self._role(stretch)
        return Mention(
            kind=None,
            role=role,
            firm=firm,
            number=number,
            of=of,
            whole=False,
            rest=rest,
            several=rest and bool(self._where("others", found.start, found.end)),
            only=self._is_only(found.start, found.end, stretch),
            spared=False,
            pair=pair,
            looks=frozenset(),
            bought=False,
            start=found.start,
            end=found.end,
        )
