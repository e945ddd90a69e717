"""What a careful clerk reads in whole letters: ``bench/letters/*.toml``, beside what both readers see in them."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from mailbot.model.facts import Reason, Remedy
from mailbot.model.reading import Body, Segment, SegmentKind
from mailbot.understand import second_reader
from mailbot.understand.claim import read_claim
from mailbot.understand.language import detect_language
from mailbot.understand.lexicons import load_lexicons
from mailbot.understand.settling import LIKELY
from mailbot.understand.whole_mail import ALIKE, DECISIVE, MATTERS, Seen, Weighed

LETTERS = Path(__file__).parent / "letters"
_WRITTEN_ON = date(2026, 5, 12)


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

        How the goods are counts where the reason does not speak for itself.
        """
        alike = ALIKE if weighed.reason in ALIKE else {weighed.reason}
        facts = all(
            (self.facts.get(fact) is DECISIVE[fact]) == (weighed.facts[fact] >= LIKELY)
            for fact in MATTERS.get(weighed.reason, ())
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
        return Weighed(reason=what.reason.reason, sureness=1.0, facts=dict.fromkeys(DECISIVE, 0.0), trust=1.0)

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
    assert {*reasons} <= {*Reason}, (language, reasons)
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
