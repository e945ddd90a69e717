"""What does the customer want done, and does the mail ask for it outright?"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.model.facts import Remedy
from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.lexicons import NO_ORDER, QUESTIONS, Kind, Strength
from mailbot.understand.scope import Mood
from mailbot.understand.wording import CLAUSE_MARK

_MONEY_BACK = frozenset({Remedy.REFUND, Remedy.CANCELLATION})
_CANCELS_OUT = QUESTIONS | {"withdrawn"}

Place = tuple[ReadSentence, Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedWish:
    """The wish that the words give.

    Attributes:
        wants: ``UNSPECIFIED`` where none is stated.
        clear: asked for outright: not "how would I", not "if", not "perhaps".
        conflict: something else is asked for as well.
        places: where, the best evidence first.
    """

    wants: Remedy
    clear: bool
    conflict: bool
    places: tuple[Place, ...]


def read_wish(sentences: Sequence[ReadSentence]) -> StatedWish:
    """Collect the wishes of a mail; one that is denied or supposed is none.

    A cancellation holds the refund that is asked for beside it. Of wishes that differ the first one is kept.
    """
    stated = [
        (sentence, finding)
        for sentence in sentences
        for finding in sentence.findings
        if finding.rule.kind is Kind.WANTS and finding.mood is not Mood.VOID
    ]
    outright = [place for place in stated if _is_outright(*place)]
    counted = outright or stated
    wishes = dict.fromkeys(Remedy(finding.rule.value) for _, finding in counted)
    if not wishes:
        return StatedWish(wants=Remedy.UNSPECIFIED, clear=False, conflict=False, places=())
    first = next(iter(wishes))
    wants = Remedy.CANCELLATION if first in _MONEY_BACK and Remedy.CANCELLATION in wishes else first
    return StatedWish(
        wants=wants,
        clear=bool(outright),
        conflict=len({"money back" if wish in _MONEY_BACK else wish for wish in wishes}) > 1,
        places=tuple(place for place in counted if place[1].rule.value == wants),
    )


def _is_outright(sentence: ReadSentence, finding: Finding) -> bool:
    """A clear phrase, stated or asked for; not where its clause, or a question, is about something else."""
    if finding.rule.strength != Strength.CLEAR or finding.mood not in {Mood.ASSERTED, Mood.ASKED}:
        return False
    others = [other for other in sentence.findings if other.rule.kind is Kind.OTHER and other.mood is not Mood.VOID]
    if any(other.rule.value == NO_ORDER for other in others):
        return False
    asking = [other for other in others if other.rule.value in _CANCELS_OUT]
    return not any(finding.mood is Mood.ASKED or _in_one_clause(sentence, finding, other) for other in asking)


def _in_one_clause(sentence: ReadSentence, finding: Finding, other: Finding) -> bool:
    between = sentence.wording.words[min(finding.last, other.last) + 1 : max(finding.first, other.first)]
    return CLAUSE_MARK not in between
