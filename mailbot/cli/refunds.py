"""Verbs of refunds: to pay, paid, held, called off; and the switch that stops them all."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot import bootstrap, operators
from mailbot.cli.options import Actor, Config, Json, open_app, plain, print_json, settings_for
from mailbot.model.refund import PROMISED, RefundState
from mailbot.store import refunds, switch
from mailbot.store.cases import number_of
from mailbot.store.tables import CaseRow, RefundRow
from mailbot.store.transaction import reading

verbs = typer.Typer(help="Refunds to pay and paid.", no_args_is_help=True)
_Case = Annotated[str, typer.Argument(help="The case's number: RF-000123, or 123.", metavar="CASE")]
_Reason = Annotated[str, typer.Option(help="Why, for the history.")]


@verbs.command("list")
def list_(
    context: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are paid or called off.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List refunds that are still to be paid, the longest due first."""
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        frozen = switch.find_frozen(session)
        states = frozenset(RefundState) if everything else PROMISED
        forms = [_form(row, case) for row, case in refunds.all_in(session, states)]
    for form in forms:
        if as_json:
            print_json(form)
        else:
            shown = ("case", "order_number", "amount", "currency", "state", "approved_by", "approved_at")
            sys.stdout.write(plain("  ".join(str(form[name]) for name in shown)) + "\n")
    if frozen is not None and not as_json:
        sys.stdout.write(plain(f"frozen by {frozen.by}: {frozen.reason}; mailbot refund thaw lets them go") + "\n")


@verbs.command()
def pay(
    context: typer.Context,
    cases: Annotated[list[str] | None, typer.Argument(help="Only these cases' refunds.", metavar="[CASE]...")] = None,
    *,
    to: Annotated[Path | None, typer.Option(help="The CSV file to write; default standard output.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what was handed out before, unconfirmed.")] = False,
    as_json: Json = False,
    actor: Actor,
    config: Config = None,
) -> None:
    """Hand out the payments to make as CSV, each once; pay each to the payment that it names, then confirm it."""
    with open_app(context, config) as app:
        orders = operators.pay_refunds(app, actor, numbers=cases or (), again=again)
    if as_json:
        for order in orders:
            form = {"case": order.case_number, "order_number": order.capture, "payment_method": order.method}
            print_json(form | {"amount": str(order.amount), "currency": order.amount.currency, "key": order.key})
        return
    table = bootstrap.write_payments(orders)
    if to is None:
        sys.stdout.write(table)
    else:
        to.write_text(table, encoding="utf-8", newline="")
        sys.stdout.write(f"{len(orders)} payments written to {to}\n")


@verbs.command()
def confirm(
    context: typer.Context,
    number: _Case,
    *,
    reference: Annotated[str, typer.Option(help="Of the payment, as the payment service shows it; used only once.")],
    actor: Actor,
    config: Config = None,
) -> None:
    """Confirm that a case's refund was paid to the payment it came from; the customer is told."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.confirm_refund(app, number, actor, reference) + "\n")


@verbs.command()
def approve(context: typer.Context, number: _Case, *, actor: Actor, config: Config = None) -> None:
    """Agree to a refund above the four-eyes limit; two different persons must."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.approve_refund(app, number, actor) + "\n")


@verbs.command()
def hold(context: typer.Context, number: _Case, *, reason: _Reason, actor: Actor, config: Config = None) -> None:
    """Keep a refund from being paid for now."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.hold_refund(app, number, actor, reason) + "\n")


@verbs.command()
def release(context: typer.Context, number: _Case, *, actor: Actor, config: Config = None) -> None:
    """Let a refund be paid that was held, refused, or looked for in vain."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.release_refund(app, number, actor) + "\n")


@verbs.command()
def cancel(context: typer.Context, number: _Case, *, reason: _Reason, actor: Actor, config: Config = None) -> None:
    """Call a refund off for good."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.cancel_refund(app, number, actor, reason) + "\n")


@verbs.command()
def freeze(context: typer.Context, *, reason: _Reason = "", actor: Actor, config: Config = None) -> None:
    """Stop every refund and all automatic mail until they are thawed."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.freeze(app, actor, reason) + "\n")


@verbs.command()
def thaw(context: typer.Context, *, actor: Actor, config: Config = None) -> None:
    """Let refunds and automatic mail go again."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.thaw(app, actor) + "\n")


def _form(row: RefundRow, case: CaseRow) -> dict[str, Any]:
    amount = refunds.amount_of(row)
    return {
        "case": number_of(row.case_id),
        "order_number": case.order_number,
        "amount": str(amount),
        "currency": amount.currency,
        "state": row.state,
        "held_for": row.held_for,
        "key": row.key,
        "provider": row.provider,
        "approved_by": row.approved_by,
        "second_approver": row.second_approver,
        "approved_at": row.approved_at.isoformat(),
        "reference": row.reference,
        "paid_at": None if row.paid_at is None else row.paid_at.isoformat(),
    }
