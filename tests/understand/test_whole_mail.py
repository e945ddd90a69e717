"""What a whole mail says: the scales that ship, and what is made of their word."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from bench.train_whole import fingerprint, speaks_against
from mailbot.model.facts import Reason
from mailbot.model.reading import Body, Segment, SegmentKind
from mailbot.understand.claim import ClaimReading, read_claim
from mailbot.understand.lexicons import Fact, load_lexicons
from mailbot.understand.whole_mail import (
    WEIGHED_FACTS,
    Seen,
    Weighed,
    fact_features,
    load_scales,
    reason_features,
    trust_features,
)

Weigh = Callable[[Seen], Weighed]
UNSAID: Mapping[bool | None, float] = {None: 1.0, True: 0.0, False: 0.0}


def read(text: str, weigh: Weigh | None = None) -> ClaimReading:
    body = Body(text=text, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(text)),))
    return read_claim("", body, load_lexicons(), "en", asked_on=date(2026, 5, 12), day_first=False, weigh=weigh)


def says(reason: Reason, sureness: float, trust: float, **facts: Mapping[bool | None, float]) -> Weigh:
    every = {fact: facts.get(fact, UNSAID) for fact in WEIGHED_FACTS}
    return lambda _: Weighed(reason=reason, sureness=sureness, trust=trust, facts=every)


def seen_in(text: str) -> Seen:
    found: list[Seen] = []

    def look(seen: Seen) -> Weighed:
        found.append(seen)
        return load_scales().weigh(seen)

    read(text, look)
    return found[0]


def test_the_shipped_scales_are_learned_from_the_letters() -> None:
    told = json.loads((files("mailbot.understand") / "whole_mail.json").read_text(encoding="utf-8"))
    assert told["letters"] == fingerprint(), "the letters or the second reader changed: run `make reader`"


def test_every_weight_is_of_a_feature_that_mails_have() -> None:
    seen = seen_in("I changed my mind, please refund AW-10231. I never wore it.")
    scales = load_scales()
    weighed = scales.weigh(seen)
    assert {name for each in reason_features(seen).values() for name in each} <= {*scales.reason, "own symptom"}
    assert {name for fact in WEIGHED_FACTS for each in fact_features(seen, fact).values() for name in each} <= {
        *scales.facts
    }
    assert set(trust_features(seen, weighed)) <= set(scales.trust)


def test_a_doubt_never_raises_trust() -> None:
    trust = load_scales().trust
    assert all(weight <= 0 if speaks_against(name) else weight >= 0 for name, weight in trust.items() if name != "bias")
    seen = seen_in("I changed my mind, please refund AW-10231.")
    doubted = replace(seen, doubts=(*seen.doubts, "wish_supposed"))
    assert load_scales().weigh(doubted).trust <= load_scales().weigh(seen).trust


def test_a_plain_letter_is_trusted_and_one_about_a_part_less() -> None:
    plain = load_scales().weigh(seen_in("I changed my mind, please refund AW-10231. I never wore it."))
    part = load_scales().weigh(seen_in("I changed my mind about one of the two, please refund only that. AW-10231"))
    assert plain.reason is Reason.CHANGE_OF_MIND
    assert plain.trust > part.trust


def test_the_likeliest_reason_counts_and_is_shown_where_it_was_heard() -> None:
    text = "My landlord put the rent up. Please refund AW-10231."
    reading = read(text, says(Reason.CHANGE_OF_MIND, 0.96, 0.9))
    assert (reading.claim.reason, reading.claim.reason_confidence, reading.doubts) == (Reason.CHANGE_OF_MIND, 0.96, ())
    assert [span.quote in text for span in reading.spans if span.fact == "reason"] == [True]


@pytest.mark.parametrize(("sureness", "trust"), [(0.79, 0.79), (0.99, 0.49)])
def test_without_sureness_or_trust_a_person_decides(sureness: float, trust: float) -> None:
    reading = read("I changed my mind, please refund AW-10231.", says(Reason.CHANGE_OF_MIND, sureness, trust))
    assert reading.doubts == ("readers_disagree",)
    assert reading.claim.reason_confidence <= 0.6


def test_a_reason_said_outright_is_overruled_only_with_certainty() -> None:
    text = "The clasp broke, please refund AW-10231."
    kept = read(text, says(Reason.CHANGE_OF_MIND, 0.85, 0.99))
    assert (kept.claim.reason, kept.doubts) == (Reason.QUALITY_DEFECT, ("readers_disagree",))
    assert read(text, says(Reason.CUSTOMER_DAMAGE, 0.97, 0.99)).claim.reason is Reason.CUSTOMER_DAMAGE


def test_words_that_nobody_understood_stay_a_doubt_where_no_reason_was_heard() -> None:
    text = "Please refund AW-10231 because the flurbish does not match the grondle."
    assert "unexplained_text" in read(text, says(Reason.UNSPECIFIED, 0.99, 0.99)).doubts
    assert read(text, says(Reason.CHANGE_OF_MIND, 0.99, 0.99)).doubts == ()


@pytest.mark.parametrize(
    "text", ["My last ring broke. Please refund AW-10231.", "Refund AW-10231, it gives me a rash."]
)
def test_what_stands_by_itself_is_never_weighed_away(text: str) -> None:
    assert read(text, says(Reason.CHANGE_OF_MIND, 1.0, 1.0)).doubts != ()


def test_a_fact_is_what_the_mail_as_a_whole_says() -> None:
    text = "I changed my mind, please refund AW-10231. I wore it once."
    worn, unworn = {None: 0.0, True: 0.99, False: 0.01}, {None: 0.0, True: 0.01, False: 0.99}
    assert read(text, says(Reason.CHANGE_OF_MIND, 0.99, 0.99, item_used=worn)).claim.item_used is True
    assert read(text, says(Reason.CHANGE_OF_MIND, 0.99, 0.99, item_used=unworn)).claim.item_used is False
    perhaps = read(text, says(Reason.CHANGE_OF_MIND, 0.99, 0.99, item_used={None: 0.0, True: 0.1, False: 0.9}))
    assert (perhaps.claim.item_used, perhaps.doubts) == (True, (Fact.ITEM_USED,))
