"""The day on which the goods came, in the ways that customers put it."""

from datetime import date

import pytest

from mailbot.model.reading import Body, Segment, SegmentKind
from mailbot.understand.claim import ClaimReading, read_claim
from mailbot.understand.lexicons import load_lexicons

TUESDAY = date(2026, 3, 10)


def read(text: str, *, day_first: bool = False, asked_on: date = TUESDAY) -> ClaimReading:
    whole = f"I'd like to return order AW-10231. {text}"
    body = Body(text=whole, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(whole)),))
    return read_claim("", body, load_lexicons(), "en", asked_on=asked_on, day_first=day_first)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("It arrived today.", date(2026, 3, 10)),
        ("It arrived yesterday.", date(2026, 3, 9)),
        ("I received it the day before yesterday.", date(2026, 3, 8)),
        ("It came two days ago.", date(2026, 3, 8)),
        ("It came 3 days ago.", date(2026, 3, 7)),
        ("It arrived last Friday.", date(2026, 3, 6)),
        ("I got it on Saturday.", date(2026, 3, 7)),
        ("It arrived last Tuesday.", date(2026, 3, 3)),
        ("It arrived on 3 March.", date(2026, 3, 3)),
        ("It arrived on March 3rd, 2026.", date(2026, 3, 3)),
        ("It was delivered on the 3rd of March.", date(2026, 3, 3)),
        ("It arrived on the 5th.", date(2026, 3, 5)),
        ("It arrived on 2026-03-05.", date(2026, 3, 5)),
        ("It arrived on 5.3.2026.", date(2026, 3, 5)),
        ("It arrived on 03/20/2025.", date(2025, 3, 20)),
        ("It arrived on 03/06/2026.", date(2026, 3, 6)),
        ("It arrived on 28 December.", date(2025, 12, 28)),
        ("I ordered it on 1 March and it arrived on 7 March.", date(2026, 3, 7)),
        ("On 5 March I received it.", date(2026, 3, 5)),
        ("Received: March 5.", date(2026, 3, 5)),
    ],
)
def test_a_stated_day_is_read(text: str, day: date) -> None:
    reading = read(text)
    assert reading.claim.received_on == day
    assert "date_unclear" not in reading.doubts
    assert [span.value for span in reading.spans if span.fact == "received_on"] == [day.isoformat()]


@pytest.mark.parametrize(
    "text",
    [
        "It arrived last week.",
        "It arrived about a week ago.",
        "It arrived on 3 April.",
        "It arrives on Friday.",
        "It has not arrived yet, I ordered on 3 March.",
        "I ordered it on 3 March.",
        "It arrived on 31 February.",
        "If it arrived on 3 March I have 7 days.",
    ],
)
def test_a_vague_future_or_other_day_is_none(text: str) -> None:
    assert read(text).claim.received_on is None


@pytest.mark.parametrize(("day_first", "day"), [(False, date(2026, 2, 3)), (True, date(2026, 3, 2))])
def test_a_day_that_fits_both_orders_is_read_by_the_shops_and_doubted(*, day_first: bool, day: date) -> None:
    reading = read("It arrived on 02/03/2026.", day_first=day_first)
    assert (reading.claim.received_on, "date_unclear" in reading.doubts) == (day, True)


def test_only_one_order_of_day_and_month_lies_in_the_past() -> None:
    reading = read("It arrived on 03/06/2026.", day_first=True)
    assert (reading.claim.received_on, "date_unclear" in reading.doubts) == (date(2026, 3, 6), False)


def test_last_tuesday_said_on_a_wednesday_may_be_either() -> None:
    reading = read("It arrived last Tuesday.", asked_on=date(2026, 3, 11))
    assert (reading.claim.received_on, "date_unclear" in reading.doubts) == (date(2026, 3, 10), True)


def test_two_days_of_receipt_are_none() -> None:
    reading = read("It arrived on 3 March. The parcel was delivered on 5 March.")
    assert (reading.claim.received_on, "date_unclear" in reading.doubts) == (None, True)
