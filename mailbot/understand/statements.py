"""What does a sentence say becomes of the pieces in it: statement by statement, do they go back or stay?"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from mailbot.understand.pieces import Found, PieceWords, fold

_STOP = re.compile(
    r"(?<!\d)[,.;:]|[,.;:](?!\d)|[()\[\]!?\u2026\u2014\u2013\n\u3001\u3002\uff0c\uff1b\uff1a\uff01\uff1f]| - "
)
WORD = re.compile(r"\w+(?:'\w+)*")
_BEFORE, _BEHIND, _BEHIND_RUNNING = 2, 2, 4  # words, words, signs between a negator and what it turns around
_TURNS_BEHIND = frozenset({"de", "nl", "fr"})


class Unclear(Exception):  # noqa: N818 (no error: a way out of reading)
    """Nobody can say for certain which pieces are meant."""


class Role(StrEnum):
    """What becomes of a piece."""

    BACK = "back"
    STAYS = "stays"


Roles = frozenset[tuple[Role, bool]]
"""What is said, and whether outright: a piece that somebody likes stays, but not for certain."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A statement within a sentence; those of one clause share its ``clause``."""

    start: int
    end: int
    clause: int
    roles: Roles


class Statements:
    """One sentence, parted into statements."""

    def __init__(self, text: str, words: PieceWords, language: str) -> None:
        """Keep the text folded; ``language`` is ISO 639-1."""
        self.text, self.words, self.language = fold(text), words, language
        self._found: dict[str, list[Found]] = {}

    def where(self, what: str, start: int, end: int) -> list[Found]:
        """The places of one list's words that lie wholly between two places."""
        if what not in self._found:
            self._found[what] = self.words.where(what, self.text)
        return [each for each in self._found[what] if start <= each.start and each.end <= end]

    @cached_property
    def stretches(self) -> list[Stretch]:
        """The statements, in order."""
        stops = [match.span() for match in _STOP.finditer(self.text)]
        ends = [*stops, (len(self.text), len(self.text))]
        parted, begun = [], 0
        for clause, (end, after) in enumerate(ends):
            places = [begun]
            joins = self.where("joins", begun, end)
            for join in joins:
                parted.append((places[-1], join.start, clause))
                places.append(join.end if self.words.spaced else join.start)
            parted.append((places[-1], end, clause))
            begun = after
        return [Stretch(start, end, clause, self._roles(start, end)) for start, end, clause in parted if start < end]

    def asks_for_all(self) -> bool:
        """Whether the whole order is to go back, whatever is said of its pieces."""
        return any(map(self._asks_for_all, self.stretches))

    def _asks_for_all(self, stretch: Stretch) -> bool:
        if not self.where("all", stretch.start, stretch.end) or self.words.where("but", self.text):
            return False
        clause = (each for each in self.stretches if each.clause == stretch.clause)
        return any(role is Role.BACK for each in clause for role, _ in each.roles)

    def role(self, stretch: Stretch, *, alone: bool) -> tuple[Role | None, bool]:
        """What the statement says of its pieces; one of a purchase says nothing.

        Args:
            stretch: the statement.
            alone: what is said beside it is meant, too, as in a list, or where the sentence has one piece only.

        Raises:
            Unclear: it says both.
        """
        if stretch.roles:
            return _settled(stretch.roles)
        if self.where("bought", stretch.start, stretch.end):
            return None, False
        if not alone:
            return None, False
        clause = [each for each in self.stretches if each.clause == stretch.clause]
        place = clause.index(stretch)
        for each in (*reversed(clause[:place]), *clause[place + 1 :]):
            if each.roles:
                return _settled(each.roles)
        roles = frozenset().union(*(each.roles for each in self.stretches))
        return _settled(roles) if len({role for role, _ in roles}) == 1 else (None, False)

    def _roles(self, start: int, end: int) -> Roles:
        told = [(Role.BACK, True, each) for each in self.where("claimed", start, end)]
        told += [(Role.STAYS, True, each) for each in self.where("kept", start, end)]
        told += [(Role.STAYS, False, each) for each in self.where("liked", start, end)]
        other = {Role.BACK: Role.STAYS, Role.STAYS: Role.BACK}
        return frozenset((other[role] if self._turned(each, start, end) else role, firm) for role, firm, each in told)

    def _turned(self, said: Found, start: int, end: int) -> bool:
        if not self.words.spaced:
            reach = (said.end, said.end + _BEHIND_RUNNING) if self.language == "ja" else (said.start - 2, said.start)
            return any(reach[0] <= each.start <= reach[1] for each in self.where("negators", max(start, 0), end))
        before = [*WORD.finditer(self.text, start, said.start)][-_BEFORE - 1 :]
        behind = [*WORD.finditer(self.text, said.end, end)][:_BEHIND] if self.language in _TURNS_BEHIND else []
        near = [match.start() for match in (*before, *behind)]
        return any(each.start <= at < each.end for each in self.where("negators", start, end) for at in near)


def _settled(roles: Roles) -> tuple[Role, bool]:
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
