"""How many pieces of each row of an invoice go back, by all that a mail says of them? Only where no doubt is left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailbot.model.reading import ClaimedPiece, GoodsRow
from mailbot.understand.mentions import SEVERAL, Mention
from mailbot.understand.pieces import AllPieces, fold
from mailbot.understand.statements import Role, Unclear

_MATERIALS = frozenset({"silver", "gold", "rose", "pearl", "opal", "diamond", "moonstone", "turquoise"})


@dataclass(frozen=True, slots=True)
class _Kept:
    """A row that sells a piece: what it may be called, what it looks like, how many."""

    row: GoodsRow
    kinds: frozenset[str]
    looks: frozenset[str]
    quantity: int


def tally(mentions: Sequence[Mention], goods: Sequence[GoodsRow], pieces: AllPieces) -> tuple[ClaimedPiece, ...]:
    """The pieces that go back, where some stay. Of what is sold as a set nobody can say what is a piece.

    What is said of each kind must fit the invoice, and leave no piece of it open: each goes back or stays, or it is
    said that nothing but what is named goes back.

    Raises:
        Unclear: more than one reading is possible, or none.
    """
    return _Tally(goods, pieces).claimed(mentions)


class _Tally:
    def __init__(self, goods: Sequence[GoodsRow], pieces: AllPieces) -> None:
        self.pieces = pieces
        self.rows: list[_Kept] = []
        self.nameless = False
        for row in goods:
            kinds = pieces.kinds_of(row.text)
            if kinds and row.quantity is None:
                raise Unclear
            self.nameless |= not kinds
            if kinds:
                self.rows.append(_Kept(row, kinds, pieces.looks_of(row.text), row.quantity or 1))
        self.units: dict[Role, dict[int, int | None]] = {Role.BACK: {}, Role.STAYS: {}}

    def claimed(self, mentions: Sequence[Mention]) -> tuple[ClaimedPiece, ...]:
        told = [each for each in mentions if each.role is not None]
        for each in (each for each in told if each.kind and not each.rest):
            self._take_named(each)
        for each in (each for each in told if each.kind and each.rest):
            self._take_rest_of_kind(each)
        counted = [each for each in told if each.kind is None and not each.rest]
        if len(self.rows) == 1:
            for each in counted:
                self._put(each.role, 0, self._counted(each, 0))
        self._take_rest([each for each in told if (each.kind is None and each.rest) or each.spared])
        self._check(mentions, counted)
        back = self._sure(Role.BACK)
        if sum(back.values()) >= sum(row.quantity for row in self.rows) or any(
            self.pieces.sets.search(fold(self.rows[place].row.text)) for place in back
        ):
            raise Unclear
        return tuple(
            ClaimedPiece(row=self.rows[place].row, quantity=back[place]) for place in sorted(back) if back[place]
        )

    def _take_named(self, each: Mention) -> None:
        places = self._places(each)
        if len(places) > 1:
            if not (each.whole or each.number == sum(self.rows[place].quantity for place in places)):
                raise Unclear
            for place in places:
                self._put(each.role, place, self.rows[place].quantity)
        else:
            self._put(each.role, places[0], self._counted(each, places[0]))

    def _places(self, each: Mention) -> list[int]:
        """The rows that a name may mean: by kind, then by what it looks like."""
        places = [place for place, row in enumerate(self.rows) if each.kind in row.kinds]
        if not places:
            raise Unclear
        if len(places) > 1 and each.looks:
            alike = {place: len(self.rows[place].looks & each.looks) for place in places}
            most = max(alike.values())
            best = [place for place in places if alike[place] == most]
            places = best if most else places
        materials = each.looks & _MATERIALS
        if materials and all(
            self.rows[place].looks & _MATERIALS and not self.rows[place].looks & materials for place in places
        ):
            raise Unclear
        return places

    def _counted(self, each: Mention, place: int) -> int | None:
        """So many of one row; ``None`` where it has several and no number is said."""
        row = self.rows[place]
        number = each.number
        if each.of is not None and (row.quantity == 1 if each.of == SEVERAL else each.of != row.quantity):
            raise Unclear
        if each.whole or (number is None and row.quantity == 1):
            return row.quantity
        if number is not None and not each.pair and not row.kinds.isdisjoint(self.pieces.pairs):
            if number == len(("left", "right")) and row.quantity == 1 and each.of is None:
                return 1
            raise Unclear
        if number is not None and number > row.quantity:
            raise Unclear
        return number

    def _put(self, role: Role | None, place: int, number: int | None) -> None:
        if role is None:
            return
        known = self.units[role]
        if known.get(place) is not None and number is not None and known[place] != number:
            raise Unclear
        known[place] = number if known.get(place) is None else known[place]

    def _take_rest_of_kind(self, each: Mention) -> None:
        places = self._places(each)
        if len(places) != 1 or each.role is None:
            raise Unclear
        place, row = places[0], self.rows[places[0]]
        other = self.units[Role.STAYS if each.role is Role.BACK else Role.BACK].get(place)
        left = row.quantity - (other or 0)
        if (other is None and row.quantity > 1) or not _fits(each, left):
            raise Unclear
        self._put(each.role, place, left)

    def _take_rest(self, rests: Sequence[Mention]) -> None:
        roles = {Role.BACK if each.spared else each.role for each in rests}
        if not rests:
            return
        role = roles.pop()
        if roles or role is None:
            raise Unclear
        other = self._sure(Role.STAYS if role is Role.BACK else Role.BACK)
        left = {place: row.quantity - other.get(place, 0) for place, row in enumerate(self.rows)}
        left = {place: number for place, number in left.items() if number}
        if not other or not left or (role is Role.BACK and self.nameless):
            raise Unclear
        if not all(each.spared or _fits(each, sum(left.values())) for each in rests):
            raise Unclear
        if any(left.get(place) is None for place in self.units[role]):
            raise Unclear
        for place, number in left.items():
            self._put(role, place, number)

    def _sure(self, role: Role) -> dict[int, int]:
        known = {place: number for place, number in self.units[role].items() if number is not None}
        other = self.units[Role.STAYS if role is Role.BACK else Role.BACK]
        for place, number in self.units[role].items():
            if number is None and other.get(place) is None:
                raise Unclear
            if number is None and role is Role.BACK:
                raise Unclear
        return known

    def _check(self, mentions: Sequence[Mention], counted: Sequence[Mention]) -> None:
        """Something goes back, said outright, and no piece of the invoice is left open."""
        back, stays = self._sure(Role.BACK), self._sure(Role.STAYS)
        if not back or not any((each.role is Role.BACK or each.spared) and each.firm for each in mentions):
            raise Unclear
        for each in counted if len(self.rows) > 1 else ():
            if each.of is not None or each.number != sum((back if each.role is Role.BACK else stays).values()):
                raise Unclear
        closed = any(each.role is Role.BACK and _closes(each) for each in mentions)
        for place, row in enumerate(self.rows):
            here = back.get(place, 0)
            told = here + stays.get(place, 0)
            if told > row.quantity or (told < row.quantity and not (closed or here > 0)):
                raise Unclear
        self._check_aside((each for each in mentions if each.role is None and each.kind), {*back, *stays})

    def _check_aside(self, aside: Iterable[Mention], known: set[int]) -> None:
        """What is named without a word of what becomes of it is one of those that are spoken of, or was only bought."""
        for each in aside:
            places = [place for place, row in enumerate(self.rows) if each.kind in row.kinds]
            if not places or (not each.bought and known.isdisjoint(places)):
                raise Unclear
            counts = each.bought and each.number and self.pieces.pairs.isdisjoint(self.rows[places[0]].kinds)
            if counts and each.number != sum(self.rows[place].quantity for place in places):
                raise Unclear


def _closes(each: Mention) -> bool:
    """Whether nothing but these goes back: "only the ring", "one item", "one of the two"."""
    return each.only or each.of is not None or (each.kind is None and each.number is not None)


def _fits(rest: Mention, pieces: int) -> bool:
    """Whether what is left is as many pieces as "the other one", "the other two", "the rest" say."""
    return pieces == rest.number or (rest.number is None and (pieces == 1 or rest.several))
