"""Bringing the order book up to date from the shop itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import structlog

from mailbot.errors import InputError
from mailbot.model.book import BadOrder, BookedOrder
from mailbot.steps.app import App
from mailbot.store import orders
from mailbot.store.transaction import transaction

_AT_ONCE = 500
_OVERLAP = timedelta(hours=1)

log = structlog.get_logger()


class NoOrderSourceError(InputError):
    """The configuration names no shop to ask."""

    def __init__(self) -> None:
        """Say which key names one."""
        super().__init__('[orders] source is empty; name one, such as source = "woocommerce", or import a file')


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What one synchronisation did."""

    imported: int
    refused: int


def sync_orders(app: App, refused: Callable[[BadOrder], None] | None = None) -> Synced:
    """Enter every order that changed since the last synchronisation; a bad one is refused and told, the rest go in.

    It asks an hour further back than it must, for shops whose clocks differ. The mark moves on only when all was read.

    Raises:
        NoOrderSourceError: the configuration names no shop.
        RetryableError: the shop is not there now; what was read stays.
        PermanentError: it refuses the key, or is no such shop.
    """
    source = app.order_source
    if source is None:
        raise NoOrderSourceError
    with transaction(app.engine, "orders.mark_read") as session:
        last = orders.synced_at(session, app.settings.orders.url)
    began_at, imported, bad = app.now(), 0, 0
    found = iter(source.changed_since(None if last is None else last - _OVERLAP))
    while some := list(islice(found, _AT_ONCE)):
        good = [order for order in some if isinstance(order, BookedOrder)]
        for order in some:
            if isinstance(order, BadOrder):
                log.warning("order_refused", why=order.where)
                if refused is not None:
                    refused(order)
        with transaction(app.engine, "orders.stored") as session:
            orders.put_all(session, good, began_at)
        imported, bad = imported + len(good), bad + len(some) - len(good)
        app.progress("orders", len(some))
    with transaction(app.engine, "orders.mark_moved") as session:
        orders.record_synced(session, app.settings.orders.url, began_at)
    log.info("orders_synced", imported=imported, refused=bad)
    return Synced(imported=imported, refused=bad)
