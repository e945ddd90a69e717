"""What is read of a mail that was weighed as a whole: reason and facts with their places, and what doubts remain."""

from dataclasses import dataclass, replace

from mailbot.model.facts import Reason
from mailbot.understand.doubts import IN_DOUBT, PART, READERS_DISAGREE
from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.learned import learned
from mailbot.understand.lexicons import Fact, Kind
from mailbot.understand.reason import StatedReason, goes_with
from mailbot.understand.scope import Mood
from mailbot.understand.second_opinion import FACTS, REASON
from mailbot.understand.stated_facts import StatedFacts
from mailbot.understand.whole_mail import DECISIVE, MATTERS, Seen, Weighed

_SURE, _CERTAIN = 0.8, 0.9  # of the reason
_TRUSTED, _FIRMLY, _BLINDLY = 0.55, 0.75, 0.85
LIKELY = 0.5  # a fact
_OVERRULES, _UNHEARD = 0.97, 0.1  # what the readers read of one
_STANDS = frozenset({PART, "addresses_the_machine", "legal", "billing", "other_language", "date_unclear"})
"""Doubts that no trust outweighs."""
_LIGHT = frozenset({"reason_unclear", "facts_conflict", *DECISIVE})
"""Doubts that are weighed with all else; facts are looked at one by one."""
_UNREAD = frozenset({"unexplained_text", "unread_hint"})
"""The same where a reason was found; where none was, it may be in the words that nobody understood."""
_HIDES = frozenset({"no_clear_wish", "special_case", "speaks_of_another"})
"""Doubts behind which something else than what is supposed may lie."""
_CONFLICT = "reasons_conflict"
"""One more, where the customer would be to blame for what may have happened otherwise (C3)."""
_HEARD_AS = {**FACTS, Fact.REPURCHASED: ("repurchased", "")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What counts.

    Attributes:
        confidence: 0 to 1; 0.8 and more only without any doubt.
    """

    reason: StatedReason
    facts: StatedFacts
    doubts: tuple[str, ...]
    confidence: float


def settle(seen: Seen, weighed: Weighed) -> Settled:
    """The likeliest reason and facts, each with the words it rests on, and how far to go by them."""
    reason = seen.reason
    if weighed.reason is not reason.reason and not _is_why(reason, weighed):
        where = _place(seen, f"{REASON}{weighed.reason}", Kind.REASON, weighed.reason)
        places = () if weighed.reason is Reason.UNSPECIFIED else (where,)
        reason = StatedReason(reason=weighed.reason, clear=False, conflict=False, places=places)
    facts, unsure = _facts(seen, weighed)
    sure = weighed.sureness >= (_CERTAIN if _hints_at_another(seen, weighed.reason) else _SURE)
    left = [doubt for doubt in seen.doubts if not sure or weighed.trust < _least(doubt, weighed.reason)]
    stands = _STANDS | {_CONFLICT} if weighed.reason is Reason.CUSTOMER_DAMAGE else _STANDS
    left += [doubt for doubt in seen.doubts if doubt in stands]
    trusted = sure and weighed.trust >= _TRUSTED
    doubts = tuple(dict.fromkeys((*left, *unsure))) or (() if trusted else (READERS_DISAGREE,))
    confidence = min(weighed.sureness, IN_DOUBT) if doubts else weighed.sureness
    return Settled(reason=reason, facts=facts, doubts=doubts, confidence=round(confidence, 2))


def _least(doubt: str, reason: Reason) -> float:
    """The trust that outweighs it."""
    if doubt in _HIDES or (doubt in _UNREAD and reason is Reason.UNSPECIFIED):
        return _BLINDLY
    return _TRUSTED if doubt in _LIGHT | _UNREAD else _FIRMLY


def _is_why(read: StatedReason, weighed: Weighed) -> bool:
    """Whether a reason said outright is why the customer does not want the goods: too late, another colour."""
    return read.clear and not read.conflict and weighed.reason in goes_with(read.reason) & {Reason.CHANGE_OF_MIND}


def _hints_at_another(seen: Seen, reason: Reason) -> bool:
    """Whether a phrase may give a reason that the customer could not help, but a choice of theirs is the likeliest."""
    return reason in MATTERS and any(
        finding.rule.kind is Kind.REASON
        and finding.rule.value not in MATTERS
        and finding.rule.value not in goes_with(reason)
        and finding.mood is not Mood.VOID
        for sentence in seen.sentences
        for finding in sentence.findings
    )


def _facts(seen: Seen, weighed: Weighed) -> tuple[StatedFacts, tuple[str, ...]]:
    """The facts as they are most likely, and those that are in doubt, which stay as they were read."""
    values, places = dict(seen.facts.values), dict(seen.facts.places)
    unsure = []
    for fact in MATTERS.get(weighed.reason, ()):
        chance, decisive = weighed.facts[fact], DECISIVE[fact]
        read, weighs = values.get(fact) is decisive, chance >= LIKELY
        unsaid = _UNHEARD < chance < LIKELY
        unclear = read != weighs or (fact in FACTS and (unsaid or (weighs and "facts_conflict" in seen.doubts)))
        if unclear and 1 - _OVERRULES < chance < _OVERRULES:
            unsure.append(fact)
        elif weighs and not read:
            values[fact] = decisive
            places[fact] = _place(seen, _HEARD_AS[fact][not decisive], Kind.FACT, fact)
        elif read and not weighs:
            del values[fact]
    return replace(seen.facts, values=values, places=places), tuple(unsure)


def _place(seen: Seen, label: str, kind: Kind, value: str) -> tuple[ReadSentence, Finding]:
    """The sentence in which the second reader hears it."""
    _, place = max((given.get(label, 0.0), place) for place, given in enumerate(seen.heard))
    sentence = seen.sentences[place]
    return sentence, learned(sentence, kind, value)
