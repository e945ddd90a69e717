"""Verbs about the personal data of one address."""

import json
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from mailbot import bootstrap
from mailbot.cli.options import Actor, Config, Json, print_json, settings_for
from mailbot.store import audit, privacy
from mailbot.store.transaction import reading, transaction

verbs = typer.Typer(help="Personal data: what is held of an address, and its erasure.", no_args_is_help=True)
_Address = Annotated[str, typer.Argument(help="A bare address such as jane@example.org.")]


@verbs.command()
def export(
    context: typer.Context,
    address: _Address,
    *,
    to: Annotated[Path | None, typer.Option(help="The file to write; default standard output.")] = None,
    actor: Actor,
    config: Config = None,
) -> None:
    """Print all that is held of an address as JSON: orders, cases, mails and letters."""
    with bootstrap.open_store(settings_for(context, config)) as store:
        now = bootstrap.now()
        with reading(store) as session:
            form = privacy.export(session, address, now)
        with transaction(store) as session:
            audit.record(
                session, actor, "exported", "personal data", now, cases=[case["case"] for case in form["cases"]]
            )
    if to is None:
        print_json(form)
    else:
        to.write_text(json.dumps(form, ensure_ascii=False, indent=2), encoding="utf-8")
        sys.stdout.write(f"{to} written\n")


@verbs.command()
def erase(
    context: typer.Context, address: _Address, *, as_json: Json = False, actor: Actor, config: Config = None
) -> None:
    """Erase an address and all it wrote and was written; figures, decisions and the audit trail stay."""
    pseudonym = f"erased-{secrets.token_hex(6)}@erased.invalid"
    with bootstrap.open_store(settings_for(context, config)) as store, transaction(store) as session:
        gone = privacy.erase(session, address, pseudonym, actor, bootstrap.now())
    if as_json:
        counted = {"cases": gone.cases, "mails": gone.mails, "letters": gone.letters, "orders": gone.orders}
        print_json({"known_as": pseudonym, **counted})
        return
    what = f"{gone.cases} cases, {gone.mails} mails, {gone.letters} letters, {gone.orders} orders"
    sys.stdout.write(f"erased from {what}; erase it in the shop's own system too, or the next import brings it back\n")
