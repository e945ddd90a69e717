"""Every reason of the policy is recognised in the plain words of a shop's customers."""

from datetime import date

import pytest

from mailbot.model.facts import Reason
from mailbot.model.reading import Body, Segment, SegmentKind
from mailbot.understand.claim import ClaimReading, read_claim
from mailbot.understand.lexicons import Kind, Strength, load_lexicons


def read(text: str) -> ClaimReading:
    body = Body(text=text, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(text)),))
    return read_claim("", body, load_lexicons(), "en", asked_on=date(2026, 3, 10), day_first=False)


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (Reason.CHANGE_OF_MIND, "I changed my mind."),
        (Reason.CHANGE_OF_MIND, "My wife doesnt like it."),
        (Reason.CHANGE_OF_MIND, "It is just not my style."),
        (Reason.CHANGE_OF_MIND, "I found the same ring cheaper elsewhere."),
        (Reason.CHANGE_OF_MIND, "I no longer need it."),
        (Reason.CHANGE_OF_MIND, "It does not fit me."),
        (Reason.CHANGE_OF_MIND, "I can't afford it any more."),
        (Reason.MISTAKEN_ORDER, "I ordered it by mistake."),
        (Reason.MISTAKEN_ORDER, "I picked the wrong size."),
        (Reason.MISTAKEN_ORDER, "I accidently ordered it twice."),
        (Reason.MISTAKEN_ORDER, "My son pressed the button by accident."),
        (Reason.NATURAL_VARIATION, "The colour is different from the photo."),
        (Reason.RING_OPENING, "The opening of the ring bent when I adjusted the size."),
        (Reason.RING_OPENING, "When I made the ring smaller its opening got crooked."),
        (Reason.QUALITY_DEFECT, "The clasp broke after a week."),
        (Reason.QUALITY_DEFECT, "A stone fell out."),
        (Reason.QUALITY_DEFECT, "It turned my finger green."),
        (Reason.QUALITY_DEFECT, "The gold plating is coming off."),
        (Reason.QUALITY_DEFECT, "The braclet has tarnished badly."),
        (Reason.CUSTOMER_DAMAGE, "I stepped on it and now it is bent."),
        (Reason.CUSTOMER_DAMAGE, "My dog chewed the bracelet."),
        (Reason.CUSTOMER_DAMAGE, "I dropped it and the stone cracked."),
        (Reason.WRONG_ITEM, "You sent me size 8 instead of size 7."),
        (Reason.WRONG_ITEM, "I received the wrong necklace."),
        (Reason.WRONG_ITEM, "This is not what I ordered."),
        (Reason.DAMAGED_IN_TRANSIT, "The necklace arrived broken."),
        (Reason.DAMAGED_IN_TRANSIT, "The box was crushed and the ring inside is bent."),
        (Reason.NOT_DELIVERED, "My parcel never arrived."),
        (Reason.NOT_DELIVERED, "Tracking says delivered but nothing came."),
        (Reason.NOT_DELIVERED, "The parcel was lost in the post."),
        (Reason.LATE_DELIVERY, "It arrived too late for the birthday."),
        (Reason.LATE_DELIVERY, "The delivery is taking far too long."),
    ],
)
def test_a_reason_is_recognised_without_hesitation(reason: Reason, why: str) -> None:
    reading = read(f"Please refund order AW-10231. {why}")
    assert (reading.claim.reason, reading.doubts) == (reason, ())
    assert reading.claim.reason_confidence >= 0.8


def test_a_plain_wish_without_any_reason_is_unspecified() -> None:
    reading = read(
        "Hello,\n\nI'd like to return this and get a refund please. Order AW-10231, invoice attached.\n\nJane"
    )
    assert (reading.claim.reason, reading.claim.reason_confidence >= 0.8) == (Reason.UNSPECIFIED, True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The clasp is broken. It arrived broken. Please refund AW-10231.", Reason.DAMAGED_IN_TRANSIT),
        ("The delivery takes too long and it still has not arrived. Please refund AW-10231.", Reason.NOT_DELIVERED),
        ("It came too late, so I don't want it any more. Please refund AW-10231.", Reason.LATE_DELIVERY),
        ("Our dog chewed the locket. The hinge is bent and it won't close. Refund AW-10231?", Reason.CUSTOMER_DAMAGE),
        ("I don't want the ring AW-10231 because I ordered the wrong size. Please refund.", Reason.MISTAKEN_ORDER),
    ],
)
def test_the_reason_that_says_more_goes_before_what_follows_from_it(text: str, reason: Reason) -> None:
    reading = read(text)
    assert (reading.claim.reason, "reasons_conflict" in reading.doubts) == (reason, False)


def test_a_fault_that_came_later_is_not_explained_by_an_accident() -> None:
    reading = read("I dropped the ring on the floor once. The stone fell out after a week. Please refund AW-10231.")
    assert "reasons_conflict" in reading.doubts


def test_a_reason_asked_about_is_none_unless_a_wish_stands_beside_it() -> None:
    assert read("Can I return the ring AW-10231, the clasp broke?").claim.reason_confidence >= 0.8
    assert read("Why has my ring AW-10231 turned black?").claim.reason_confidence < 0.8


@pytest.mark.parametrize("language", sorted(load_lexicons()))
@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.UNSPECIFIED}))
def test_every_lexicon_knows_every_reason(language: str, reason: Reason) -> None:
    rules = load_lexicons()[language].rules
    assert any(rule.kind is Kind.REASON and rule.value == reason and rule.strength == Strength.CLEAR for rule in rules)
