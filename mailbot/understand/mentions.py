"""Which pieces of an order does a sentence speak of, and do they go back or stay?"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from mailbot.understand.pieces import AllPieces, Found, PieceWords, fold

SEVERAL = 0
_STOP = re.compile(
    r"(?<!\d)[,.;:]|[,.;:](?!\d)|[()\[\]!?\u2026\u2014\u2013\n\u3001\u3002\uff0c\uff1b\uff1a\uff01\uff1f]| - "
)
_WORD = re.compile(r"\w+(?:'\w+)*")
_BEFORE, _BEHIND, _BEHIND_RUNNING = 2, 2, 4  # words, words, signs between a negator and what it turns around
_NEAR, _NEAR_RUNNING = 3, 6  # words or signs between a number and its piece
_BESIDE, _BESIDE_RUNNING = (40, 25), (8, 0)  # signs before and behind a piece that tell what it looks like
_SUBJECT_BEHIND = frozenset({"de", "nl"})
_TURNS_BEHIND = frozenset({"de", "nl", "fr"})
_FEW = 2  # words between "only" and its piece
_NEXT = 16  # signs
_CLOSES_A_LIST = frozenset({"", "\u3092"})  # behind the name of a piece in a list
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
        self.written, self.text, self.words, self.pieces, self.language = text, fold(text), words, pieces, language
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

    def _role(self, stretch: _Stretch, kind: Found | None) -> tuple[Role | None, bool]:
        """What the statement says of its pieces; one of a purchase says nothing.

        A piece in a list ("the ring and the brooch go back"), or the only one in its sentence, is meant by what is said
        beside it, too.
        """
        if stretch.roles:
            return _settled(stretch.roles)
        if self._where("bought", stretch.start, stretch.end):
            return None, False
        if kind is not None and len({each.value for each in self.kinds}) > 1 and not self._is_listed(kind, stretch):
            return None, False
        clause = [each for each in self.stretches if each.clause == stretch.clause]
        place = clause.index(stretch)
        for each in (*reversed(clause[:place]), *clause[place + 1 :]):
            if each.roles:
                return _settled(each.roles)
        roles = frozenset().union(*(each.roles for each in self.stretches))
        return _settled(roles) if len({role for role, _ in roles}) == 1 else (None, False)

    def _is_listed(self, kind: Found, stretch: _Stretch) -> bool:
        return self.text[kind.end : stretch.end].strip() in _CLOSES_A_LIST

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
        number, of = self._number(kind, before, [each for each in numbers if each not in before], stretch)
        others = self._where("other", begun, kind.end)
        rest = any(self._near(each.end, kind.start) for each in others)
        both = [each for each in self._where("both", begun, kind.start) if self._near(each.end, kind.start)]
        role, firm = self._role(stretch, kind)
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
        self, kind: Found, before: Sequence[Found], others: Sequence[Found], stretch: _Stretch
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
        near = self._where(what, max(0, found.start - _NEXT), min(len(self.text), found.end + _NEXT))
        return any(
            self._close(each.end, found.start) if each.end <= found.start else self._close(found.end, each.start)
            for each in near
            if each.end <= found.start or found.end <= each.start
        )

    def _is_only(self, start: int, end: int, stretch: _Stretch) -> bool:
        """Whether nothing but a piece is meant: "only the ring", "the ring only", "only want to return the ring"."""
        for each in self._where("only", stretch.start, stretch.end):
            if self.text[each.start : each.end] == "que" and not _NE.search(self.text, stretch.start, each.start):
                continue
            if each.start >= end and self._close(end, each.start):
                return True
            if each.end > start or self._where("bought", each.end, start):
                continue
            few = (
                len(_WORD.findall(self.text, each.end, start)) <= _FEW
                if self.words.spaced
                else start - each.end <= _NEAR_RUNNING
            )
            if few or self._where("claimed", each.start, start):
                return True
        return False

    def _close(self, left: int, right: int) -> bool:
        between = self.text[left:right]
        return not between.strip() if self.words.spaced else right - left <= _NEAR

    def _unnamed(self, stretch: _Stretch, kinds: Sequence[Found], numbers: Sequence[Found]) -> Iterator[Mention]:
        if kinds or not any(each.roles for each in self.stretches):
            return
        others = self._where("other", stretch.start, stretch.end)
        pairs = self._where("pair", stretch.start, stretch.end)
        items = [*self._where("item", stretch.start, stretch.end), *pairs]
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

    def _stands_alone(self, number: Found, stretch: _Stretch) -> bool:
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
        done = [each for what in ("claimed", "kept") for each in self._where(what, stretch.start, number.start)]
        between = self.language in _SUBJECT_BEHIND  # "behalte ich einen"
        said = any(len(_WORD.findall(self.text, each.end, number.start)) <= between for each in done)
        if self._is_article(number):
            return said and not self.text[number.end : stretch.end].strip()
        return (said or self._beside("claimed", number) or self._beside("kept", number)) and self._ends(
            number.end, stretch
        )

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
        role, firm = self._role(stretch, None)
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


def _settled(roles: frozenset[tuple[Role, bool]]) -> tuple[Role, bool]:
    """What is said outright goes before what somebody likes.

    Raises:
        Unclear: that a piece goes back, and that it stays.
    """
    for sure in (True, False):
        found = {role for role, firm in roles if firm is sure}
        if len(found) == 1:
            return found.pop(), sure
        if found:
            raise Unclear
    raise Unclear
