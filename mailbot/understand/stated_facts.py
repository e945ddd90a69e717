"""What does the customer say about the goods: used, altered, boxed, bought again, received when?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.lexicons import Fact, Kind
from mailbot.understand.scope import Mood

_PAPER = "paper"  # what came on that day was a letter, not the goods
_AGAINST_THE_CLAIM = {Fact.ITEM_USED: True, Fact.ITEM_ALTERED: True, Fact.ORIGINAL_BOX: False}

Place = tuple[ReadSentence, Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFacts:
    """Facts with their places.

    Attributes:
        values: only what is stated; where it is stated both ways, what speaks against the claim.
        places: where each was read; also of facts that stayed open.
        conflict: something is stated both ways.
        received_on: the day of receipt; ``None`` where it is not stated.
        date_unclear: a day of receipt is stated, and could be another.
    """

    values: dict[Fact, bool]
    places: dict[Fact, Place]
    conflict: bool
    received_on: date | None
    received_at: Place | None
    date_unclear: bool


def read_facts(sentences: Sequence[ReadSentence]) -> StatedFacts:
    """Collect what is stated as a fact; what is supposed or told of somebody else is not."""
    values: dict[Fact, bool] = {}
    places: dict[Fact, Place] = {}
    conflict = False
    for fact, value, place in _stated(sentences):
        conflict = conflict or values.get(fact, value) != value
        if fact not in values or value == _AGAINST_THE_CLAIM.get(fact):
            values[fact], places[fact] = value, place
    received = list(_received(sentences))
    days = {day for day, _, _ in received}
    return StatedFacts(
        values=values,
        places=places,
        conflict=conflict,
        received_on=received[0][0] if len(days) == 1 else None,
        received_at=received[0][2] if received else None,
        date_unclear=len(days) > 1 or any(not sure for _, sure, _ in received),
    )


def _stated(sentences: Sequence[ReadSentence]) -> Iterator[tuple[Fact, bool, Place]]:
    for sentence in sentences:
        for finding in sentence.findings:
            if finding.rule.kind is not Kind.FACT or finding.mood not in {Mood.ASSERTED, Mood.ASKED}:
                continue
            if any(_outdoes(other, finding) for other in sentence.findings):
                continue
            says_yes = finding.rule.strength == "yes"
            if says_yes or not finding.negated:
                yield Fact(finding.rule.value), says_yes and not finding.negated, (sentence, finding)


def _outdoes(finding: Finding, other: Finding) -> bool:
    """Whether of two phrases about one fact that share words this one counts: the longer, or what is against it.

    A denial that reaches only the longer one ("worn ... not") settles nothing.
    """
    about = finding.rule.kind is Kind.FACT and finding.rule.value == other.rule.value
    if not about or finding.last < other.first or other.last < finding.first:
        return False
    if (
        finding.first <= other.first
        and other.last <= finding.last
        and finding.last - finding.first > other.last - other.first
        and (finding.negated <= other.negated or finding.rule.strength == other.rule.strength == "no")
    ):
        return True
    against = _AGAINST_THE_CLAIM.get(Fact(finding.rule.value))
    return _says_yes(finding) == against != _says_yes(other) and not (finding.negated and finding.rule.strength == "no")


def _says_yes(finding: Finding) -> bool:
    return finding.rule.strength == "yes" and not finding.negated


def _received(sentences: Sequence[ReadSentence]) -> Iterator[tuple[date, bool, Place]]:
    for sentence in sentences:
        received = [finding for finding in sentence.findings if finding.rule.kind is Kind.RECEIVED]
        if any(finding.rule.value == _PAPER for finding in received):
            continue
        for finding in received:
            if finding.mood is not Mood.VOID:
                named = [sentence.wording.dates.get(place) for place in range(finding.first, finding.last + 1)]
                stated = next((day for day in named if day is not None), None)
                if stated is not None and stated.day is not None:
                    yield stated.day, stated.sure, (sentence, finding)
