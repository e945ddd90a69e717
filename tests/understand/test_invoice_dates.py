from datetime import date

import pytest

from mailbot.understand.dates import find_dates
from mailbot.understand.invoice_lexicon import invoice_lexicon


def read(text: str, *, day_first: bool | None = None) -> list[date | None]:
    return [found.read(day_first=day_first) for found in find_dates(text, invoice_lexicon().month)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-06",
        "2026/3/6",
        "2026年3月6日",
        "06.03.2026",
        "6.3.26",
        "6 March 2026",
        "6th of March 2026",
        "March 6, 2026",
        "Mar 6 , 2026",
        "06-Mar-2026",
        "6. März 2026",
        "6 mars 2026",
        "6 de marzo de 2026",
        "6 marzo 2026",
        "6 maart 2026",
        "6 de março de 2026",
        "6 marca 2026",
    ],
)
def test_one_day_is_written_in_many_ways(text: str) -> None:
    assert read(text) == [date(2026, 3, 6)]


@pytest.mark.parametrize(
    ("day_first", "day"),
    [
        pytest.param(True, date(2026, 4, 3), id="day first"),
        pytest.param(False, date(2026, 3, 4), id="month first"),
        pytest.param(None, None, id="nobody knows"),
    ],
)
def test_figures_that_fit_both_orders_need_to_be_told(day_first: bool | None, day: date | None) -> None:  # noqa: FBT001 (a table's column)
    assert read("03/04/2026", day_first=day_first) == [day]


def test_figures_that_fit_one_order_need_not() -> None:
    assert read("31/12/2017 and 12/31/2017") == [date(2017, 12, 31), date(2017, 12, 31)]


@pytest.mark.parametrize(
    "text", ["31.02.2026", "13/13/2026", "99.99", "1.2.3.4", "2026-0412", "6 Silver 2026", "00123.456.7-2018-1"]
)
def test_what_no_calendar_has_is_no_date(text: str) -> None:
    assert read(text) == []
