"""Order numbers are found however a customer writes them, and nothing else is taken for one."""

import time

import pytest

from mailbot.errors import InputError
from mailbot.understand.order_number import OrderNumbers, compile_order_numbers

SHOP = compile_order_numbers(r"AW-\d{5}")
DIGITS = compile_order_numbers(r"#?\d{5}")


def numbers(of: OrderNumbers, text: str) -> list[str]:
    return [found.number for found in of.find(text, "body")]


@pytest.mark.parametrize(
    "text",
    [
        "AW-10231",
        "aw 10231",
        "Aw10231",
        "AW\N{EN DASH}10231",
        "AW\N{NON-BREAKING HYPHEN}10231",
        "AW \N{MINUS SIGN} 10231",
        "\uff21\uff37\uff0d\uff11\uff10\uff12\uff13\uff11",
        "AW-\n10231",
        "AW\N{ZERO WIDTH SPACE}-10231",
        "A W - 1 0 2 3 1",
        "#AW-10231.",
        "(AW-10231)",
        "order\tAW-10231,\nthanks",
        "AW-\N{ARABIC-INDIC DIGIT ONE}0231",
        "注文AW-10231の到着予定日",
        "订单AW10231到哪里了",
    ],
)
def test_a_number_is_found_without_regard_to_case_spaces_and_hyphens(text: str) -> None:
    found = SHOP.find(text, "subject")
    assert [(each.number, each.key, each.part) for each in found] == [("AW-10231", "AW10231", "subject")]
    assert text[found[0].start : found[0].end] == found[0].quote


@pytest.mark.parametrize(
    "text",
    [
        "AW-102315",
        "SAW-10231",
        "law 10231",
        "AW-1023",
        "AW-1023 15 March",
        "AW-10231AW-10232",
        "AW\n\n10231",
        "AW        10231",
        "AW/10231",
        "",
    ],
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert numbers(SHOP, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("My order 10231, please", ["10231"], id="in a sentence"),
        pytest.param("order #10231 and order 10232.", ["#10231", "10232"], id="two of them"),
        pytest.param("order 10231\n2 rings", ["10231"], id="a count on the next line"),
        pytest.param("call 555 10231 22", [], id="telephone number in groups"),
        pytest.param("call +10231", [], id="telephone number with a plus"),
        pytest.param("tracking 1Z-10231-88", [], id="part of a tracking number"),
        pytest.param("it cost $10231", [], id="price"),
        pytest.param("it cost 10231 EUR", [], id="price with its currency behind"),
        pytest.param("it cost 10231.50", [], id="price with cents"),
        pytest.param("it cost 1,10231", [], id="grouped digits"),
        pytest.param("10231/26", [], id="of another series"),
        pytest.param("INV-10231", [], id="an invoice number"),
        pytest.param("at 10231:30", [], id="a time"),
        pytest.param("Calle Mayor 5\n28013 Madrid", [], id="postcode before its town"),
        pytest.param("Springfield, IL 62704", [], id="zip code after its state"),
        pytest.param("10 231", [], id="torn where the pattern has no separator"),
        pytest.param("代金は10231円です", [], id="a sum between Japanese words"),
    ],
)
def test_plain_digits_must_stand_for_themselves(text: str, expected: list[str]) -> None:
    assert numbers(DIGITS, text) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "number"),
    [
        (r"\bAW-\d{5}\b", "aw10231", "AW-10231"),
        (r"^AW-\d{5}$", "my aw 10231!", "AW-10231"),
        (r"AW[- ]?\d{5}", "aw 10231", "AW-10231"),
        (r"AW\s*-\s*\d{5}", "aw10231", "AW-10231"),
        (r"AW \d{5}", "AW-10231", "AW 10231"),
        (r"aw\d{5}", "AW 10231", "aw10231"),
        (r"(?i)(?:AW|BX)-\d{5}", "bx 10231", "BX-10231"),
        (r"\d{3}-\d{4}", "order 123 4567", "123-4567"),
        (r"AW[-/]\d{5}", "aw/10231", "AW/10231"),
        (r"AW-(?!0)\d{5}", "aw 10231", "AW-10231"),
        (r"(?P<shop>AW)-\d{5}", "aw 10231", "AW-10231"),
    ],
)
def test_a_number_is_given_as_the_shops_pattern_writes_it(pattern: str, text: str, number: str) -> None:
    assert numbers(compile_order_numbers(pattern), text) == [number]


def test_what_a_lookaround_of_the_pattern_excludes_stays_excluded() -> None:
    assert numbers(compile_order_numbers(r"AW-(?!00000)\d{5}"), "AW 00000 and AW 10231") == ["AW-10231"]


def test_numbers_in_quoted_ranges_are_marked() -> None:
    text = "AW-10231\n> AW-10232\nAW-10233"
    found = SHOP.find(text, "body", quoted=[(9, 19)])
    assert [(each.number, each.quoted) for each in found] == [
        ("AW-10231", False),
        ("AW-10232", True),
        ("AW-10233", False),
    ]


