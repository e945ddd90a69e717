"""Do the two readers contradict each other in something that a decision rests on?"""

from collections.abc import Mapping, Sequence

from mailbot.model.facts import Reason
from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.lexicons import Fact, Kind, Strength
from mailbot.understand.reason import goes_with, read_reason
from mailbot.understand.scope import Mood
from mailbot.understand.second_reader import Probabilities
from mailbot.understand.stated_facts import read_facts

CERTAIN = 0.9  # where a phrase hints at something graver
SURE = 0.8
GIVES = 0.75  # a reason that no phrase gives
_AGREES = 0.6  # what the grammar reads as well
UNDERSTOOD = 0.5
_MAY_WELL = 0.4
NOTICED = 0.25  # what may be said
UNHEARD = 0.1
REASON, ANY_REASON = "reason.", "any.reason"
ASIDE = ("supposed", "elsewhere", "withdrawn")
FACTS: Mapping[Fact, tuple[str, str]] = {
    Fact.ITEM_USED: ("used.yes", "used.no"),
    Fact.ITEM_ALTERED: ("altered.yes", "altered.no"),
    Fact.ORIGINAL_BOX: ("box.yes", "box.no"),
}
_AGAINST = tuple(
    (fact, fact is not Fact.ORIGINAL_BOX, *(labels if fact is not Fact.ORIGINAL_BOX else labels[::-1]))
    for fact, labels in FACTS.items()
)
"""What speaks against a return: the fact, its value, the label for it and the one against it."""
_MILD = frozenset(
    {
        Reason.CHANGE_OF_MIND,
        Reason.MISTAKEN_ORDER,
        Reason.NATURAL_VARIATION,
        Reason.RING_OPENING,
        Reason.UNSPECIFIED,
    }
)
"""Reasons for which nobody is to blame, so that money may go back at once."""
OWN_CHOICE = frozenset({Reason.CHANGE_OF_MIND, Reason.MISTAKEN_ORDER})
"""The customer's own: whoever gives both has the same order to take back, on the same terms."""
_LEAVES: Mapping[Reason, frozenset[Reason]] = {
    Reason.CUSTOMER_DAMAGE: frozenset({Reason.QUALITY_DEFECT, Reason.DAMAGED_IN_TRANSIT}),
    Reason.RING_OPENING: frozenset({Reason.QUALITY_DEFECT, Reason.DAMAGED_IN_TRANSIT}),
}
"""What a told cause leaves behind, and a heading ("stone cracked") names without it."""


def disagree(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities]) -> bool:
    """Whether the second reader hears another reason than the grammar, one that cannot be named, or no request."""
    read = read_reason(sentences)
    sureness = reasons_heard(heard).get(read.reason, 0.0)
    others = _other_reasons(sentences, heard, read.reason, confirmed=sureness >= _AGREES)
    if any(value >= UNDERSTOOD for value in others.values()):
        return True
    unconfirmed = read.reason not in _MILD and sureness < UNDERSTOOD
    if unconfirmed and read.places and not any(sentence.names_goods for sentence, _ in read.places):
        return True  # what broke or never came may be anything
    unnamed = sureness < _AGREES or max(others.values(), default=0.0) >= _MAY_WELL
    if unnamed and any(map(_gives_a_reason_unread, sentences, heard)):
        return True
    return any(map(_is_meant_otherwise, sentences, heard))


def facts_in_doubt(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities]) -> tuple[Fact, ...]:
    """What the second reader hears against a return and the grammar does not: used, altered, no box any more."""
    values = read_facts(sentences).values
    agreed = {
        fact
        for fact, value, _, other in _AGAINST
        if values.get(fact) is (not value) and any(given.get(other, 0.0) >= SURE for given in heard)
    }
    return tuple(
        fact
        for fact, value, against, other in _AGAINST
        if any(
            given.get(against, 0.0) >= (UNDERSTOOD if fact in agreed else NOTICED)
            and given[against] > given[other] / 2
            and values.get(fact) != value
            for given in heard
        )
    )


