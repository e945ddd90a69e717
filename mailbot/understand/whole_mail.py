"""Which reason does the mail as a whole give, and may a machine act on what was read of it?

The two readers see one sentence at a time; here, what they found in all of them is weighed together, beside what the
words of all sentences together tell. How is learned from whole letters (``bench/letters``), of which neither reader has
seen a word: ``make reader`` writes ``whole_mail.bin`` (the words) and ``whole_mail.json`` (what is made of all that).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import repeat
from typing import Protocol

from mailbot.model.facts import Reason
from mailbot.understand.findings import ReadSentence
from mailbot.understand.lexicons import Fact, Kind, Strength
from mailbot.understand.reason import StatedReason
from mailbot.understand.scope import Mood
from mailbot.understand.stated_facts import StatedFacts
from mailbot.understand.trees import Features, Trees
from mailbot.understand.weights import Probabilities, Signs, Weights, unpack
from mailbot.understand.wish import StatedWish

DECISIVE = {Fact.ITEM_USED: True, Fact.ITEM_ALTERED: True, Fact.ORIGINAL_BOX: False, Fact.REPURCHASED: True}
"""The value of each fact that changes a decision; the other one is as good as nothing said."""
_GOODS = (Fact.ITEM_USED, Fact.ITEM_ALTERED, Fact.ORIGINAL_BOX)
MATTERS = {
    **dict.fromkeys((Reason.CHANGE_OF_MIND, Reason.NATURAL_VARIATION, Reason.UNSPECIFIED), _GOODS),
    Reason.MISTAKEN_ORDER: (*_GOODS, Fact.REPURCHASED),
}
"""What must be known by reason: how the goods are; of a mistake, whether the right one was bought since (C10)."""
ALIKE = frozenset({Reason.CHANGE_OF_MIND, Reason.MISTAKEN_ORDER, Reason.UNSPECIFIED})
"""The customer's own choice, or none given: one decision for all (but for the fee, which rests on a fact too)."""
YES = "yes"
REQUEST, TRUSTED, SOUND = "request", "trusted", "sound"
"""Told of a mail in which something is asked for that a refund's rules are about; on which a clerk acts without asking;
and on which he would if it were about the whole order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One mail as both readers see it.

    Attributes:
        sentences: as the grammar alone reads them.
        heard: what the second reader makes of each; empty where it was not asked.
        told: what the words of all of them together tell.
        reason, wish, facts: as both together read them.
        doubts: what speaks against acting on that.
    """

    sentences: Sequence[ReadSentence]
    heard: Sequence[Probabilities]
    told: Probabilities
    reason: StatedReason
    wish: StatedWish
    facts: StatedFacts
    doubts: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What the mail as a whole says; every chance is 0 to 1.

    Attributes:
        reason: the likeliest.
        sureness: how likely it is the reason, or one that is decided alike.
        facts: how likely each fact has the value that changes a decision.
        trust: how likely all of that is right and a clerk would act on it without asking.
    """

    reason: Reason
    sureness: float
    facts: Mapping[Fact, float]
    trust: float


def features_of(seen: Seen) -> dict[str, float]:
    """What there is to weigh, by name."""
    sentences, wish = seen.sentences, seen.wish
    found = dict(_heard(seen.heard)) | {f"told {label}": chance for label, chance in seen.told.items()}
    for sentence in sentences:
        for finding in sentence.findings:
            rule = finding.rule
            if rule.kind is Kind.REASON:
                strength = Strength(rule.strength)
                how = "void" if finding.mood is Mood.VOID else "weak" if strength.uncertain else strength
                name = f"phrase {rule.value} {how}"
                found[name] = found.get(name, 0.0) + 1
    found |= zip((f"doubt {doubt}" for doubt in seen.doubts), repeat(1.0))
    found |= {f"fact {fact}": 1.0 if value else -1.0 for fact, value in seen.facts.values.items()}
    return found | {
        f"read {seen.reason.reason}": 2.0 if seen.reason.clear else 1.0,
        "reasons differ": float(seen.reason.conflict),
        f"wants {wish.wants}": 2.0 if wish.clear else 1.0,
        "wishes differ": float(wish.conflict),
        "doubts": float(len(seen.doubts)),
    }


def _heard(heard: Sequence[Probabilities]) -> Iterator[tuple[str, float]]:
    """Each label where the second reader hears it best, and second best; and the least "nothing"."""
    asked = [given for given in heard if given]
    for label in asked[0]:
        best, second = 0.0, 0.0
        for given in asked:
            chance = given[label]
            if chance > best:
                best, second = chance, best
            elif chance > second:
                second = chance
        yield f"heard {label}", best
        yield f"again {label}", second
    yield "least none", min(given["none"] for given in asked)


def features_of_trust(features: Features, reasons: Mapping[str, float], facts: Mapping[Fact, float]) -> Features:
    """What there is to weigh for and against acting on the likeliest reason and facts."""
    (best, reason), (second, _) = sorted(((chance, each) for each, chance in reasons.items()), reverse=True)[:2]
    return {
        **features,
        **{f"chance {reason}": chance for reason, chance in reasons.items()},
        **{f"chance {fact}": chance for fact, chance in facts.items()},
        f"likeliest {reason}": 1.0,
        "as read": float(f"read {reason}" in features),
        "best": best,
        "second": second,
    }


def told_by(words: Weights, signs: Signs, *, of_a_part: bool) -> Probabilities:
    """What all words of a mail together tell: each reason, each decisive fact, ``REQUEST``, ``TRUSTED`` and more.

    Args:
        words: what was learned of them.
        signs: the mail's.
        of_a_part: it is certain which part of the order it is about, so that this is no matter any more.
    """
    told = dict(words.tell(signs))
    sound = told.pop(SOUND)
    return told | {TRUSTED: sound} if of_a_part else told


class Weighing(Protocol):
    """What weighs whole mails."""

    def tell(self, signs: Signs, *, of_a_part: bool) -> Probabilities:
        """What all words of a mail together tell."""
        ...

    def weigh(self, seen: Seen) -> Weighed:
        """The likeliest reason and facts, and how far to go by them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """What was learned of whole letters."""

    words: Weights
    reason: Trees
    facts: Mapping[Fact, Trees]
    trust: Trees

    def tell(self, signs: Signs, *, of_a_part: bool) -> Probabilities:
        """What all words of a mail together tell, as ``told_by`` says."""
        return told_by(self.words, signs, of_a_part=of_a_part)

    def weigh(self, seen: Seen) -> Weighed:
        """The likeliest reason and facts, and how far to go by them."""
        weighed, features = self.claim(features_of(seen))
        return replace(weighed, trust=self.trust.chances(features)[YES])

    def claim(self, features: Features) -> tuple[Weighed, Features]:
        """What most likely was said, not yet trusted, and what there is to weigh for and against trusting it."""
        reasons = self.reason.chances(features)
        facts = {fact: trees.chances(features)[YES] for fact, trees in self.facts.items()}
        reason = Reason(max(reasons, key=lambda each: reasons[each]))
        sureness = sum(reasons[each] for each in (ALIKE if reason in ALIKE else {reason}))
        weighed = Weighed(reason=reason, sureness=sureness, facts=facts, trust=0.0)
        return weighed, features_of_trust(features, reasons, facts)


@cache
def load_scales() -> Scales:
    """What ships, read once."""
    here = files("mailbot.understand")
    told = json.loads((here / "whole_mail.json").read_text(encoding="utf-8"))
    return Scales(
        words=Weights(*unpack((here / "whole_mail.bin").read_bytes())),
        reason=Trees(**told["reason"]),
        facts={Fact(fact): Trees(**trees) for fact, trees in told["facts"].items()},
        trust=Trees(**told["trust"]),
    )
