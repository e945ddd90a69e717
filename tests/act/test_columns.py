import pytest

from mailbot.act.columns import padded, width_of, wrap


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Order", 5),
        ("ご注文", 6),
        ("\N{FULLWIDTH DOLLAR SIGN}\N{FULLWIDTH DIGIT FIVE}", 4),
        ("e\u0301te\u0301", 3),
        ("", 0),
    ],
)
def test_wide_signs_take_two_columns(text: str, columns: int) -> None:
    assert width_of(text) == columns


def test_padding_counts_columns() -> None:
    assert padded("送料", 6) == "送料  "


def test_words_stay_whole_and_lines_within_the_columns() -> None:
    lines = wrap("We have approved your return for order AW-10231 today", 20)
    assert lines == ["We have approved", "your return for", "order AW-10231 today"]


def test_a_long_word_stays_whole() -> None:
    assert wrap("see https://shop.example/a-very-long-address now", 20) == [
        "see",
        "https://shop.example/a-very-long-address",
        "now",
    ]


def test_japanese_breaks_between_signs_but_not_before_punctuation() -> None:
    assert wrap("返品を承りました。お荷物", 16) == ["返品を承りまし", "た。お荷物"]


def test_no_line_ends_with_an_opening_bracket() -> None:
    assert wrap("ご注文「確認」", 8) == ["ご注文", "「確認」"]


def test_indents_count() -> None:
    assert wrap("one two three", 9, "- ", "  ") == ["- one two", "  three"]


def test_nothing_gives_no_line() -> None:
    assert wrap("", 20) == []
