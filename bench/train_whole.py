"""Teaches what weighs a whole mail: ``bench/letters/*.toml`` to ``mailbot/understand/whole_mail.json``.

``make reader`` runs it after the second reader, whose findings it weighs. Which reason a letter gives is learned as a
choice among all reasons (multinomial logit, the same weights for each), what it says of the goods likewise, and whether
a clerk would act on all that as a logistic regression. All are shrunk (ridge), and measured on letters that the weights
were not learned from.
"""

import hashlib
import json
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mailbot.model.facts import Reason, Remedy
from mailbot.model.reading import Body, Segment, SegmentKind
from mailbot.understand import second_reader, whole_mail
from mailbot.understand.claim import read_claim
from mailbot.understand.disagreement import OWN_CHOICE
from mailbot.understand.language import detect_language
from mailbot.understand.lexicons import load_lexicons
from mailbot.understand.settling import settle
from mailbot.understand.whole_mail import (
    DECISIVE,
    RESTS_ON_FACTS,
    WEIGHED_FACTS,
    Features,
    Scales,
    Seen,
    Weighed,
    fact_features,
    reason_features,
    trust_features,
)

Table = npt.NDArray[np.float64]

LETTERS = Path(__file__).parent / "letters"
FILE = Path(whole_mail.__file__).with_name("whole_mail.json")
_WRITTEN_ON = date(2026, 5, 12)
_FOLDS = 10
_SHRINK = 1.0
_ROUNDS = 500
_PACE = 0.05
_SPEAKS_FOR = ("sureness", "sure of", "wish clear", "bias")
_LIKELY, _OPEN = 0.5, (0.3, 0.8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter that is read as a request, with what a clerk reads in it.

    Attributes:
        reasons: those that it may give.
        facts: what it says of the goods; what is missing it does not say.
        other: whether another remedy than money is asked for.
        trusted: whether a clerk acts on it at once.
        request: whether it is one.
    """

    reasons: frozenset[str]
    facts: Mapping[str, bool]
    other: bool
    trusted: bool
    request: bool
    seen: Seen

    def is_right(self, weighed: Weighed) -> bool:
        """Whether a clerk would act on what was weighed.

        What the goods look like counts where the reason does not speak for itself.
        """
        alike = OWN_CHOICE if weighed.reason in OWN_CHOICE else {weighed.reason}
        facts = weighed.reason not in RESTS_ON_FACTS or all(
            (self.facts.get(fact) is value) == (weighed.facts[fact][value] >= _LIKELY)
            for fact, value in DECISIVE.items()
        )
        other = self.seen.wish.wants in {Remedy.EXCHANGE, Remedy.REPAIR}
        return self.trusted and not self.reasons.isdisjoint(alike) and facts and other == self.other


def letters() -> list[Letter]:
    """Every letter that both readers take for a request."""
    found = []
    for file in sorted(LETTERS.glob("*.toml")):
        for told in tomllib.loads(file.read_text(encoding="utf-8"))["letter"]:
            found += _letter(file.stem, told)
    return found


def fingerprint() -> str:
    """Names the letters, and the second reader that they are read by."""
    read = [*sorted(LETTERS.glob("*.toml")), Path(second_reader.__file__).with_name("second_reader.bin")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in read)).hexdigest()


def _letter(language: str, told: Mapping[str, Any]) -> list[Letter]:
    heading, _, text = told["text"].strip().partition("\n")
    body = text.strip()
    seen: list[Seen] = []

    def weigh(what: Seen) -> Weighed:
        seen.append(what)
        return Weighed(reason=what.reason.reason, sureness=1.0, facts={}, trust=1.0)

    read_claim(
        heading.removeprefix("Subject:").strip(),
        Body(text=body, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(body)),)),
        load_lexicons(),
        detect_language(body),
        asked_on=_WRITTEN_ON,
        day_first=language != "en",
        weigh=weigh,
    )
    reasons = told["reason"] if isinstance(told["reason"], list) else [told["reason"]]
    return [
        Letter(
            reasons=frozenset(reasons),
            facts=told.get("facts", {}),
            other=told["wants"] in {Remedy.EXCHANGE, Remedy.REPAIR},
            trusted=told["trust"] == "yes",
            request=told["trust"] != "no",
            seen=each,
        )
        for each in seen
    ]


def learn(known: Sequence[Letter]) -> Scales:
    """The weights that explain these letters best; trust is learned on what was weighed without the letter itself."""
    claims = _learn_claims(known)
    apart = list(_left_out(known, _learn_claims))
    trust = _choose(
        [[trust_features(letter.seen, weighed), {}] for letter, weighed in apart],
        [[letter.is_right(weighed), not letter.is_right(weighed)] for letter, weighed in apart],
        bounds=lambda name: (
            (-np.inf, np.inf) if name == "bias" else (-np.inf, 0) if speaks_against(name) else (0, np.inf)
        ),
    )
    return replace(claims, trust=trust)


def _learn_claims(known: Sequence[Letter]) -> Scales:
    asked = [letter for letter in known if letter.request]
    reason = _choose(
        [list(reason_features(letter.seen).values()) for letter in asked],
        [[reason in letter.reasons for reason in Reason] for letter in asked],
    )
    told = [
        (letter, fact, fact_features(letter.seen, fact))
        for letter in asked
        if not letter.reasons.isdisjoint(RESTS_ON_FACTS)
        for fact in WEIGHED_FACTS
    ]
    facts = _choose(
        [list(features.values()) for _, _, features in told],
        [[letter.facts.get(fact) is value for value in features] for letter, fact, features in told],
    )
    return Scales(reason=reason, facts=facts, trust={})


def _left_out(
    known: Sequence[Letter], learned: Callable[[Sequence[Letter]], Scales]
) -> Iterator[tuple[Letter, Weighed]]:
    """Each letter as weighed by scales that were learned from others."""
    for part in range(_FOLDS):
        scales = learned([letter for at, letter in enumerate(known) if at % _FOLDS != part])
        yield from ((letter, scales.weigh(letter.seen)) for letter in known[part::_FOLDS])


def speaks_against(feature: str) -> bool:
    """Whether a feature of trust may only lower it; the others, but for the bias, may only raise it."""
    return not feature.startswith(_SPEAKS_FOR)


def _choose(
    choices: Sequence[Sequence[Features]],
    right: Sequence[Sequence[bool]],
    bounds: Callable[[str], tuple[float, float]] = lambda _: (-np.inf, np.inf),
) -> dict[str, float]:
    """The weights within bounds by which the right one of each row's choices is the likeliest (Adam, full batches)."""
    names = sorted({name for row in choices for features in row for name in features})
    table = np.array([[[features.get(name, 0.0) for name in names] for features in row] for row in choices])
    allowed = np.array(right, np.float64)
    weights, drift, spread = np.zeros(len(names)), np.zeros(len(names)), np.zeros(len(names))
    least, most = np.array([bounds(name) for name in names]).T
    for turn in range(1, _ROUNDS + 1):
        given = _chances(table @ weights)
        wanted = given * allowed
        wanted /= wanted.sum(axis=1, keepdims=True)
        slope = (_SHRINK * weights - np.einsum("nk,nkf->f", wanted - given, table)) / len(table)
        drift = 0.9 * drift + 0.1 * slope
        spread = 0.99 * spread + 0.01 * slope * slope
        weights -= _PACE * (drift / (1 - 0.9**turn)) / (np.sqrt(spread / (1 - 0.99**turn)) + 1e-8)
        weights = np.clip(weights, least, most)
    return {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)}


