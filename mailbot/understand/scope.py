"""Are the words of a phrase meant as they stand, or denied, supposed, left open, told of somebody else?"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from mailbot.understand.lexicons import Frame, Kind, Lexicon, Rule
from mailbot.understand.wording import CLAUSE_MARK

_REACH_BACK = 3  # words between a phrase and what denies it from behind
_LIST_REACH = 4  # words after a comma in which "or" shows that a denied list goes on
_SAYS_NOTHING = frozenset({Kind.FRAME, Kind.FILLER, Kind.FOLLOW_UP})
_TAKEN_BACK = frozenset({"thanks", "withdrawn"})
_STATEMENTS = _TAKEN_BACK | {"service"}  # values of ``other`` that a negator turns around; the rest are questions


class Mood(StrEnum):
    """How a phrase is meant; ``VOID``: the words say the opposite, suppose it, or speak of something else."""

    ASSERTED = "asserted"
    HEDGED = "hedged"
    CONDITIONAL = "conditional"
    ASKED = "asked"
    VOID = "void"


class Match(NamedTuple):
    """A rule and the first and the last word of the sentence that its phrase matches."""

    rule: Rule
    first: int
    last: int


class Scope:
    """What the frames and negators of one sentence reach.

    Attributes:
        asks: the sentence is a question.
        supposes: something in it is supposed.
        elsewhere: it speaks of another order, shop or person.
    """

    __slots__ = (
        "_denied",
        "_denying",
        "_lexicon",
        "_negated",
        "_open",
        "_supposed",
        "_words",
        "asks",
        "elsewhere",
        "reported",
        "supposes",
    )

    def __init__(self, words: Sequence[str], lexicon: Lexicon, matches: Iterable[Match], *, asks: bool) -> None:
        """Find what reaches how far.

        Args:
            words: of the sentence.
            lexicon: whose negators and breaks count.
            matches: all that matched in the sentence; the frames among them count.
            asks: it ends with a question mark.
        """
        self._words, self._lexicon = words, lexicon
        frames: dict[str, list[Match]] = {}
        matches = list(matches)
        for match in matches:
            if match.rule.kind is Kind.FRAME:
                frames.setdefault(match.rule.value, []).append(match)
        polite = _places(frames, Frame.POLITE)
        openers = [match.first for match in frames.get(Frame.HYPOTHETICAL, ()) if match.first not in polite]
        self._supposed = {place for first in openers for place in range(first, self._clause_end(first))}
        behind = [match.first for match in frames.get(Frame.SUPPOSING, ()) if match.first not in polite]
        self._supposed.update(place for last in behind for place in range(self._clause_start(last), last))
        self.supposes = bool(openers or behind)
        self._open = {Mood.CONDITIONAL: self.supposes, Mood.HEDGED: Frame.HEDGE in frames}
        self.elsewhere = any(not _is_said(match, matches) for match in frames.get(Frame.ELSEWHERE, ()))
        self.reported = Frame.REPORTED in frames
        self.asks = asks or Frame.QUESTION in frames
        self._denying = not lexicon.negators.isdisjoint(words)
        affirming = _places(frames, Frame.AFFIRMING)
        self._negated = self._reached(affirming) if self._denying else [False] * len(words)
        said = [match for match in matches if match.rule.kind not in _SAYS_NOTHING]
        self._denied = [
            range(max(self._clause_start(match.first), match.first - _REACH_BACK - 1), match.first)
            for match in frames.get(Frame.DENYING, ())
            if match.first not in affirming and not any(_holds(other, match) for other in said)
        ]
        self._denied += [
            range(match.first, match.last)
            for match in frames.get(Frame.DENIED, ())
            if match.last not in affirming and not any(other.first <= match.last <= other.last for other in said)
        ]

    def mood(self, match: Match) -> Mood:
        """How a phrase is meant."""
        if self._is_void(match):
            return Mood.VOID
        kind = match.rule.kind
        if kind is Kind.WANTS and self._open[Mood.CONDITIONAL]:
            return Mood.CONDITIONAL
        if (self._open[Mood.HEDGED] and kind is not Kind.FACT) or self.elsewhere:
            return Mood.HEDGED
        return Mood.ASKED if self.asks else Mood.ASSERTED

    def denies(self, match: Match) -> bool:
        """Whether a negator reaches the phrase, from before it or out of one of its gaps."""
        if not (self._denying or self._denied):
            return False
        own = match.rule.phrase.words
        inside = self._words[match.first : match.last + 1]
        in_gap = any(word in self._lexicon.negators and word not in own for word in inside)
        return self._negated[match.first] or in_gap or any(match.last in places for places in self._denied)

    def is_denied(self, place: int) -> bool:
        """Whether a negator reaches the word at ``place``."""
        return self._negated[place] or any(place in places for places in self._denied)

    def _is_void(self, match: Match) -> bool:
        kind, value = match.rule.kind, match.rule.value
        supposed = match.first in self._supposed or match.last in self._supposed
        if kind is Kind.DISPUTE or (kind is Kind.OTHER and value not in _STATEMENTS):
            return False  # a dispute counts however it is mentioned, and a question however it is put
        if kind in {Kind.DOUBT, Kind.OTHER, Kind.FOLLOW_UP}:
            return self.denies(match) or (supposed and value in _TAKEN_BACK)
        if kind is Kind.WANTS:
            return supposed or all(self._open.values()) or self.denies(match)
        if supposed or self.elsewhere or self.reported:
            return True
        return kind is not Kind.FACT and self.denies(match)

    def _clause_end(self, first: int) -> int:
        after = range(first + 1, len(self._words))
        return next((place for place in after if self._words[place] == CLAUSE_MARK), len(self._words))

    def _clause_start(self, last: int) -> int:
        before = range(last - 1, -1, -1)
        return next((place + 1 for place in before if self._words[place] == CLAUSE_MARK), 0)

    def _reached(self, affirming: set[int]) -> list[bool]:
        reached, reach = [], 0
        for place, word in enumerate(self._words):
            if word in self._lexicon.breaks:
                reach = 0
            reached.append(reach > 0)
            if word in self._lexicon.negators and place not in affirming:
                reach = self._lexicon.reach
            elif word == CLAUSE_MARK:
                following = self._words[place + 1 : place + 1 + _LIST_REACH]
                reach = 0 if self._lexicon.alternatives.isdisjoint(following) else reach
            elif word not in self._lexicon.alternatives:
                reach = max(0, reach - 1)
        return reached


def _is_said(frame: Match, matches: Sequence[Match]) -> bool:
    """Whether the words belong to a reason ("cheaper in another shop")."""
    reasons = (match for match in matches if match.rule.kind is Kind.REASON)
    return any(match.first <= frame.first and frame.last <= match.last for match in reasons)


def _holds(match: Match, other: Match) -> bool:
    """Whether a phrase has the other one within it, so that its negator is spoken for."""
    return match.first < other.first and other.last <= match.last


def _places(frames: Mapping[str, Sequence[Match]], frame: Frame) -> set[int]:
    return {place for match in frames.get(frame, ()) for place in range(match.first, match.last + 1)}
