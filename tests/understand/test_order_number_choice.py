"""Of the numbers that a mail names, one is meant, or a person must choose."""

from collections.abc import Mapping

import pytest

from mailbot.model.facts import number_key
from mailbot.model.reading import OrderNumberCandidate
from mailbot.understand.order_number import OrderChoice, choose_order

BOOK: Mapping[str, str | None] = {"AW10001": "jane@example.org", "AW10002": "tom@example.org", "AW10003": None}


def named(number: str, part: str = "body", *, quoted: bool = False) -> OrderNumberCandidate:
    return OrderNumberCandidate(
        number=number, key=number_key(number), part=part, start=0, end=len(number), quote=number, quoted=quoted
    )


def key(of: str | None) -> OrderChoice:
    return OrderChoice(key=of, given=None, ambiguous=False)


AMBIGUOUS = OrderChoice(key=None, given=None, ambiguous=True)


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        pytest.param([], key(None), id="no number"),
        pytest.param([named("AW-10001")], key("AW10001"), id="one known"),
        pytest.param([named("AW-10001"), named("AW-10001", "subject")], key("AW10001"), id="the same twice"),
        pytest.param([named("AW-10001", quoted=True)], key(None), id="a quoted one never decides"),
        pytest.param([named("AW-10002", quoted=True), named("AW-10001")], key("AW10001"), id="new beside quoted"),
        pytest.param([named("AW-10002"), named("AW-10001")], key("AW10001"), id="of several the sender's own"),
        pytest.param([named("AW-10002"), named("AW-10003")], AMBIGUOUS, id="several, none the sender's"),
        pytest.param([named("AW-99999"), named("AW-10001")], key("AW10001"), id="known beside unknown"),
        pytest.param(
            [named("AW-99999")], OrderChoice(key=None, given="AW-99999", ambiguous=False), id="unknown to the book"
        ),
        pytest.param([named("AW-99999"), named("AW-99998")], AMBIGUOUS, id="several unknown"),
        pytest.param([named("AW-10001", "attachment:2")], key("AW10001"), id="only in the invoice"),
        pytest.param([named("AW-10001", "file_name")], key("AW10001"), id="only in a file name"),
        pytest.param(
            [named("AW-10001", "attachment:2"), named("AW-10002")], key("AW10002"), id="words go before papers"
        ),
        pytest.param([named("AW-99999"), named("AW-10001", "attachment:2")], AMBIGUOUS, id="papers contradict words"),
        pytest.param(
            [named("AW-99999"), named("AW-88888", "file_name")],
            OrderChoice(key=None, given="AW-99999", ambiguous=False),
            id="unknown everywhere: the words count",
        ),
    ],
)
def test_the_order_meant_is_chosen(candidates: list[OrderNumberCandidate], expected: OrderChoice) -> None:
    assert choose_order(candidates, BOOK, "jane@example.org") == expected


def test_an_unknown_sender_never_settles_between_two_orders() -> None:
    assert choose_order([named("AW-10001"), named("AW-10003")], BOOK, None) == AMBIGUOUS
