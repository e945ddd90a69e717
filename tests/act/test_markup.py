import pytest

from mailbot.act.markup import MarkupError, Paragraph, ParagraphKind, fill, parse_body, scan

NAMES = {"order", "sum"}


def test_what_is_put_in_for_a_name_is_never_scanned_again() -> None:
    assert fill(scan("Order {{order}}!", NAMES), {"order": "{{sum}}", "sum": "1"}.get) == "Order {{sum}}!"


def test_a_sentence_without_one_of_its_values_is_left_out() -> None:
    assert fill(scan("Order {{order}} costs {{sum}}.", NAMES), {"order": "1", "sum": None}.get) is None


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("{{secret}}", id="a name that is not in the list"),
        pytest.param("{{ order }}", id="spaces inside the braces"),
        pytest.param("{{order.number}}", id="an attribute"),
        pytest.param("{{order|upper}}", id="a filter"),
        pytest.param("{{1 + 1}}", id="an expression"),
        pytest.param("{% if order %}x{% endif %}", id="a condition"),
        pytest.param("{# order #}", id="a comment"),
        pytest.param("{{order}", id="a brace too few"),
        pytest.param("{{{order}}}", id="a brace too many"),
        pytest.param("a } b", id="a brace alone"),
    ],
)
def test_anything_but_text_and_known_names_is_refused(source: str) -> None:
    with pytest.raises(MarkupError):
        scan(source, NAMES)


def test_a_body_is_headings_paragraphs_items_and_blocks() -> None:
    body = parse_body("# Why\nOrder {{order}}\nis late.\n\n\n- one\n- two\n  goes on\n\n{{bill}}\n", NAMES, {"bill"})
    assert body == (
        Paragraph(ParagraphKind.HEADING, (("Why",),)),
        Paragraph(ParagraphKind.PARAGRAPH, (("Order ", "order", " is late."),)),
        Paragraph(ParagraphKind.ITEMS, (("one",), ("two goes on",))),
        Paragraph(ParagraphKind.BLOCK, (("bill",),)),
    )


def test_a_block_cannot_stand_inside_a_sentence() -> None:
    with pytest.raises(MarkupError, match="no value 'bill'"):
        parse_body("See {{bill}}.", NAMES, {"bill"})
