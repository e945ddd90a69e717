"""Promises under restarts, jumping clocks and changing hours: told once a level, never lost."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailbot import bootstrap, operators
from mailbot.settings import load_settings
from mailbot.store.tables import ClockRow
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import CANCEL, DEFECT, RETURN, a_mail, an_invoice, an_order
from tests.journey.shop import Shop

OPERATORS = "operators@shop.example"


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, a_shop: ShopBuilder) -> Shop:
    """Give a shop that tells its operators of promises."""
    return a_shop(request.param, notify=OPERATORS)


def notices(shop: Shop) -> list[str]:
    """What operators were told since the last call."""
    return [letter.subject for letter in shop.letters() if letter.to == OPERATORS]


def waits_for_a_person(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6))
    shop.answers(a_mail(DEFECT, invoice=an_invoice()))


def test_each_level_is_told_once_however_often_the_worker_is_started_again(shop: Shop) -> None:
    waits_for_a_person(shop)
    told, first = [], shop.app
    for hours in (23, 2, 0, 23, 2, 200):
        shop.clock.forward(hours=hours)
        with bootstrap.open_app(load_settings(shop.config, {})) as fresh:  # another process, the same database
            judgement = replace(fresh.judgement, clock=shop.clock, sandbox=shop.app.judgement.sandbox)
            shop.app = replace(fresh, judgement=judgement, journal_folder=shop.app.journal_folder)
            shop.poll()
            told += notices(shop)
        shop.app = first
    assert told == ["mailbot: 1 promises due, 0 broken", "mailbot: 0 promises due, 1 broken"]


def test_a_clock_that_jumps_neither_loses_nor_doubles_a_warning(shop: Shop) -> None:
    waits_for_a_person(shop)
    told = []
    for hours in (72, -60, 12, -12, 72):
        shop.clock.forward(hours=hours)
        shop.poll()
        told += notices(shop)
    assert told == ["mailbot: 1 promises due, 1 broken"]
    assert [row.fired_at is not None for row in shop.rows(ClockRow)] == [True, True]


@pytest.mark.parametrize(
    ("approved", "due", "limit"),
    [
        pytest.param("2026-03-04T15:00Z", "2026-03-09T04:00:00+00:00", "2026-03-12T04:00:00+00:00", id="spring"),
        pytest.param("2026-10-29T15:00Z", "2026-11-03T05:00:00+00:00", "2026-11-06T05:00:00+00:00", id="autumn"),
    ],
)
def test_whole_days_of_a_return_are_the_shop_s_where_its_clocks_change(
    approved: str, due: str, limit: str, a_shop: ShopBuilder
) -> None:
    shop = a_shop(starts_at=datetime.fromisoformat(approved).astimezone(UTC))
    shop.sells(an_order(shop.clock.now, paid=9, delivered=4))
    shop.answers(a_mail(RETURN, invoice=an_invoice()))
    clock = shop.clock_of("dispatch")
    assert (clock["due"], clock["limit"]) == (due, limit)


@pytest.mark.parametrize("started", ["2026-03-07T20:00Z", "2026-10-31T20:00Z"], ids=["spring", "autumn"])
def test_a_refund_s_hours_are_plain_hours_where_the_shop_s_clocks_change(started: str, a_shop: ShopBuilder) -> None:
    shop = a_shop(starts_at=datetime.fromisoformat(started).astimezone(UTC))
    shop.sells(an_order(shop.clock.now))
    shop.answers(a_mail(CANCEL, invoice=an_invoice()))
    clock = shop.clock_of("refund")
    length = datetime.fromisoformat(clock["limit"]) - shop.clock.now
    assert length.total_seconds() == 48 * 3600


def test_held_and_parked_mail_has_a_clock_too(a_shop: ShopBuilder) -> None:
    shop = a_shop(notify=OPERATORS)
    shop.sells(an_order(shop.clock.now))
    twin = "<same@mail.example.org>"
    shop.answers(
        a_mail(CANCEL, invoice=an_invoice(), message_id=twin),
        a_mail("Something else about my order AW-10001: I want a refund.", message_id=twin),
        b"\r\n",
    )
    waiting = [case for case in shop.cases() if case["state"] == "escalated"]
    assert sorted(case["escalation"] for case in waiting) == ["message_id_conflict", "unreadable"]
    assert all(any(deadline["state"] == "open" for deadline in case["deadlines"]) for case in waiting)


def test_what_is_paid_in_time_is_never_told_of(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    shop.answers(a_mail(CANCEL, invoice=an_invoice()))
    shop.clock.forward(hours=20)
    operators.confirm_refund(shop.app, "1", "mia", "5TX-1")
    shop.clock.forward(hours=40)
    shop.poll()
    assert notices(shop) == []
