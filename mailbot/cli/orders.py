"""Verbs of the order book."""

import sys
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from mailbot import bootstrap
from mailbot.cli.options import Config, Json, plain, print_json, settings_for
from mailbot.cli.progress import progress_bar
from mailbot.errors import InputError
from mailbot.logs import say
from mailbot.model.book import BadOrder, BookedOrder, booked_order_form
from mailbot.model.facts import number_key
from mailbot.steps.order_sync import sync_orders
from mailbot.store import orders as book
from mailbot.store.transaction import reading, transaction

verbs = typer.Typer(help="The order book.", no_args_is_help=True)
_AT_ONCE = 500


@verbs.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON array, JSON lines, or CSV (one row an order line).")],
    *,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Enter orders into the book, or bring them up to date. A bad one is refused with its line; the rest go in."""
    taken = refused = 0
    with bootstrap.open_store(settings_for(context, config)) as store, progress_bar() as report:
        found = bootstrap.read_orders(file)
        while some := list(islice(found, _AT_ONCE)):
            good = [order for order in some if isinstance(order, BookedOrder)]
            for bad in some:
                if isinstance(bad, BadOrder):
                    say(f"{file}: {bad.where}: {bad.problem}")
            with transaction(store, "orders.imported") as session:
                book.put_all(session, good, bootstrap.now())
            taken, refused = taken + len(good), refused + len(some) - len(good)
            report("orders", len(some))
    if as_json:
        print_json({"imported": taken, "refused": refused})
    else:
        sys.stdout.write(f"{taken} orders imported, {refused} refused\n")
    if refused:
        raise typer.Exit(2)


@verbs.command()
def sync(context: typer.Context, *, as_json: Json = False, config: Config = None) -> None:
    """Bring the book up to date from the shop's own system; a bad order is refused by its number, the rest go in."""
    settings = settings_for(context, config)
    with progress_bar() as report, bootstrap.open_app(settings, report) as app:
        synced = sync_orders(app, lambda bad: say(f"{settings.orders.url}: {bad.where}: {bad.problem}"))
    if as_json:
        print_json({"imported": synced.imported, "refused": synced.refused})
    else:
        sys.stdout.write(f"{synced.imported} orders imported, {synced.refused} refused\n")
    if synced.refused:
        raise typer.Exit(2)


@verbs.command()
def show(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="The order's number; case, spaces and hyphens do not matter.")],
    *,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show one order as the book has it."""
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        booked = book.find(session, number_key(number))
    if booked is None:
        raise InputError(f"the order book has no order {number!r}; import it with mailbot orders import FILE")
    form = booked_order_form(booked)
    if as_json:
        print_json(form)
        return
    for name, value in form.items():
        if name == "lines":
            for line in value:
                sys.stdout.write(
                    plain("line            " + ", ".join(f"{key} {part}" for key, part in line.items())) + "\n"
                )
        elif name == "customer":
            sys.stdout.write(
                plain(f"customer        {value['name'] or 'unknown'} <{value['email'] or 'unknown'}>") + "\n"
            )
        else:
            sys.stdout.write(plain(f"{name:<16}{'unknown' if value is None else value}") + "\n")
