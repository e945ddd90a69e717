"""What keeps a machine from deciding on this claim, and how confident does that leave it?"""

from collections.abc import Iterator, Sequence

from mailbot.model.facts import Reason
from mailbot.understand.findings import Finding, Mood, ReadSentence
from mailbot.understand.lexicons import Kind
from mailbot.understand.reason import StatedReason
from mailbot.understand.stated_facts import StatedFacts
from mailbot.understand.wish import StatedWish

_STATED = 0.95
_ONLY_A_WISH = 0.9
_PER_UNREAD_SENTENCE = 0.05
_IN_DOUBT = 0.6
_WORDS_OF_SUBSTANCE = 3
_UNKNOWN_WORDS = 2
_MOST_UNREAD_SENTENCES = 2
_SPEAKS_FOR_ITSELF = frozenset(
    {
        Reason.QUALITY_DEFECT,
        Reason.WRONG_ITEM,
        Reason.DAMAGED_IN_TRANSIT,
        Reason.NOT_DELIVERED,
        Reason.LATE_DELIVERY,
    }
)
"""Reasons that the shop must look into whether or not the mail says what should follow."""
_OPEN_MOODS = frozenset({Mood.VOID, Mood.HEDGED, Mood.CONDITIONAL})
_ASKS_NOTHING = frozenset({"thanks", "withdrawn", "process"})


def find_doubts(
    sentences: Sequence[ReadSentence], wish: StatedWish, reason: StatedReason, facts: StatedFacts, others: Sequence[str]
) -> tuple[str, ...]:
    """Every doubt once, in the order in which a person should look at them.

    Args:
        sentences: all that counts of the mail.
        wish, reason, facts: what was read out of them.
        others: what else the mail asks or says, by the lexicon's names.
    """
    return tuple(dict.fromkeys(_doubts(sentences, wish, reason, facts, others)))


def confidence(reason: StatedReason, sentences: Sequence[ReadSentence], doubts: Sequence[str]) -> float:
    """0 to 1; 0.8 and more only without any doubt. Each sentence that stayed unread takes a little."""
    if doubts:
        return _IN_DOUBT
    stated = _ONLY_A_WISH if reason.reason is Reason.UNSPECIFIED else _STATED
    return round(stated - _PER_UNREAD_SENTENCE * len(_unread(sentences)), 2)


def _doubts(
    sentences: Sequence[ReadSentence], wish: StatedWish, reason: StatedReason, facts: StatedFacts, others: Sequence[str]
) -> Iterator[str]:
    for sentence in sentences:
        for finding in sentence.findings:
            if finding.rule.kind is Kind.DOUBT and finding.mood is not Mood.VOID:
                yield finding.rule.value
    if reason.conflict:
        yield "reasons_conflict"
    if wish.conflict:
        yield "wishes_conflict"
    if any(_is_supposed(finding) for sentence in sentences for finding in sentence.findings):
        yield "wish_supposed"
    if facts.conflict:
        yield "facts_conflict"
    if facts.date_unclear:
        yield "date_unclear"
    if "withdrawn" in others:
        yield "withdrawn"
    if not _ASKS_NOTHING.issuperset(others) or any(sentence.asks_more for sentence in sentences):
        yield "asks_more"
    if any(sentence.elsewhere for sentence in sentences):
        yield "speaks_of_another"
    if reason.reason is not Reason.UNSPECIFIED and not reason.clear:
        yield "reason_unclear"
    if not wish.clear and (wish.places or reason.reason not in _SPEAKS_FOR_ITSELF):
        yield "no_clear_wish"
    if not any(sentence.names_goods for sentence in sentences):
        yield "nothing_named"
    yield from _unread_doubts(sentences, reason, {reason.reason.value, *facts.values})


def _unread_doubts(sentences: Sequence[ReadSentence], reason: StatedReason, known: set[str]) -> Iterator[str]:
    if any(sentence.foreign for sentence in sentences):
        yield "other_language"
    if any(_hints_at_more(sentence, known) for sentence in sentences):
        yield "unread_hint"
    if reason.reason is Reason.UNSPECIFIED:
        unread = any(_may_hold_a_reason(sentence) for sentence in sentences)
    else:
        unread = len(_unread(sentences)) > _MOST_UNREAD_SENTENCES
    if unread:
        yield "unexplained_text"


def _is_supposed(finding: Finding) -> bool:
    """A wish that is neither stated nor denied: "if", "I might", "my friend would like"."""
    return finding.rule.kind is Kind.WANTS and finding.mood in _OPEN_MOODS and not finding.negated


def _hints_at_more(sentence: ReadSentence, known: set[str]) -> bool:
    read = known | {finding.rule.value for finding in sentence.findings}
    return any(read.isdisjoint(hint) for hint in sentence.hints)


def _may_hold_a_reason(sentence: ReadSentence) -> bool:
    unknown = len(sentence.unexplained)
    return sentence.reason_unread or unknown >= _UNKNOWN_WORDS or unknown + sentence.everyday >= _WORDS_OF_SUBSTANCE


def _unread(sentences: Sequence[ReadSentence]) -> list[ReadSentence]:
    return [sentence for sentence in sentences if len(sentence.unexplained) >= _WORDS_OF_SUBSTANCE]
