"""The reader that learned from sentences: what it knows of those that it never saw, and what it may not do."""

from datetime import date

import pytest

from bench.examples import Example, fingerprints, read_held_back
from mailbot.model.facts import Reason, Remedy
from mailbot.model.reading import Body, Segment, SegmentKind
from mailbot.understand.claim import ClaimReading, read_claim
from mailbot.understand.lexicons import load_lexicons
from mailbot.understand.second_reader import by_meaning, load_second_reader, meanings_of

Held = list[tuple[Example, dict[str, float]]]


@pytest.fixture(scope="module")
def held_back() -> Held:
    return read_held_back(load_second_reader())


def read(text: str, language: str = "en") -> ClaimReading:
    body = Body(text=text, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(text)),))
    return read_claim("", body, load_lexicons(), language, asked_on=date(2026, 5, 12), day_first=True)


def precision(held_back: Held, least: float) -> float:
    given = [label in each.labels for each, told in held_back for label, value in told.items() if value >= least]
    return sum(given) / len(given)


def recall(held_back: Held, least: float) -> float:
    found = [told[label] >= least for each, told in held_back for label in each.labels]
    return sum(found) / len(found)


def test_the_shipped_weights_are_learned_from_the_sentences() -> None:
    now, then = fingerprints(), load_second_reader().learned_from
    assert len(now & then) >= 0.95 * max(len(now), len(then)), "the sentences changed: run `make reader`"


def test_what_it_is_sure_of_is_nearly_always_so(held_back: Held) -> None:
    assert precision(held_back, 0.8) >= 0.86
    assert precision(held_back, 0.5) >= 0.72


def test_it_sees_much_of_what_sentences_say(held_back: Held) -> None:
    assert recall(held_back, 0.1) >= 0.72
    assert recall(held_back, 0.8) >= 0.2


def test_most_reasons_are_told_apart(held_back: Held) -> None:
    reasons = [f"reason.{reason}" for reason in Reason if reason is not Reason.UNSPECIFIED]
    one = [(each, told) for each, told in held_back if len(each.labels.intersection(reasons)) == 1]
    right = [max(reasons, key=told.__getitem__) in each.labels for each, told in one]
    assert sum(right) / len(right) >= 0.62


STEMS = {"clasp": ("clasp",), "brok": ("break",), "ist": ("be",), "was": ("be",)}


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        pytest.param(["the", "clasp", "was", "broken"], [("clasp",), ("be",), ("break",)], id="by the longest stem"),
        pytest.param(["istanbul", "wasp"], [], id="a short stem is a whole word"),
        pytest.param(["bro"], [], id="a stem is not less than itself"),
    ],
)
def test_words_mean_what_they_begin_with(words: list[str], meant: list[tuple[str, ...]]) -> None:
    assert meanings_of(words, STEMS, spaced=True) == meant


def test_running_text_is_read_by_the_longest_run_of_signs() -> None:
    stems = {"返": ("back",), "返金": ("refund",), "不": ("not",)}
    assert meanings_of(list("不返金,返"), stems, spaced=False) == [("not",), ("refund",), ("back",)]


def test_meanings_count_alone_and_near_each_other() -> None:
    meanings, pairs = by_meaning([("not",), ("break",), ("clasp",)])
    assert meanings == {"not", "break", "clasp"}
    assert pairs == {"not break", "break clasp", "not clasp"}


def test_a_stray_word_that_tells_of_nothing_is_no_doubt() -> None:
    reading = read(
        "Please cancel order AW-10231, I changed my mind. My daughter broke her arm, so I am late in writing this."
    )
    assert (reading.claim.wants, reading.claim.reason) == (Remedy.CANCELLATION, Reason.CHANGE_OF_MIND)
    assert reading.doubts == ()


@pytest.mark.parametrize(
    "text",
    [
        "If the clasp of AW-10231 breaks, can I get a refund?",
        "Suppose I do not like the ring AW-10231. What happens then?",
        "My sister's ring from another shop broke after a week. Please refund AW-10231.",
    ],
)
def test_what_is_supposed_or_told_of_others_never_becomes_a_sure_claim(text: str) -> None:
    assert read(text).claim.reason_confidence < 0.8


def test_every_span_is_words_of_the_mail() -> None:
    text = "Bonjour, la pierre de la bague AW-10231 s'est décollée toute seule. Remboursez-moi, merci."
    reading = read(text, "fr")
    assert reading.claim.reason is Reason.QUALITY_DEFECT
    assert [span.quote for span in reading.spans] == [text[span.start : span.end] for span in reading.spans]