def test_keys_come_once_and_in_order() -> None:
    assert SHOP.keys("AW-10232, aw 10231, AW10232") == ("AW10232", "AW10231")


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(", "no regular expression"),
        ("", "matches nothing"),
        (r"\s*-?", "matches nothing"),
        (r"(\d)\1{4}", "cannot be matched"),
        (r"(?x) AW", "cannot be matched"),
        (r"(?:\d-){5}", "write the group out"),
        ("A" * 301, "at most 300"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        compile_order_numbers(pattern)


@pytest.mark.parametrize("seed", ["AW-1023 ", "AW", "a\N{EN DASH}", "1 ", "order AW-10231. "])
def test_eight_times_the_text_takes_no_more_than_its_share(seed: str) -> None:
    def seconds(length: int) -> float:
        text = (seed * length)[:length]
        begun = time.process_time()
        SHOP.find(text, "body")
        return time.process_time() - begun

    short = max(min(seconds(25_000) for _ in range(3)), 0.0005)
    assert seconds(200_000) < 32 * short


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("AW-1O231", ["AW-10231"], id="letter O for zero"),
        pytest.param("AW-O1231", ["AW-01231"], id="letter O first"),
        pytest.param("aw l023l", ["AW-10231"], id="letter l for one"),
        pytest.param(
            "AW_10231, AW:10232, AW.10233, AW# 10234", ["AW-10231", "AW-10232", "AW-10233", "AW-10234"], id="signs"
        ),
        pytest.param("\u0410W-10231", ["AW-10231"], id="Cyrillic letter"),
        pytest.param("注文番号AW-10231です", ["AW-10231"], id="Japanese without spaces"),
        pytest.param("订单AW10231号", ["AW-10231"], id="Chinese without spaces"),
        pytest.param("AW-10231/10232", ["AW-10231", "AW-10232"], id="second one without its letters"),
        pytest.param("AW-10231 und 10232", ["AW-10231", "AW-10232"], id="second one behind a word"),
        pytest.param("AW-10231, 10115 Berlin", ["AW-10231"], id="town behind"),
        pytest.param("AW-10231, 2 rings", ["AW-10231"], id="quantity behind"),
    ],
)
def test_a_number_with_letters_is_found_however_it_is_typed(text: str, found: list[str]) -> None:
    assert numbers(compile_order_numbers(r"AW-\d{5}"), text) == found


@pytest.mark.parametrize("pattern", [r"PO-\d{5}", r"NO\d{5}", r"IO-\d{5}", r"AW#\d{5}", r"AW\.\d{5}"])
def test_look_alikes_and_signs_of_the_pattern_itself_are_what_they_are(pattern: str) -> None:
    number = pattern.replace("\\d{5}", "10231").replace("\\", "")
    assert numbers(compile_order_numbers(pattern), f"my order {number} please") == [number]
    assert numbers(compile_order_numbers(pattern), f"my order {number[:-5]}1O231") == [number]


@pytest.mark.parametrize(
    "text",
    [
        *("order10231", "Nr10231", "No. 10231", "Bestellung 10231", "注文番号10231", "订单10231号", "#10231", "1O231"),
        *("invoice for order 10231", "my zip is 90210-1234, order 10231", "Order number: 10231."),
    ],
)
def test_bare_figures_may_be_an_order(text: str) -> None:
    assert numbers(compile_order_numbers(r"\d{5}"), text) == ["10231"]


@pytest.mark.parametrize(
    "text",
    [
        *("invoice 10231", "Rechnung Nr. 10231", "facture n° 10231", "tracking number 10231", "Sendungsnummer: 10231"),
        *("Kundennummer 10231", "customer no. 10231", "PLZ 10231", "zip code: 10231", "codice postale 10231"),
        *("電話番号10231", "快递单号10231", "郵便番号10231", "Tel. 10231", "IBAN 10231", "total 10231", "INV10231"),
    ],
)
def test_bare_figures_that_are_labelled_as_something_else_are_none(text: str) -> None:
    assert numbers(compile_order_numbers(r"\d{5}"), text) == []


@pytest.mark.parametrize("pattern", [r"(\d+)+x", r"(A|A)*B", r"(?:\d+-?)+Z", r"((\d+)A){2,}", r"(?:[A-Z]?\d){1,9}"])
def test_a_pattern_that_a_mail_could_keep_busy_is_refused(pattern: str) -> None:
    with pytest.raises(InputError, match="keep it busy; write it out"):
        compile_order_numbers(pattern)


@pytest.mark.parametrize("pattern", [r"(?:\d{2}){3}", r"(?:AW|EU)-\d{4,}", r"(?:[A-Z]{1,2}-)?\d{6}", r"(?:A+)?\d{6}"])
def test_a_group_may_repeat_what_is_fixed_and_stand_once_where_it_is_not(pattern: str) -> None:
    assert compile_order_numbers(pattern).pattern.original.pattern == pattern


@pytest.mark.parametrize("pattern", [r"ORD-?\d+", r"ORD-?\d{3,}", r"ORD-?0*\d+"])
def test_an_order_number_has_a_hundred_figures_in_a_row_at_most(pattern: str) -> None:
    shop = compile_order_numbers(pattern)
    assert numbers(shop, f"order ORD {'7' * 100}") == [f"ORD-{'7' * 100}"]
    assert numbers(shop, f"order ORD {'7' * 201}") == []


def test_no_more_numbers_of_a_text_are_given_than_show_that_there_are_too_many() -> None:
    assert len(numbers(compile_order_numbers(r"AW-\d{5}"), "AW-10231 " * 300)) == 201


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("order_10231.pdf", ["10231"]),
        ("Bestellung-10231.pdf", ["10231"]),
        ("#10231.pdf", ["10231"]),
        ("my_order_10231.pdf", ["10231"]),
        ("IMG_10231.jpg", []),
        ("DSC10231.JPG", []),
        ("10231.jpg", []),
        ("invoice_10231.pdf", []),
    ],
)
def test_bare_figures_in_a_file_name_need_their_word(name: str, found: list[str]) -> None:
    candidates = compile_order_numbers(r"\d{5}").find(name, "file_name")
    assert [candidate.number for candidate in candidates] == found