def _chances(sums: Table) -> Table:
    much: Table = np.exp(sums - sums.max(axis=1, keepdims=True))
    return much / much.sum(axis=1, keepdims=True)


def _share_right(acted: Sequence[tuple[Letter, Weighed]]) -> str:
    return f"{len(acted)}, {sum(letter.is_right(weighed) for letter, weighed in acted) / len(acted):.1%} rightly"


def main() -> int:
    """Learn, measure on letters left out in turn, write."""
    known = letters()
    apart = list(_left_out(known, learn))
    asked = [(letter, weighed) for letter, weighed in apart if letter.request]
    hits = sum(weighed.reason in letter.reasons for letter, weighed in asked)
    print(f"{len(known)} letters; of {len(asked)} requests {hits / len(asked):.1%} reasons right")
    for fact, value in DECISIVE.items():
        rests = [(letter, weighed) for letter, weighed in asked if not letter.reasons.isdisjoint(RESTS_ON_FACTS)]
        told = [(letter.facts.get(fact) is value, weighed.facts[fact][value]) for letter, weighed in rests]
        sure = [said == (chance > _LIKELY) for said, chance in told if not _OPEN[0] < chance < _OPEN[1]]
        read = sum(
            (letter.seen.facts.values.get(fact) is value) == (letter.facts.get(fact) is value) for letter, _ in rests
        )
        print(
            f"{fact} {value}: said by {sum(said for said, _ in told)}; as read {read / len(told):.1%} right, "
            f"as weighed {sum(sure) / len(sure):.1%} of {len(sure)}"
        )
    acted = [(letter, weighed) for letter, weighed in apart if not settle(letter.seen, weighed).doubts]
    undoubted = [(letter, weighed) for letter, weighed in apart if not letter.seen.doubts]
    print(f"acted on {_share_right(acted)}; without weighing on {_share_right(undoubted)}")
    scales = learn(known)
    told = {"letters": fingerprint(), **asdict(scales)}
    FILE.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
