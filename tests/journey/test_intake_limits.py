"""Mails come in no more than 200 at a time, and no more than memory holds."""

import pytest

from mailbot.steps import intake
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import a_mail


@pytest.mark.parametrize(
    ("count", "size", "most"),
    [pytest.param(201, 0, [200, 1], id="count"), pytest.param(3, 12_000_000, [2, 1], id="bytes")],
)
def test_mails_are_taken_in_two_hundred_at_a_time_and_by_their_size(
    a_shop: ShopBuilder, monkeypatch: pytest.MonkeyPatch, count: int, size: int, most: list[int]
) -> None:
    shop, batches = a_shop(), []
    fetched = intake._fetched

    def counted(folder: object, listed: list[object]) -> object:
        batches.append(len(listed))
        return fetched(folder, listed)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "_fetched", counted)
    shop.gets(*(a_mail(f"Hello {at}. " + "x" * size, sender="newsletter@lists.example") for at in range(count)))
    intake.take_in(shop.app, shop.app.mailboxes[0])
    assert batches == most
