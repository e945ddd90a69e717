"""Order and invoice numbers compare without case, spaces and hyphens; what else tells them apart is kept."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.model.facts import number_key


@pytest.mark.parametrize(
    "spelling",
    [
        "AW-10231",
        "aw-10231",
        "AW10231",
        "AW 10231",
        " a w 1-0-2 31 ",
        "AW\u201010231",
        "AW\u201310231",
        "AW\u00a010231",
    ],
    ids=ascii,
)
def test_spellings_of_one_number_have_one_key(spelling: str) -> None:
    assert number_key(spelling) == number_key("AW-10231")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("AW-10231", "AW-10232", id="another digit"),
        pytest.param("AW-10231", "AV-10231", id="another letter"),
        pytest.param("AW-10231", "AW-1023", id="shorter"),
        pytest.param("AW-10231", "10231", id="without its letters"),
        pytest.param("#1001", "1001", id="with and without a number sign"),
        pytest.param("2026/17", "202617", id="with and without a slash"),
        pytest.param("O-1", "0-1", id="letter O and digit nought"),
    ],
)
def test_two_numbers_have_two_keys(one: str, other: str) -> None:
    assert number_key(one) != number_key(other)


@given(st.text(alphabet=string.ascii_letters + string.digits + " -#/", max_size=20))
def test_a_key_is_its_own_key(number: str) -> None:
    assert number_key(number_key(number)) == number_key(number)
