"""Verbs for mails that no machine could handle, and for addresses that no machine writes to."""

import sys
from typing import Annotated, Any

import typer

from mailbot import bootstrap, operators
from mailbot.cli.options import Actor, Config, Json, open_app, plain, print_json, settings_for
from mailbot.errors import InputError
from mailbot.store import mail_views, mails, silenced
from mailbot.store.tables import MailState
from mailbot.store.transaction import reading, transaction

verbs = typer.Typer(help="Mails as they came: parked ones, their bytes, a second try.", no_args_is_help=True)
_Mail = Annotated[int, typer.Argument(help="The mail's id, as mail list shows it.", metavar="MAIL")]


@verbs.command("list")
def list_(
    context: typer.Context,
    *,
    state: Annotated[list[MailState] | None, typer.Option(help="Mails in this state; may be repeated.")] = None,
    machines: Annotated[
        bool, typer.Option("--machines", help="Filed automatic mail from addresses that the shop knows.")
    ] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List the mails that a person must see to: those parked, with the reason."""
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        if machines:
            found = list(mail_views.list_known_machines(session))
        else:
            found = list(mail_views.list_mails(session, state or (MailState.PARKED, MailState.FETCH_FAILED)))
    for form in found:
        if as_json:
            print_json(form)
        else:
            sys.stdout.write(_line(form) + "\n")


@verbs.command()
def show(
    context: typer.Context,
    mail: _Mail,
    *,
    raw: Annotated[bool, typer.Option("--raw", help="The bytes, control characters made visible.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show one mail: where it stands and why; with --raw its source."""
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        row, form = mail_views.show_mail(session, mail)
        source = mails.raw_bytes(session, row.sha256).decode("utf-8", "replace") if raw else None
    if as_json:
        print_json(form if source is None else form | {"raw": source})
        return
    sys.stdout.write(_line(form) + "\n")
    for line in () if source is None else source.splitlines():
        sys.stdout.write(plain(line) + "\n")


@verbs.command()
def requeue(context: typer.Context, mail: _Mail, *, actor: Actor, config: Config = None) -> None:
    """Have a parked mail read again at the next pass, as if it had just come."""
    with open_app(context, config) as app:
        with reading(app.engine) as session:
            row, form = mail_views.show_mail(session, mail)
            if row.state != MailState.PARKED or row.case_id is None:
                raise InputError(f"mail {mail}: is {row.state}, not parked; only parked mail is read again")
        sys.stdout.write(operators.requeue(app, form["case"], actor) + "\n")


@verbs.command("silenced")
def silenced_(context: typer.Context, *, as_json: Json = False, config: Config = None) -> None:
    """List the addresses that get no automatic mail: they bounced for good, or fed a loop."""
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        for row in silenced.all_silenced(session):
            if as_json:
                print_json({"address": row.address, "why": row.why, "since": row.since.isoformat()})
            else:
                sys.stdout.write(plain(f"{row.address:<40} {row.why:<8} since {row.since.isoformat()}") + "\n")


@verbs.command()
def allow(
    context: typer.Context, address: Annotated[str, typer.Argument(help="The address.")], *, config: Config = None
) -> None:
    """Let an address get automatic mail again."""
    with bootstrap.open_store(settings_for(context, config)) as store, transaction(store, "silenced.lifted") as session:
        if not silenced.allow(session, address):
            raise InputError(f"{plain(address)}: is not silenced; mailbot mail silenced lists those that are")
    sys.stdout.write(plain(f"{address}: gets automatic mail again") + "\n")


def _line(form: dict[str, Any]) -> str:
    why = form["problem"] or form["held"] or ""
    where = f"{form['case'] or '-':<10} {form['received_at']} {form['sender'] or 'no clear sender'}"
    return plain(f"{form['mail']:>6} {form['state']:<12} {form['kind'] or '-':<10} {where} {why}")
