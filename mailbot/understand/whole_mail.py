"""Which reason does the mail as a whole give, and may a machine act on what was read of it?

The two readers see one sentence at a time; here, what they found in all of them is weighed together. The weights are
learned from whole letters (``bench/letters``), of which neither reader has seen a word: ``make reader`` writes
``whole_mail.json``.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import exp, log
from typing import TypeVar

from mailbot.model.facts import Reason, Remedy
from mailbot.understand.disagreement import ANY_REASON, FACTS, OWN_CHOICE, REASON, reasons_heard, stated
from mailbot.understand.doubts import SPEAKS_FOR_ITSELF
from mailbot.understand.findings import ReadSentence
from mailbot.understand.lexicons import Fact, Kind, Strength
from mailbot.understand.reason import StatedReason
from mailbot.understand.scope import Mood
from mailbot.understand.second_reader import Probabilities
from mailbot.understand.stated_facts import StatedFacts
from mailbot.understand.wish import StatedWish

Features = Mapping[str, float]

_LEAST = 1e-3  # of a probability that is weighed
_MANY = 3  # phrases
WEIGHED_FACTS = {**FACTS, Fact.REPURCHASED: ("repurchased", "")}
DECISIVE = {Fact.ITEM_USED: True, Fact.ITEM_ALTERED: True, Fact.ORIGINAL_BOX: False, Fact.REPURCHASED: True}
"""The value of each fact that changes a decision; the other one is as good as nothing said."""
RESTS_ON_FACTS = frozenset({Reason.CHANGE_OF_MIND, Reason.MISTAKEN_ORDER, Reason.NATURAL_VARIATION, Reason.UNSPECIFIED})
"""Reasons for which it matters how the goods are."""
_Choice = TypeVar("_Choice")
_ASIDE = (
    *("partial", "withdrawn", "supposed", "elsewhere", "dispute", "return_sent", "no_order"),
    *("asks.advice", "asks.change", "asks.policy", "asks.process", "asks.status"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One mail as both readers see it.

    Attributes:
        sentences: as the grammar alone reads them.
        heard: what the second reader makes of each; empty where it was not asked.
        reason, wish, facts: as both together read them.
        doubts: what speaks against acting on that.
    """

    sentences: Sequence[ReadSentence]
    heard: Sequence[Probabilities]
    reason: StatedReason
    wish: StatedWish
    facts: StatedFacts
    doubts: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What the mail as a whole says; every chance is 0 to 1.

    Attributes:
        reason: the likeliest.
        sureness: how likely it is the reason; of a choice of one's own, how likely it is one.
        facts: how likely it says of each fact that it is so, that it is not, and nothing (``None``).
        trust: how likely all of that is right and a clerk would act on it without asking.
    """

    reason: Reason
    sureness: float
    facts: Mapping[Fact, Mapping[bool | None, float]]
    trust: float


def reason_features(seen: Seen) -> dict[Reason, Features]:
    """What speaks for each reason."""
    phrases = Counter(_phrases(seen.sentences))
    heard = seen.heard
    alone = {reason: _most(heard, f"{REASON}{reason}") for reason in Reason}
    likely = reasons_heard(heard)
    told = {reason for reason, how in phrases if how != "void"}
    found: dict[Reason, Features] = {}
    for reason in Reason:
        features = {f"is {reason}": 1.0}
        if seen.reason.reason is reason:
            features["read"] = 1.0
            features["read in passing"] = float(not seen.reason.clear)
            features["read beside another"] = float(seen.reason.conflict)
            features["read without doubt"] = float(not seen.doubts)
        if reason is Reason.UNSPECIFIED:
            features["any"] = _odds(_most(heard, ANY_REASON))
            features["likeliest"] = _odds(max(alone.values()))
            features["phrases"] = float(min(2, len(told)))
        else:
            again = sorted((stated(reason, given) for given in heard), reverse=True)[1:2]
            kind = "own" if reason in OWN_CHOICE else "blame"
            features |= {
                f"{kind} {how}": float(min(_MANY, many)) for (each, how), many in phrases.items() if each is reason
            }
            features |= {
                "heard": _odds(likely[reason]),
                f"heard {reason}": _odds(alone[reason]),
                "heard by itself": _odds(alone[reason]),
                "heard again": _odds(*again),
                "another": _odds(max(value for each, value in likely.items() if each is not reason)),
                "chance": likely[reason],
                "chance by itself": alone[reason],
                "own choice": _odds(alone[reason]) if reason in OWN_CHOICE else 0.0,
            }
        found[reason] = features
    return found


def fact_features(seen: Seen, fact: Fact) -> dict[bool | None, Features]:
    """What speaks for it that a fact is so, that it is not, and that nothing is said of it."""
    yes, no = (_most(seen.heard, label) for label in WEIGHED_FACTS[fact])
    told = seen.facts.values.get(fact)
    found: dict[bool | None, Features] = {
        None: {f"{fact} unsaid": 1.0, "unsaid": 1.0, "either": _odds(max(yes, no)), "read unsaid": float(told is None)}
    }
    for value, here, there in ((True, yes, no), (False, no, yes)):
        found[value] = {
            f"{fact} {value}": 1.0,
            f"{fact} heard {value}": _odds(here),
            "heard": _odds(here),
            "chance": here,
            "against": _odds(there),
            "read": float(told is value),
            f"{fact} read {value}": float(told is value),
        }
    return found


def trust_features(seen: Seen, weighed: Weighed) -> Features:
    """What speaks for acting on what was weighed, and against it."""
    return {
        **{f"most {label}": _odds(_most(seen.heard, label)) for label in _ASIDE},
        **{f"doubt {doubt}": 1.0 for doubt in seen.doubts},
        **{f"sure of {fact}": abs(_odds(chances[DECISIVE[fact]])) for fact, chances in weighed.facts.items()},
        "doubts": float(len(seen.doubts)),
        "sureness": _odds(weighed.sureness),
        "another is read": float(seen.reason.reason is not weighed.reason),
        "wish clear": float(seen.wish.clear),
        "wishes differ": float(seen.wish.conflict),
        "no wish": float(seen.wish.wants is Remedy.UNSPECIFIED and weighed.reason not in SPEAKS_FOR_ITSELF),
        "bias": 1.0,
    }


def _phrases(sentences: Sequence[ReadSentence]) -> Iterator[tuple[Reason, str]]:
    for sentence in sentences:
        for finding in sentence.findings:
            if finding.rule.kind is Kind.REASON:
                strength = Strength(finding.rule.strength)
                how = "void" if finding.mood is Mood.VOID else "weak" if strength.uncertain else str(strength)
                yield Reason(finding.rule.value), how


def _most(heard: Sequence[Probabilities], label: str) -> float:
    return max((given.get(label, 0.0) for given in heard), default=0.0)


def _odds(chance: float = 0.0) -> float:
    return log((chance + _LEAST) / (1 - chance + _LEAST))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """The weights by feature; a feature without one says nothing."""

    reason: Features
    facts: Features
    trust: Features

    def weigh(self, seen: Seen) -> Weighed:
        """The likeliest reason and facts, and how far to go by them."""
        reasons = _chances(self.reason, reason_features(seen))
        reason = max(reasons, key=lambda each: reasons[each])
        facts = {fact: _chances(self.facts, fact_features(seen, fact)) for fact in WEIGHED_FACTS}
        sureness = sum(reasons[each] for each in (OWN_CHOICE if reason in OWN_CHOICE else {reason}))
        weighed = Weighed(reason=reason, sureness=sureness, facts=facts, trust=0.0)
        return replace(weighed, trust=1 / (1 + exp(-_sum(self.trust, trust_features(seen, weighed)))))


def _chances(weights: Features, choices: Mapping[_Choice, Features]) -> dict[_Choice, float]:
    much = {choice: exp(_sum(weights, features)) for choice, features in choices.items()}
    return {choice: each / sum(much.values()) for choice, each in much.items()}


def _sum(weights: Features, features: Features) -> float:
    return sum(weights.get(name, 0.0) * much for name, much in features.items())


@cache
def load_scales() -> Scales:
    """The weights that ship, read once."""
    told = json.loads((files("mailbot.understand") / "whole_mail.json").read_text(encoding="utf-8"))
    return Scales(reason=told["reason"], facts=told["facts"], trust=told["trust"])
