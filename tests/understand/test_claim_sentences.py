"""A text is cut into the sentences of its writer, and reading it grows with its length alone."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.model.reading import Body, Segment, SegmentKind
from mailbot.understand.claim import read_claim
from mailbot.understand.language import detect_language
from mailbot.understand.lexicons import load_lexicons
from mailbot.understand.sentences import split_sentences

_WORDS = sorted(load_lexicons()["en"].vocabulary)
_SIGNS = [".", ",", "?", "!", "\n", "\n\n", "AW-10231", "3/4/2026", "yesterday", "on 31 February", "999 days ago", "²"]


def sentences(text: str) -> list[str]:
    return [text[each.start : each.end] for each in split_sentences(text, 0, len(text), {"no"})]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I want it back. It broke!", ["I want it back.", "It broke!"]),
        ("Order no. 5 broke", ["Order no. 5 broke"]),
        ("It cost 9.50 and broke", ["It cost 9.50 and broke"]),
        ("Hello,\n\nplease refund", ["Hello,", "please refund"]),
        ("Hi Jane\nPlease refund", ["Hi Jane", "Please refund"]),
        (
            "I am writing to you because the necklace that\nI bought last week broke",
            ["I am writing to you because the necklace that\nI bought last week broke"],
        ),
        ("返品したいです。お願いします。", ["返品したいです。", "お願いします。"]),
        ("  \n ", []),
    ],
)
def test_a_text_is_cut_where_its_writer_ended_a_thought(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_question_is_known_by_its_mark() -> None:
    asked = [each.asks for each in split_sentences("It broke. Can I return it? Thanks.", 0, 34)]
    assert asked == [False, True, False]


@given(st.text(max_size=1500))
def test_no_word_is_lost_between_sentences(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@given(
    st.lists(st.sampled_from(_WORDS + _SIGNS), max_size=40).map(" ".join) | st.text(max_size=300), st.text(max_size=60)
)
def test_reading_never_raises_and_quotes_what_it_read(text: str, subject: str) -> None:
    half = len(text) // 2
    parts = [(SegmentKind.NEW, 0, half), (SegmentKind.QUOTE, half, len(text))]
    body = Body(text=text, segments=tuple(Segment(kind=kind, start=start, end=end) for kind, start, end in parts))
    asked_on = date(2026, 3, 10)
    reading = read_claim(subject, body, load_lexicons(), detect_language(text), asked_on=asked_on, day_first=True)
    assert not (reading.doubts and reading.claim.reason_confidence >= 0.8)
    assert reading.claim.received_on is None or reading.claim.received_on <= asked_on
    for span in reading.spans:
        source = text[:half] if span.part == "body" else subject
        assert source[span.start : span.end] == span.quote


@pytest.mark.parametrize(
    "seed",
    [
        "please cancel my order and ",
        "I don't like the ring. It broke after a week! ",
        "if ",
        "not ",
        "1/1/",
        "it arrived on 3 march and it ",
        "a@",
        "(",
        "指",
        "\n",
    ],
)
def test_eight_times_the_text_takes_no_more_than_its_share(seed: str) -> None:
    def seconds(length: int) -> float:
        text = (seed * length)[:length]
        body = Body(text=text, segments=(Segment(kind=SegmentKind.NEW, start=0, end=length),))
        begun = time.process_time()
        read_claim("", body, load_lexicons(), "en", asked_on=date(2026, 3, 10), day_first=False)
        return time.process_time() - begun

    def least(length: int) -> float:  # of several: what else the machine does only ever adds to it
        return min(seconds(length) for _ in range(3))

    assert least(200_000) < 40 * max(least(25_000), 0.002)  # squared it would be 64 times as much
