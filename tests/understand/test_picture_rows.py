import math

import pytest

from mailbot.model.picture import SeenLine, SeenPage
from mailbot.understand.picture_rows import page_text

TABLE = [
    [("INVOICE", 100, 260), ("INV-2026-0412", 700, 960)],
    [("Order number", 100, 330), ("AW-10231", 345, 520)],
    [("Item", 100, 170), ("Qty", 600, 660), ("Price", 900, 990)],
    [("Silver Leaf Ring", 100, 380), ("2", 600, 618), ("80.00", 900, 990)],
    [("Shipping", 100, 240), ("6.00", 915, 990)],
    [("Total", 100, 180), ("USD 86.00", 830, 990)],
]
READ = [
    "INVOICE\tINV-2026-0412",
    "Order number AW-10231",
    "Item\tQty\tPrice",
    "Silver Leaf Ring\t2\t80.00",
    "Shipping\t6.00",
    "Total\tUSD 86.00",
]


def seen(*texts: str) -> SeenPage:
    lines = [SeenLine(text=text, x0=100, y0=50 * at, x1=400, y1=50 * at, height=24) for at, text in enumerate(texts)]
    return SeenPage(lines=tuple(lines), unread=0, codes=())


@pytest.mark.parametrize("degrees", [0, 2, -2, 9, -9, 20])
@pytest.mark.parametrize("narrowing", [0, 0.00025, -0.00025], ids=["flat", "narrow above", "narrow below"])
def test_rows_are_put_together_though_the_page_lies_askew_and_in_perspective(degrees: float, narrowing: float) -> None:
    def placed(x: float, y: float) -> tuple[float, float]:
        x, y = x - 550, y - 400
        size = 1 / (1 + narrowing * y + narrowing * x / 2)
        x, y = x * size, y * size
        turn = math.radians(degrees)
        return 550 + x * math.cos(turn) - y * math.sin(turn), 400 + x * math.sin(turn) + y * math.cos(turn)

    lines = []
    for at, row in enumerate(TABLE):
        for text, left, right in row:
            (x0, y0), (x1, y1) = placed(left, 100 + 40 * at), placed(right, 100 + 40 * at)
            lines.append(SeenLine(text=text, x0=x0, y0=y0, x1=x1, y1=y1, height=26))
    page = SeenPage(lines=tuple(sorted(lines, key=lambda line: line.text)), unread=0, codes=())
    assert page_text(page).split("\n") == READ


def test_words_with_a_figure_for_a_letter_are_words_again_and_numbers_stay() -> None:
    assert (
        page_text(seen("INV0ICE INV-10", "lnvo1ce A10B20", "Receipt4711"))
        == "INVOICE INV-10\nlnvoice A10B20\nReceipt 4711"
    )


def test_chinese_forms_are_japanese_ones_beside_kana() -> None:
    assert page_text(seen("领収书", "ご注文")) == "領収書\nご注文"
    assert page_text(seen("领取发票")) == "领取发票"


def test_an_empty_page_has_no_text() -> None:
    assert page_text(SeenPage(lines=(), unread=0, codes=())) == ""
