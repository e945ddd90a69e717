"""A sample mail is decided alike at whatever hour and season the demonstration runs."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from mailbot import bootstrap
from mailbot.demo.samples import sample_mails, sample_orders
from mailbot.steps.app import Judgement
from mailbot.steps.explaining import explain


@pytest.fixture(scope="module")
def judgement() -> Iterator[Judgement]:
    """Judge by the shipped policy and the example's shop."""
    with bootstrap.open_judgement(bootstrap.example_settings()) as judgement:
        yield judgement


def decisions(judgement: Judgement, now: datetime) -> dict[str, object]:
    zone = judgement.settings.shop.zone
    book = {booked.key: booked for booked in sample_orders(now, zone)}
    mails = sample_mails(now, zone)
    pending = [judgement.sandbox.submit(mail.raw, mail.received_at) for mail in mails]
    decided: dict[str, object] = {}
    for mail, reading in zip(mails, pending, strict=True):
        form = explain(judgement, mail.name, reading.result(), mail.received_at, lambda _: book).form
        decision = form["decision"]
        decided[mail.name] = decision and (decision["outcome"], decision["rule"], decision["proposal"])
    return decided


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(datetime(2026, 11, 23, 5, 1, tzinfo=UTC), id="one past midnight in the shop"),
        pytest.param(datetime(2026, 11, 24, 4, 59, tzinfo=UTC), id="one before midnight in the shop"),
        pytest.param(datetime(2026, 3, 8, 7, 30, tzinfo=UTC), id="just after the clocks went forward"),
        pytest.param(datetime(2027, 1, 1, 6, 0, tzinfo=UTC), id="new year's night"),
        pytest.param(datetime(2028, 3, 1, 12, 0, tzinfo=UTC), id="the day after a leap day"),
    ],
)
def test_the_hour_changes_no_decision(judgement: Judgement, now: datetime) -> None:
    assert decisions(judgement, now) == decisions(judgement, datetime(2026, 11, 23, 15, 30, tzinfo=UTC))
