"""The order book follows the shop's own system."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from mailbot import journey
from mailbot.errors import InputError, RetryableError
from mailbot.model.book import BadOrder, BookedOrder
from mailbot.steps.order_sync import Synced, sync_orders
from mailbot.store import orders
from mailbot.store.transaction import reading
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import an_order


@dataclass
class FakeSource:
    """A shop's system that gives what it is told to give."""

    gives: list[BookedOrder | BadOrder]
    breaks: bool = False
    asked_since: list[datetime | None] = field(default_factory=list)

    def changed_since(self, moment: datetime | None) -> Iterator[BookedOrder | BadOrder]:
        self.asked_since.append(moment)
        yield from self.gives
        if self.breaks:
            raise RetryableError("the shop went away")


def test_changed_orders_come_into_the_book_and_the_mark_moves_on(a_shop: ShopBuilder) -> None:
    shop = a_shop()
    booked = an_order(shop.clock.now)
    source = FakeSource([booked, BadOrder(where="order 9", problem="is odd")])
    app = replace(shop.app, order_source=source)
    refused: list[BadOrder] = []
    assert sync_orders(app, refused.append) == Synced(imported=1, refused=1)
    assert [bad.where for bad in refused] == ["order 9"]
    began = shop.clock.now
    shop.clock.forward(hours=3)
    assert journey.sync_orders(app) == 1
    assert source.asked_since == [None, began - timedelta(hours=1)]
    with reading(app.engine) as session:
        assert orders.find(session, booked.key) == booked


def test_a_shop_that_goes_away_midway_is_asked_for_the_same_again(a_shop: ShopBuilder) -> None:
    shop = a_shop()
    source = FakeSource([an_order(shop.clock.now)], breaks=True)
    app = replace(shop.app, order_source=source)
    for _ in range(2):
        with pytest.raises(RetryableError):
            sync_orders(app)
    assert source.asked_since == [None, None]


def test_without_a_source_the_configuration_is_named(a_shop: ShopBuilder) -> None:
    with pytest.raises(InputError, match="woocommerce"):
        sync_orders(a_shop().app)
