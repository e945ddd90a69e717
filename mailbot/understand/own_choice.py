"""Did the customer change their mind or order wrongly? Told as a story, over the whole mail, by the second reader."""

from collections.abc import Sequence
from dataclasses import replace

from mailbot.understand.disagreement import GIVES, OWN_CHOICE, REASON, UNHEARD, reasons_heard
from mailbot.understand.findings import ReadSentence
from mailbot.understand.learned import learned
from mailbot.understand.lexicons import Kind, Strength
from mailbot.understand.reason import read_reason
from mailbot.understand.scope import Mood
from mailbot.understand.second_reader import Probabilities
from mailbot.understand.wish import read_wish

_LIKELY, _FAINT = 0.15, 0.2  # that it is the customer's own choice, and at least that another reason is meant
_DECIDES = (
    *("used.yes", "altered.yes", "box.no", "wants.exchange", "wants.repair"),
    *("dispute", "partial", "withdrawn", "elsewhere", "supposed", "return_sent"),
)
"""What a decision would be another for, besides a reason."""


def is_own_choice(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities]) -> bool:
    """Whether the customer most likely changed their mind or ordered wrongly, and nothing else is likely anywhere.

    Of 151 mails of ``tests/mails`` that give another reason none was taken for that by the second reader alone.
    """
    likeliest = reasons_heard(heard)
    others = max(value for reason, value in likeliest.items() if reason not in OWN_CHOICE)
    told = [
        finding.rule
        for sentence in sentences
        for finding in sentence.findings
        if finding.rule.kind is Kind.REASON and finding.mood is not Mood.VOID and finding.rule.value not in OWN_CHOICE
    ]
    least = GIVES if told else _LIKELY
    own = max(given.get(f"{REASON}{reason}", 0.0) for given in heard for reason in OWN_CHOICE)
    clear = any(not Strength(rule.strength).uncertain for rule in told)
    likely = own >= least and others < min(own, _FAINT)
    return likely and not clear and bool(read_wish(sentences).places)


def as_own_choice(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities]) -> list[ReadSentence]:
    """Without what only hints at another reason, and without words that stayed unread but decide nothing."""
    told = read_reason(sentences).clear
    _, reason, best = max(
        (given.get(f"{REASON}{reason}", 0.0), reason, place)
        for place, given in enumerate(heard)
        for reason in OWN_CHOICE
    )
    chosen = []
    for place, (sentence, given) in enumerate(zip(sentences, heard, strict=True)):
        findings = [
            finding
            for finding in sentence.findings
            if finding.rule.kind is not Kind.REASON or finding.rule.value in OWN_CHOICE
        ]
        if place == best and not told:
            findings = [finding for finding in findings if finding.rule.kind is not Kind.REASON]
            findings.append(learned(sentence, Kind.REASON, reason))
        kept = replace(sentence, findings=tuple(findings))
        decides_nothing = bool(given) and all(given[label] < UNHEARD for label in _DECIDES)
        chosen.append(_without_unread(kept) if decides_nothing else kept)
    return chosen


def _without_unread(sentence: ReadSentence) -> ReadSentence:
    return replace(sentence, hints=(), reason_unread=False, unexplained=(), everyday=0)
