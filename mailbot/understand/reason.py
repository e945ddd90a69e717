"""Why does the customer write, and do the words leave room for another reason?"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.model.facts import Reason
from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.lexicons import Kind, Strength
from mailbot.understand.scope import Mood

_SAYS_MORE: dict[Reason, frozenset[Reason]] = {
    Reason.DAMAGED_IN_TRANSIT: frozenset({Reason.QUALITY_DEFECT}),
    Reason.NOT_DELIVERED: frozenset({Reason.LATE_DELIVERY}),
    Reason.NATURAL_VARIATION: frozenset({Reason.CHANGE_OF_MIND}),
    Reason.RING_OPENING: frozenset({Reason.CHANGE_OF_MIND}),
}
"""The reason that holds what the others only describe: a ring that arrived broken is broken, and a ring of another
colour than in the picture is disliked for it."""

_SAYS_MORE_AT_ONCE: dict[Reason, frozenset[Reason]] = {
    Reason.CUSTOMER_DAMAGE: frozenset({Reason.QUALITY_DEFECT}),
    Reason.RING_OPENING: frozenset({Reason.QUALITY_DEFECT, Reason.CUSTOMER_DAMAGE}),
    Reason.WRONG_ITEM: frozenset({Reason.NATURAL_VARIATION, Reason.MISTAKEN_ORDER}),
    Reason.MISTAKEN_ORDER: frozenset({Reason.CHANGE_OF_MIND, Reason.NATURAL_VARIATION}),
    Reason.LATE_DELIVERY: frozenset({Reason.CHANGE_OF_MIND}),
}
"""Likewise, but only within one sentence: "I dropped it and the stone fell out"."""

_CAUSES = frozenset({Reason.CUSTOMER_DAMAGE, Reason.RING_OPENING})
"""What explains a symptom, wherever it is told: "our dog chewed it. The hinge is bent."."""


_OWN_MISTAKE = Reason.MISTAKEN_ORDER


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedReason:
    """The reason that the words give.

    Attributes:
        reason: ``UNSPECIFIED`` where they give none.
        clear: it is stated as a fact, in words that mean nothing else.
        conflict: another reason is stated as well.
        places: where; the first is the best evidence.
    """

    reason: Reason
    clear: bool
    conflict: bool
    places: tuple[tuple[ReadSentence, Finding], ...]


def read_reason(sentences: Sequence[ReadSentence]) -> StatedReason:
    """Weigh every stated reason of a mail; what is denied, supposed or told of somebody else does not count."""
    stated = [(sentence, finding) for sentence in sentences for finding in _strongest(sentence)]
    if any(found.rule.strength == Strength.CLEAR and found.rule.value in _CAUSES for _, found in stated):
        stated = [each for each in stated if not _describes(*each)]
    specific = [each for each in stated if not Strength(each[1].rule.strength).yields] or stated
    if any(found.rule.strength == Strength.CLEAR and found.rule.value == _OWN_MISTAKE for _, found in stated):
        specific = [each for each in specific if not _is_hint_of_wrong_item(each[1])]
    reasons = {Reason(finding.rule.value) for _, finding in specific}
    reasons -= {weaker for reason in reasons for weaker in _SAYS_MORE.get(reason, frozenset())}
    clear = {Reason(finding.rule.value) for sentence, finding in specific if _is_clear(sentence, finding)} & reasons
    meant = clear or reasons
    if not meant:
        return StatedReason(reason=Reason.UNSPECIFIED, clear=False, conflict=False, places=())
    found = [each for each in specific if each[1].rule.value in meant]
    reason = Reason(found[0][1].rule.value)
    evidence = sorted((each for each in found if each[1].rule.value == reason), key=lambda each: not _is_clear(*each))
    return StatedReason(reason=reason, clear=reason in clear, conflict=len(reasons) > 1, places=tuple(evidence))


def _describes(sentence: ReadSentence, finding: Finding) -> bool:
    """Whether a phrase only says how the goods are now, or stands in words that do."""
    symptoms = [
        other
        for other in sentence.findings
        if other.rule.kind is Kind.REASON and other.rule.strength == Strength.SYMPTOM
    ]
    about_goods = finding.rule.value == Reason.QUALITY_DEFECT and finding.rule.strength != Strength.CLEAR
    return about_goods or (finding.rule.value not in _CAUSES and _overlaps(finding, symptoms))


def _is_hint_of_wrong_item(finding: Finding) -> bool:
    """Whether "the wrong ring" may just as well be the one that the customer ordered by mistake."""
    return finding.rule.value == Reason.WRONG_ITEM and finding.rule.strength == Strength.LIKELY


def goes_with(reason: Reason) -> frozenset[str]:
    """The reasons whose words may stand beside this one and mean nothing more."""
    return _SAYS_MORE.get(reason, frozenset()) | _SAYS_MORE_AT_ONCE.get(reason, frozenset()) | {reason}


def _strongest(sentence: ReadSentence) -> list[Finding]:
    """The reasons of one sentence without those that a plainer one already says, in part or in the same words."""
    found = [
        finding for finding in sentence.findings if finding.rule.kind is Kind.REASON and finding.mood is not Mood.VOID
    ]
    clear = [finding for finding in found if finding.rule.strength in {Strength.CLEAR, Strength.SYMPTOM}]
    said = {Reason(finding.rule.value) for finding in clear}
    outdone = {weaker for reason in said for weaker in goes_with(reason) - {reason}}
    return [
        finding
        for finding in found
        if finding.rule.value not in outdone and (finding in clear or not _overlaps(finding, clear))
    ]


def _overlaps(finding: Finding, others: Sequence[Finding]) -> bool:
    return any(finding.first <= other.last and other.first <= finding.last for other in others)


def _is_clear(sentence: ReadSentence, finding: Finding) -> bool:
    """Whether a finding is a plain statement; within a question only beside a wish ("can I return it, it broke?")."""
    if Strength(finding.rule.strength).uncertain:
        return False
    if finding.mood is Mood.ASKED:
        return any(
            other.rule.kind is Kind.WANTS and other.mood is not Mood.VOID and other.rule.strength == Strength.CLEAR
            for other in sentence.findings
        )
    return finding.mood is Mood.ASSERTED
