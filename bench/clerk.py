"""What a careful clerk reads in whole letters: ``bench/letters/*.toml``, beside what both readers see in them."""

import hashlib
import random
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from bench.examples import CLEAN, Example, examples
from mailbot.model.facts import Reason, Remedy
from mailbot.model.reading import Body, Segment, SegmentKind
from mailbot.understand import second_reader
from mailbot.understand.claim import read_claim
from mailbot.understand.doubts import SPEAKS_FOR_ITSELF
from mailbot.understand.language import detect_language
from mailbot.understand.lexicons import Fact, load_lexicons
from mailbot.understand.second_opinion import REASON
from mailbot.understand.settling import LIKELY
from mailbot.understand.weights import Probabilities, Signs
from mailbot.understand.whole_mail import ALIKE, DECISIVE, MATTERS, REQUEST, Seen, Weighed

LETTERS = Path(__file__).parent / "letters"
_WRITTEN_ON = date(2026, 5, 12)
_SEED = 6
_WISHES = (frozenset({"wants.refund"}), frozenset({"wants.cancellation"}))
_PART = "partial"
_AT_STAKE = frozenset({"dispute", "return_sent"})
_ASIDE = frozenset({"elsewhere", "no_order", _PART, "withdrawn", *_AT_STAKE})
"""What a clerk must look at, beside a wish; alone, nothing is asked for unless something is at stake."""
_ASKED = frozenset({"asks.advice", "asks.change"})
"""What a person answers, beside a wish too."""
_OPEN = "supposed"
_LABEL_OF = {
    Fact.ITEM_USED: "used.yes",
    Fact.ITEM_ALTERED: "altered.yes",
    Fact.ORIGINAL_BOX: "box.no",
    Fact.REPURCHASED: "repurchased",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter that names an order, with what a clerk reads in it.

    Attributes:
        number: its own, from 0 on.
        place: where it stands among those of its language, 0 to 1.
        reasons: those that it may give.
        facts: what it says of the goods; what is missing it does not say.
        other: whether another remedy than money is asked for.
        trusted: whether a clerk acts on it at once.
        request: whether it is one.
        part: whether it is about a part of the order.
        signs: what the second reader sees in all sentences together.
        seen: as both readers see it; nothing of a saying, from which the second reader has learned.
    """

    number: int
    place: float
    reasons: frozenset[str]
    facts: Mapping[str, bool]
    other: bool
    trusted: bool
    request: bool
    part: bool
    signs: Signs
    seen: Seen | None

    def is_right(self, weighed: Weighed) -> bool:
        """Whether a clerk would act on what was weighed.

        How the goods are counts where the reason does not speak for itself.
        """
        alike = ALIKE if weighed.reason in ALIKE else {weighed.reason}
        facts = all(
            (self.facts.get(fact) is DECISIVE[fact]) == (weighed.facts[fact] >= LIKELY)
            for fact in MATTERS.get(weighed.reason, ())
        )
        other = self.seen is not None and self.seen.wish.wants in {Remedy.EXCHANGE, Remedy.REPAIR}
        return self.trusted and not self.reasons.isdisjoint(alike) and facts and other == self.other


class _Listening:
    """Scales that take every letter for a request, and keep what is laid on them."""

    def __init__(self) -> None:
        self.signs: list[Signs] = []
        self.seen: Seen | None = None

    def tell(self, signs: Signs, *, of_a_part: bool) -> Probabilities:
        assert not of_a_part  # no invoice comes with a letter
        self.signs.append(signs)
        return {REQUEST: 1.0}

    def weigh(self, seen: Seen) -> Weighed:
        self.seen = seen
        return Weighed(reason=seen.reason.reason, sureness=1.0, facts=dict.fromkeys(DECISIVE, 0.0), trust=1.0)


def letters() -> list[Letter]:
    """Every letter that names an order; of another the words are not weighed."""
    found: list[Letter] = []
    for file in sorted(LETTERS.glob("*.toml")):
        told = tomllib.loads(file.read_text(encoding="utf-8"))["letter"]
        for at, each in enumerate(told):
            found += _letter(file.stem, each, len(found), at / len(told))
    return found


def sayings(number: int) -> list[Letter]:
    """Labelled sentences as the shortest of letters: one with a plain wish beside it, or one alone.

    Of those that the lexicons were not tuned on. They teach what words tell, but nothing of what the second reader
    hears, which has learned from them.

    Args:
        number: of the first.
    """
    taught = [each for each in examples() if each.part in CLEAN]
    wishes: dict[str, list[Example]] = {}
    for each in taught:
        if each.labels in _WISHES:
            wishes.setdefault(each.language, []).append(each)
    draw, found = random.Random(_SEED), list[Letter]()
    for each in taught:
        wish = draw.choice(wishes[each.language]).text
        for told, text in _said(each, wish):
            letter = {**told, "text": f"\n{text} AW-{draw.randint(10_000, 99_999)}"}
            found += _letter(each.language, letter, number + len(found), draw.random())
    return [replace(letter, seen=None) for letter in found]


def _said(each: Example, wish: str) -> Iterator[tuple[dict[str, Any], str]]:
    """What a clerk reads in a sentence that stands alone, and in one with a wish, where labels tell that."""
    labels = {label for label in each.labels if not label.startswith("any.")}
    reasons = sorted(label.removeprefix(REASON) for label in labels if label.startswith(REASON))
    facts = {fact: value for fact, value in DECISIVE.items() if _LABEL_OF[fact] in labels}
    told = {
        "reason": reasons or "unspecified",
        "facts": facts,
        "wants": "refund",
        "trust": "yes",
        "part": _PART in labels,
    }
    aside = not labels.isdisjoint(_ASIDE)
    if _OPEN in labels:
        return
    if (aside and not reasons) or labels <= {"none"} or any(label.startswith("asks.") for label in labels):
        yield {**told, "trust": "no" if labels.isdisjoint(_AT_STAKE) else "person"}, each.text
    elif not aside and reasons and {*reasons} <= SPEAKS_FOR_ITSELF:
        yield told, each.text
    asked = labels & _ASKED
    if len(reasons) < 2 and not any(label.startswith(("asks.", "wants.")) for label in labels - asked):
        yield {**told, "trust": "person" if aside or asked else "yes"}, f"{each.text} {wish}"


def fingerprint() -> str:
    """Names the letters, and the second reader that they are read by."""
    read = [*sorted(LETTERS.glob("*.toml")), Path(second_reader.__file__).with_name("second_reader.bin")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in read)).hexdigest()


def _letter(language: str, told: Mapping[str, Any], number: int, place: float) -> list[Letter]:
    heading, _, text = told["text"].strip().partition("\n")
    body = text.strip()
    listening = _Listening()
    read_claim(
        heading.removeprefix("Subject:").strip(),
        Body(text=body, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(body)),)),
        load_lexicons(),
        detect_language(body),
        asked_on=_WRITTEN_ON,
        day_first=language != "en",
        scales=listening,
    )
    reasons = told["reason"] if isinstance(told["reason"], list) else [told["reason"]]
    assert {*reasons} <= {*Reason}, (language, reasons)
    return [
        Letter(
            number=number,
            place=place,
            reasons=frozenset(reasons),
            facts=told.get("facts", {}),
            other=told["wants"] in {Remedy.EXCHANGE, Remedy.REPAIR},
            trusted=told["trust"] == "yes",
            request=told["trust"] != "no",
            part=told.get("part", _hears_a_part(listening.seen)),
            signs=signs,
            seen=listening.seen,
        )
        for signs in listening.signs
    ]


def _hears_a_part(seen: Seen | None) -> bool:
    return seen is not None and any(given.get(_PART, 0.0) >= LIKELY for given in seen.heard)
