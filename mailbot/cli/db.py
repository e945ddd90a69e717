"""Verbs of the database."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mailbot import bootstrap
from mailbot.cli.options import Config, Json, print_json, settings_for
from mailbot.store.backup import back_up
from mailbot.store.check import check as check_store
from mailbot.store.instance import upgrade as upgrade_store
from mailbot.store.transaction import open_engine, reading

verbs = typer.Typer(help="The database: its version and its health.", no_args_is_help=True)


@verbs.command()
def upgrade(context: typer.Context, *, config: Config = None) -> None:
    """Bring the tables to this program's version; safe to run again."""
    engine = open_engine(settings_for(context, config).database.url)
    try:
        upgrade_store(engine)
    finally:
        engine.dispose()
    sys.stdout.write("the tables are up to date\n")


@verbs.command()
def backup(
    context: typer.Context,
    to: Annotated[Path, typer.Argument(help="The copy's file, which must not be there yet.")],
    *,
    config: Config = None,
) -> None:
    """Make a safe copy while mailbot runs; started on it, mailbot stands still until somebody thaws it."""
    settings = settings_for(context, config)
    with bootstrap.open_store(settings) as store:
        size = back_up(store, to)
    sys.stdout.write(f"{to}: {size} bytes\n")


@verbs.command()
def check(context: typer.Context, *, as_json: Json = False, config: Config = None) -> None:
    """Prove the invariants on what is stored; exit code 1 where one is broken."""
    broken = 0
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        for found in check_store(session):
            broken += found.broken
            form = {"invariant": found.invariant, "what": found.what, "checked": found.checked, "broken": found.broken}
            if as_json:
                print_json(form)
            else:
                state = "holds" if not found.broken else f"BROKEN {found.broken} times"
                sys.stdout.write(f"{found.invariant:<4} {state:<16} {found.checked:>8} checked  {found.what}\n")
    if broken:
        raise typer.Exit(1)
