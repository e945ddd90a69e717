"""Chat-like texts of public collections: nothing that is no request may be taken for a sure one."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from mailbot.model.reading import Body, Segment, SegmentKind, Topic
from mailbot.understand.claim import ClaimReading, read_claim
from mailbot.understand.language import detect_language
from mailbot.understand.lexicons import load_lexicons

_NEVER = {"not_refund", "policy_question", "refund_status", "order_status", "order_change", "complaint"}
_WANTED = {"cancellation", "refund_unspecified"}
_FRAME = "Hello,\n\n{}\n\nMy order number is AW-10231, the invoice is attached.\n\nKind regards\nJane Smith"


def read(text: str) -> ClaimReading:
    body = Body(text=text, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(text)),))
    return read_claim("", body, load_lexicons(), detect_language(text), asked_on=date(2026, 3, 10), day_first=False)


def is_sure(reading: ClaimReading) -> bool:
    return reading.topic is Topic.REFUND_REQUEST and reading.claim.reason_confidence >= 0.8


@pytest.fixture(scope="module")
def intents(corpus: Callable[[str], Path]) -> Callable[[str], list[dict[str, str]]]:
    """Give the rows of one collection by its name."""
    folder = corpus("intents")
    return lambda name: [json.loads(line) for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("name", ["bitext", "banking77", "clinc150"])
def test_what_never_leads_to_money_is_no_sure_request(
    intents: Callable[[str], list[dict[str, str]]], name: str
) -> None:
    sure = [row["text"] for row in intents(name) if row["reason"] in _NEVER and is_sure(read(row["text"]))]
    assert sure == []


@pytest.mark.parametrize("name", ["bitext", "banking77", "clinc150"])
def test_nor_in_a_mail_that_names_an_order(intents: Callable[[str], list[dict[str, str]]], name: str) -> None:
    never = [row["text"] for row in intents(name) if row["reason"] in _NEVER]
    sure = [text for text in never if is_sure(read(_FRAME.format(text)))]
    assert len(sure) <= (0.01 if name == "banking77" else 0.005) * len(never)  # a bank's customers name no order


def test_requests_of_a_shops_chat_are_told_from_the_rest(intents: Callable[[str], list[dict[str, str]]]) -> None:
    read_as_request = [(row["reason"] in _WANTED, read(row["text"]).topic) for row in intents("bitext")]
    right = sum(wanted and topic is Topic.REFUND_REQUEST for wanted, topic in read_as_request)
    assert right / sum(topic is Topic.REFUND_REQUEST for _, topic in read_as_request) >= 0.95
    assert right / sum(wanted for wanted, _ in read_as_request) >= 0.95
