"""Verbs of refunds that people pay."""

import sys
from typing import Annotated

import typer

from mailbot import bootstrap, operators
from mailbot.cli.options import Actor, Config, Json, open_app, plain, print_json, settings_for
from mailbot.store import refunds
from mailbot.store.cases import number_of
from mailbot.store.transaction import reading

verbs = typer.Typer(help="Refunds to pay and paid.", no_args_is_help=True)


@verbs.command("list")
def list_(context: typer.Context, *, as_json: Json = False, config: Config = None) -> None:
    """List refunds that are still to be paid, the longest due first."""
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        for due in refunds.all_due(session):
            form = {
                "case": number_of(due.case_id),
                "order_number": due.order_number,
                "amount": str(due.amount),
                "currency": due.amount.currency,
                "approved_by": due.approved_by,
                "approved_at": due.approved_at.isoformat(),
            }
            if as_json:
                print_json(form)
            else:
                sys.stdout.write(plain("  ".join(str(value) for value in form.values())) + "\n")


@verbs.command()
def confirm(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="The case's number: RF-000123, or 123.", metavar="CASE")],
    *,
    reference: Annotated[str, typer.Option(help="Of the payment, as the payment service shows it; used only once.")],
    actor: Actor,
    config: Config = None,
) -> None:
    """Confirm that a case's refund was paid to the payment it came from."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.confirm_refund(app, number, actor, reference) + "\n")
