"""What keeps a machine from deciding on this claim, and how confident does that leave it?"""

from collections.abc import Sequence

from mailbot.model.facts import Reason
from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.lexicons import NO_ORDER, Kind, Strength
from mailbot.understand.reason import StatedReason, goes_with
from mailbot.understand.scope import Mood
from mailbot.understand.stated_facts import StatedFacts
from mailbot.understand.wish import StatedWish
from mailbot.understand.wording import NUMBER

_STATED = 0.95
_ONLY_A_WISH = 0.9
_PER_UNREAD_SENTENCE = 0.05
IN_DOUBT = 0.6
_WORDS_OF_SUBSTANCE = 3
_WORDS_ASIDE = 2  # the same, in a sentence without a wish or reason: it may well be the reason
_UNKNOWN_WORDS = 2
_MOST_UNREAD_SENTENCES = 2
SPEAKS_FOR_ITSELF = frozenset(
    {
        Reason.QUALITY_DEFECT,
        Reason.WRONG_ITEM,
        Reason.DAMAGED_IN_TRANSIT,
        Reason.NOT_DELIVERED,
        Reason.LATE_DELIVERY,
    }
)
"""Reasons that the shop must look into whether or not the mail says what should follow."""
READERS_DISAGREE = "readers_disagree"
PART = "partial_claim"
"""What keeps a machine from deciding only where the order has more than one piece, which the mail does not tell."""
_OPEN_MOODS = frozenset({Mood.VOID, Mood.HEDGED, Mood.CONDITIONAL})
_ASKS_NOTHING = frozenset({"thanks", "withdrawn", "process"})


def find_doubts(
    sentences: Sequence[ReadSentence],
    wish: StatedWish,
    reason: StatedReason,
    facts: StatedFacts,
    *,
    others: Sequence[str],
    named: bool,
    between: Sequence[str],
) -> tuple[str, ...]:
    """Every doubt once, in the order in which a person should look at them.

    Args:
        sentences: all that counts of the mail.
        wish: what it asks for.
        reason: why.
        facts: what it says about the goods.
        others: what else it asks or says, by the lexicon's names.
        named: it says what it is about.
        between: those between the two readers.
    """
    findings = [finding for sentence in sentences for finding in sentence.findings]
    silent = reason.reason is Reason.UNSPECIFIED
    yields = all(Strength(finding.rule.strength).yields for _, finding in reason.places)
    names_order = any(NUMBER in sentence.wording.words for sentence in sentences)
    checks = (
        (reason.conflict, "reasons_conflict"),
        (wish.conflict, "wishes_conflict"),
        (any(map(_is_supposed, findings)), "wish_supposed"),
        (facts.conflict, "facts_conflict"),
        (facts.date_unclear, "date_unclear"),
        ("withdrawn" in others, "withdrawn"),
        (_asks_more(sentences, others), "asks_more"),
        (_speaks_of_another(sentences, others), "speaks_of_another"),
        (not reason.clear and (not silent or any(map(_is_left_open, findings))), "reason_unclear"),
        (not wish.clear and bool(wish.places or reason.reason not in SPEAKS_FOR_ITSELF), "no_clear_wish"),
        (not named, "nothing_named"),
        (any(sentence.foreign for sentence in sentences), "other_language"),
        (_hints_at_more(sentences, {*goes_with(reason.reason), *facts.values}), "unread_hint"),
        (_unexplained(sentences, yields=yields), "unexplained_text"),
    )
    spoken = [
        finding.rule.value
        for finding in findings
        if finding.rule.kind is Kind.DOUBT
        and finding.mood is not Mood.VOID
        and not (names_order and finding.rule.value == PART)
        and finding.rule.value not in facts.values
    ]
    return tuple(dict.fromkeys([*spoken, *between, *(doubt for holds, doubt in checks if holds)]))


def confidence(reason: StatedReason, sentences: Sequence[ReadSentence], doubts: Sequence[str]) -> float:
    """0 to 1; 0.8 and more only without any doubt. Each sentence that stayed unread takes a little."""
    if doubts:
        return IN_DOUBT
    stated = _ONLY_A_WISH if reason.reason is Reason.UNSPECIFIED else _STATED
    return round(stated - _PER_UNREAD_SENTENCE * _unread(sentences), 2)


def is_ours(sentence: ReadSentence) -> bool:
    """Whether it asks for or tells something of goods or an order, and of nothing that no shop sells."""
    findings = [finding for finding in sentence.findings if finding.mood is not Mood.VOID]
    tells = any(
        finding.rule.kind is Kind.REASON
        or (finding.rule.kind is Kind.WANTS and finding.rule.strength == Strength.CLEAR)
        for finding in findings
    )
    return sentence.names_goods and tells and not any(finding.rule.value == NO_ORDER for finding in findings)


def _speaks_of_another(sentences: Sequence[ReadSentence], others: Sequence[str]) -> bool:
    """Another order, shop or person; or what no shop sells, where nothing that is asked or told names goods."""
    beyond = NO_ORDER in others and not any(map(is_ours, sentences))
    return beyond or any(sentence.elsewhere for sentence in sentences)


def _is_supposed(finding: Finding) -> bool:
    """A wish that is neither stated nor denied: "if", "I might", "my friend would like"."""
    return finding.rule.kind is Kind.WANTS and finding.mood in _OPEN_MOODS and not finding.negated


def _is_left_open(finding: Finding) -> bool:
    """A reason that is neither stated nor denied: supposed, quoted from somebody's rules, told of another order."""
    return finding.rule.kind is Kind.REASON and finding.mood is Mood.VOID and not finding.negated


def _asks_more(sentences: Sequence[ReadSentence], others: Sequence[str]) -> bool:
    return not _ASKS_NOTHING.issuperset(others) or any(sentence.asks_more for sentence in sentences)


def _hints_at_more(sentences: Sequence[ReadSentence], known: set[str]) -> bool:
    """Whether a word stayed unread that may tell of something else than what was read here or is known anyway."""
    return any(
        hint.isdisjoint(known) and hint.isdisjoint(finding.rule.value for finding in sentence.findings)
        for sentence in sentences
        for hint in sentence.hints
    )


def _unexplained(sentences: Sequence[ReadSentence], *, yields: bool) -> bool:
    """Whether too much stayed unread; where any reason would go before what was read, little is enough to hold one."""
    if not yields:
        return _unread(sentences) > _MOST_UNREAD_SENTENCES
    return any(
        sentence.reason_unread
        or len(sentence.unexplained) >= _UNKNOWN_WORDS
        or len(sentence.unexplained) + sentence.everyday >= _words_of_substance(sentence)
        for sentence in sentences
    )


def _words_of_substance(sentence: ReadSentence) -> int:
    says_what_or_why = any(finding.rule.kind in {Kind.WANTS, Kind.REASON} for finding in sentence.findings)
    return _WORDS_OF_SUBSTANCE if says_what_or_why else _WORDS_ASIDE


def _unread(sentences: Sequence[ReadSentence]) -> int:
    return sum(len(sentence.unexplained) >= _WORDS_OF_SUBSTANCE for sentence in sentences)