def _other_reasons(
    sentences: Sequence[ReadSentence], heard: Sequence[Probabilities], told: Reason, *, confirmed: bool
) -> dict[Reason, float]:
    """How likely each other reason is, where a sentence does not rather give the one that was read.

    Args:
        sentences: as read.
        heard: by the second reader.
        told: the reason that was read.
        confirmed: the second reader hears it as well; then a denial that the grammar sees is one.
    """
    known, found = goes_with(told), dict.fromkeys(Reason, 0.0)
    for sentence, given in zip(sentences, heard, strict=True):
        for reason in set(Reason) - known:
            value = stated(reason, given)
            spared = confirmed and (_is_like(told, reason) or denies(sentence, reason))
            if value > stated(told, given) < SURE and not spared:
                found[reason] = max(found[reason], value)
    return found


def _is_meant_otherwise(sentence: ReadSentence, given: Probabilities) -> bool:
    """Whether the request is taken back; or what it asks, or why, is most likely supposed or told of others."""
    if given.get("withdrawn", 0.0) >= SURE:
        return True
    tells = any(finding.rule.kind in {Kind.REASON, Kind.WANTS, Kind.FACT} for finding in sentence.findings)
    return tells and any(given.get(name, 0.0) >= SURE for name in ASIDE)


def _is_like(told: Reason, heard: Reason) -> bool:
    """Whether a reason that only the second reader hears is no other than the one that both do."""
    return heard in _LEAVES.get(told, frozenset()) or {told, heard} <= OWN_CHOICE


def _gives_a_reason_unread(sentence: ReadSentence, given: Probabilities) -> bool:
    """Whether it most likely says why, and in words that neither reader can name."""
    return given.get(ANY_REASON, 0.0) >= GIVES and not any(
        finding.rule.kind is Kind.REASON for finding in sentence.findings
    )


def hints_at_another(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities], told: Reason) -> bool:
    """Whether a phrase may give a reason that the customer could not help.

    Not one that stands within a phrase for the reason told ("wrong size" in "I picked the wrong size"), nor where the
    second reader is sure that the sentence tells nothing.
    """
    mild = goes_with(told) | _MILD
    return told in _MILD and any(
        finding.rule.kind is Kind.REASON
        and finding.rule.value not in mild
        and finding.mood is not Mood.VOID
        and not any(_gives(other, told) and _stands_in(finding, other) for other in sentence.findings)
        for sentence, given in zip(sentences, heard, strict=True)
        if given.get("none", 0.0) < SURE
        for finding in sentence.findings
    )


def _gives(finding: Finding, reason: Reason) -> bool:
    rule = finding.rule
    return rule.kind is Kind.REASON and rule.value == reason and rule.strength == Strength.CLEAR


def _stands_in(finding: Finding, other: Finding) -> bool:
    return other.first <= finding.first and finding.last <= other.last


def reasons_heard(heard: Sequence[Probabilities]) -> dict[Reason, float]:
    """How likely each reason is given somewhere in the mail."""
    return {
        reason: max((stated(reason, given) for given in heard), default=0.0)
        for reason in Reason
        if reason is not Reason.UNSPECIFIED
    }


def stated(reason: Reason, given: Probabilities) -> float:
    """How likely a sentence gives this reason: at most as likely as that it gives one at all."""
    return min(given.get(f"{REASON}{reason}", 0.0), given.get(ANY_REASON, 0.0))


def buys_again_in_doubt(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities]) -> bool:
    """Whether "I have ordered the right one", which spares the customer a fee (C10), may be no fact.

    The second reader is not sure of it, or something in the sentence is denied and it is not understood what.

    Args:
        sentences: as the grammar alone reads them.
        heard: by the second reader.
    """
    facts = read_facts(sentences)
    if not facts.values.get(Fact.REPURCHASED):
        return False
    sure = any(given.get("repurchased", 0.0) >= SURE for given in heard)
    return not sure or facts.places[Fact.REPURCHASED][0].denies


def denies(sentence: ReadSentence, reason: Reason) -> bool:
    """Whether the grammar sees the reason denied, supposed or told of others."""
    return any(
        finding.rule.kind is Kind.REASON and finding.rule.value == reason and finding.mood is Mood.VOID
        for finding in sentence.findings
    )
