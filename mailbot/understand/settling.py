"""What is read of a mail that was weighed as a whole: reason and facts with their places, and what doubts remain."""

from dataclasses import dataclass, replace

from mailbot.model.facts import Reason
from mailbot.understand.disagreement import CERTAIN, OWN_CHOICE, REASON, SURE, hints_at_another
from mailbot.understand.doubts import IN_DOUBT, READERS_DISAGREE
from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.learned import learned
from mailbot.understand.lexicons import Fact, Kind
from mailbot.understand.reason import StatedReason, goes_with
from mailbot.understand.stated_facts import StatedFacts
from mailbot.understand.whole_mail import DECISIVE, RESTS_ON_FACTS, WEIGHED_FACTS, Seen, Weighed

_TRUSTED = 0.8
_PLAINLY = 0.5  # where nothing else speaks against what was read
_SAID, _NOTHING_SAID = 0.75, 0.6  # then trust in the whole, of which the reason is a part, speaks for the reason too
_KNOWN, _UNHEARD = 0.8, 0.4  # a fact
_OVERRULES = 0.97  # what the grammar reads of one
_WEIGHED = frozenset(
    {
        READERS_DISAGREE,
        *("unexplained_text", "unread_hint", "reason_unclear", "no_clear_wish", "asks_more"),
        *("wish_supposed", "nothing_named"),
    }
)
"""Doubts that do not stand by themselves: they are weighed with all else."""
_UNREAD = frozenset({"unexplained_text", "unread_hint"})
"""Those that stand where no reason was heard: it may be in the words that nobody understood."""


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
    agree = weighed.reason is reason.reason or {weighed.reason, reason.reason} <= OWN_CHOICE or _is_why(reason, weighed)
    plain = agree and not seen.doubts
    hinted = hints_at_another(seen.sentences, seen.heard, weighed.reason)
    overrules = reason.clear and not reason.conflict and not agree
    least = CERTAIN if overrules or (hinted and not plain) else SURE
    lowest = _NOTHING_SAID if weighed.reason is Reason.UNSPECIFIED else _SAID
    sureness = max(weighed.sureness, weighed.trust) if plain and weighed.sureness >= lowest else weighed.sureness
    trusted = sureness >= least and weighed.trust >= (_PLAINLY if plain else _TRUSTED)
    if not agree and (trusted or not overrules):
        where = _place(seen, f"{REASON}{weighed.reason}", Kind.REASON, weighed.reason)
        places = () if weighed.reason is Reason.UNSPECIFIED else (where,)
        reason = StatedReason(reason=weighed.reason, clear=False, conflict=False, places=places)
    facts, unknown = _facts(seen, weighed)
    stands = _UNREAD if reason.reason is Reason.UNSPECIFIED else frozenset()
    settled = {fact for fact, chances in weighed.facts.items() if chances[DECISIVE[fact]] < 1 - _OVERRULES}
    left = tuple(doubt for doubt in seen.doubts if not trusted or doubt not in (_WEIGHED - stands) | settled)
    doubts = tuple(dict.fromkeys((*left, *unknown))) or (() if trusted else (READERS_DISAGREE,))
    confidence = round(min(sureness, IN_DOUBT) if doubts else sureness, 2)
    return Settled(reason=reason, facts=facts, doubts=doubts, confidence=confidence)


def _is_why(read: StatedReason, weighed: Weighed) -> bool:
    """Whether a reason said outright is why the customer does not want the goods: too late, too small."""
    return read.clear and not read.conflict and weighed.reason in goes_with(read.reason) & {Reason.CHANGE_OF_MIND}


def _facts(seen: Seen, weighed: Weighed) -> tuple[StatedFacts, tuple[str, ...]]:
    """The facts as they are most likely, and those that are in doubt, which stay as they were read."""
    values, places = dict(seen.facts.values), dict(seen.facts.places)
    unknown = []
    for fact, chances in weighed.facts.items() if weighed.reason in RESTS_ON_FACTS else ():
        against = chances[DECISIVE[fact]]
        read = values.get(fact)
        if fact is Fact.REPURCHASED and read is None:
            continue  # "I bought it from you" sounds alike
        differs = read is not None and (read is DECISIVE[fact]) != (against >= _KNOWN)
        if _UNHEARD < against < _KNOWN or (differs and max(against, 1 - against) < _OVERRULES):
            unknown.append(fact)
            continue
        value = DECISIVE[fact] if against >= _KNOWN else not DECISIVE[fact]
        if chances[value] < _KNOWN:
            if differs:
                del values[fact]
        elif values.get(fact) is not value:
            values[fact] = value
            places[fact] = _place(seen, WEIGHED_FACTS[fact][not value], Kind.FACT, fact)
    return replace(seen.facts, values=values, places=places), tuple(unknown)


def _place(seen: Seen, label: str, kind: Kind, value: str) -> tuple[ReadSentence, Finding]:
    """The sentence in which the second reader hears it."""
    _, place = max((given.get(label, 0.0), place) for place, given in enumerate(seen.heard))
    sentence = seen.sentences[place]
    return sentence, learned(sentence, kind, value)
