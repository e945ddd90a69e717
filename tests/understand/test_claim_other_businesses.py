"""What is meant for another business is no request to this shop; a customer who only mentions one keeps his request.

``other_businesses.tsv``: language, ``theirs`` or ``ours``, ``tuned`` or ``check``, the mail. Phrases were written with
an eye on the first half; the second half only measures.
"""

from pathlib import Path

import pytest

from mailbot.model.reading import Topic
from tests.understand.test_claim_intents import read

_ROWS = [
    tuple(line.split("\t"))
    for line in Path(__file__).with_name("other_businesses.tsv").read_text(encoding="utf-8").splitlines()
]
_RIGHT = 0.95


@pytest.mark.parametrize("part", ["tuned", "check"])
@pytest.mark.parametrize(
    ("whose", "topic"),
    [
        pytest.param("theirs", Topic.OTHER, id="another business is asked"),
        pytest.param("ours", Topic.REFUND_REQUEST, id="another business is only mentioned"),
    ],
)
def test_what_is_meant_for_another_business_is_told_from_what_mentions_one(whose: str, topic: Topic, part: str) -> None:
    texts = [text for _, told, half, text in _ROWS if (told, half) == (whose, part)]
    wrong = [text for text in texts if read(text).topic is not topic]
    assert len(wrong) <= (1 - _RIGHT) * len(texts), wrong


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        pytest.param("The ring broke at the hotel.", Topic.REFUND_REQUEST, id="goods are named in the same clause"),
        pytest.param(
            "I want to cancel my order because the trip is off.", Topic.REFUND_REQUEST, id="an order between the words"
        ),
        pytest.param(
            "I have a dentist appointment tomorrow. The ring arrived broken.",
            Topic.REFUND_REQUEST,
            id="another sentence is about goods",
        ),
        pytest.param("Tell my bank that I travel to Spain.", Topic.OTHER, id="no dispute"),
        pytest.param(
            "The ring never came. I will tell my bank to stop the direct debit.", Topic.REFUND_REQUEST, id="a dispute"
        ),
        pytest.param("I was charged twice for my train ticket.", Topic.OTHER, id="another's charge"),
        pytest.param("I was charged twice for my order AW-10231.", Topic.REFUND_REQUEST, id="our charge"),
    ],
)
def test_what_counts_is_whose_goods_are_named(text: str, topic: Topic) -> None:
    assert read(text).topic is topic
