"""What a later mail says about its case: taken back, asked after, sent off, merely thanked for."""

from datetime import date

import pytest

from mailbot.model.reading import Body, FollowUp, Segment, SegmentKind, Span
from mailbot.understand.claim import read_claim
from mailbot.understand.lexicons import load_lexicons


def follow_ups(text: str, language: str = "en") -> tuple[Span, ...]:
    body = Body(text=text, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(text)),))
    asked_on = date(2026, 3, 10)
    return read_claim(
        "Re: Your request", body, load_lexicons(), language, asked_on=asked_on, day_first=False
    ).follow_ups


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Never mind, I have decided to keep it.", FollowUp.WITHDRAWAL),
        ("Please ignore my last email, I found the parcel.", FollowUp.WITHDRAWAL),
        ("I'd like to withdraw my return request.", FollowUp.WITHDRAWAL),
        ("We will keep the ring after all.", FollowUp.WITHDRAWAL),
        ("Please don't cancel my order.", FollowUp.WITHDRAWAL),
        ("Where is my refund?", FollowUp.REFUND_STATUS),
        ("I still have not received my money.", FollowUp.REFUND_STATUS),
        ("When will I get my refund?", FollowUp.REFUND_STATUS),
        ("Has my order shipped yet?", FollowUp.ORDER_STATUS),
        ("Any update on this?", FollowUp.ORDER_STATUS),
        ("I sent the ring back yesterday.", FollowUp.RETURN_SENT),
        ("I dropped the parcel off at the post office this morning.", FollowUp.RETURN_SENT),
        ("The return is on its way back to you.", FollowUp.RETURN_SENT),
        ("Thank you so much!", FollowUp.ACKNOWLEDGEMENT),
        ("ok thanks", FollowUp.ACKNOWLEDGEMENT),
        ("Perfect, thanks for your help.\n\nJane", FollowUp.ACKNOWLEDGEMENT),
    ],
)
def test_what_is_said_about_a_running_case_is_told(text: str, expected: FollowUp) -> None:
    assert [span.fact for span in follow_ups(text)] == [expected]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("I posted it today. Tracking number: RR123456789GB", "RR123456789GB"),
        ("The return is on its way, UPS 1Z 999 AA1 01 2345 6784", "1Z999AA10123456784"),
        ("tracking no. is 9400 1000 0000 0000 0000 00", "9400100000000000000000"),
        ("Here is the tracking number:\n00340434161094012345", "00340434161094012345"),
        ("DHL 1234 5678 9012 is the tracking number", "123456789012"),
    ],
)
def test_a_tracking_number_is_read_with_its_place(text: str, number: str) -> None:
    found = [span for span in follow_ups(text) if span.fact == FollowUp.TRACKING_NUMBER]
    assert [span.value for span in found] == [number]
    assert text[found[0].start : found[0].end] == found[0].quote


@pytest.mark.parametrize(
    "text",
    [
        "Please refund order AW-10231, I changed my mind.",
        "I have not sent it back yet because the label is missing.",
        "If I sent it back today, would that be in time?",
        "Invoice 2026-0412-7788 is attached, call me on +1 555 010 9988.",
        "Thank you, but the clasp is still broken and I want my money back.",
        "Thanks. Can you tell me which address I should use?",
    ],
)
def test_what_is_a_request_or_a_supposition_is_none_of_them(text: str) -> None:
    assert not follow_ups(text)
