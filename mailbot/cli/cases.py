"""Verbs of the operators' work on cases."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot import bootstrap, operators
from mailbot.cli.options import Actor, Config, Json, open_app, plain, print_json, settings_for
from mailbot.model.case import CaseState, draw_transitions
from mailbot.model.facts import ClaimLine
from mailbot.operators.returns import REFUSALS, Inspection, Verdict
from mailbot.store import audit, case_views, cases, corrections
from mailbot.store.transaction import reading, transaction

verbs = typer.Typer(help="Cases: what customers asked for, and what became of it.", no_args_is_help=True)
_Case = Annotated[str, typer.Argument(help="The case's number: RF-000123, or 123.", metavar="CASE")]


@verbs.command("list")
def list_(
    context: typer.Context,
    *,
    state: Annotated[list[CaseState] | None, typer.Option(help="Only cases in this state; may be repeated.")] = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List cases, the one whose promise is due next first."""
    now = bootstrap.now()
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        for form in case_views.list_cases(session, now, state or ()):
            if as_json:
                print_json(form)
            else:
                sys.stdout.write(_line(form) + "\n")


@verbs.command()
def show(context: typer.Context, number: _Case, *, as_json: Json = False, config: Config = None) -> None:
    """Show one case: messages, deadlines, history, and every decision with its facts."""
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        form = case_views.show_case(session, cases.get(session, number), bootstrap.now())
    if as_json:
        print_json(form)
        return
    sys.stdout.write(_line(form) + "\n")
    for deadline in form["deadlines"]:
        sys.stdout.write(
            f"  {deadline['kind']}: {deadline['state']}, due {deadline['due']}, limit {deadline['limit']}\n"
        )
    for message in form["messages"]:
        sys.stdout.write(plain(f"  {message['at']} {message['direction']:>3} {message['state']}") + "\n")
    for event in form["history"]:
        known = {"at", "actor", "event", "from", "to"}
        detail = " ".join(f"{key}={value}" for key, value in event.items() if key not in known)
        moved = f" {event['from']} -> {event['to']}" if event["to"] else ""
        sys.stdout.write(plain(f"  {event['at']} {event['actor']}: {event['event']}{moved} {detail}") + "\n")
    for decision in form["decisions"]:
        _print_trace(decision)


@verbs.command()
def approve(context: typer.Context, number: _Case, *, actor: Actor, config: Config = None) -> None:
    """Approve what is proposed, or let drafts go that wait for a yes."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.approve(app, number, actor) + "\n")


@verbs.command()
def decline(
    context: typer.Context,
    number: _Case,
    *,
    rule: Annotated[str, typer.Option(help="The declining row whose reply goes out, such as used_or_altered.")],
    actor: Actor,
    config: Config = None,
) -> None:
    """Decline by a row of the policy; its template tells the customer."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.decline(app, number, actor, rule) + "\n")


@verbs.command()
def reply(
    context: typer.Context,
    number: _Case,
    *,
    text: Annotated[str | None, typer.Option(help="What to write; default standard input.")] = None,
    template: Annotated[
        str | None, typer.Option(help="Write what this template says of the case; a wrong name lists those that fit.")
    ] = None,
    actor: Actor,
    config: Config = None,
) -> None:
    """Write to the customer in your own words, or in those of a template."""
    words = sys.stdin.read() if text is None and template is None else text or ""
    with open_app(context, config) as app:
        words = words if template is None else operators.draft(app, number, template)
        sys.stdout.write(operators.reply(app, number, actor, words) + "\n")


@verbs.command()
def note(
    context: typer.Context,
    number: _Case,
    text: Annotated[str, typer.Argument(help="Kept with the case; customers never see it.")],
    *,
    actor: Actor,
    config: Config = None,
) -> None:
    """Keep a note with a case."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.note(app, number, actor, text) + "\n")


@verbs.command()
def close(
    context: typer.Context,
    number: _Case,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "",
    actor: Actor,
    config: Config = None,
) -> None:
    """Close a case; its clocks stop."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.close(app, number, actor, reason) + "\n")


@verbs.command()
def reopen(
    context: typer.Context,
    number: _Case,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "",
    actor: Actor,
    config: Config = None,
) -> None:
    """Open a closed case again."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.reopen(app, number, actor, reason) + "\n")


@verbs.command()
def merge(
    context: typer.Context,
    number: _Case,
    *,
    into: Annotated[str, typer.Option(help="The case that its mails and promises go to.")],
    actor: Actor,
    config: Config = None,
) -> None:
    """Make a case part of another one of the same customer or order."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.merge(app, number, actor, into) + "\n")


@verbs.command()
def assign(
    context: typer.Context,
    number: _Case,
    *,
    to: Annotated[str, typer.Option(help="Whose it is; empty: nobody's.")],
    actor: Actor,
    config: Config = None,
) -> None:
    """Give a case to one person."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.assign(app, number, actor, to) + "\n")


@verbs.command()
def receive(
    context: typer.Context,
    number: _Case,
    *,
    verdict: Annotated[Verdict, typer.Option(help="What the inspection found.")] = Verdict.LATER,
    line: Annotated[
        list[str] | None, typer.Option(help="An accepted line, SKU=QUANTITY; may be repeated.", metavar="SKU=QUANTITY")
    ] = None,
    rule: Annotated[str, typer.Option(help="Refused: used_or_altered or no_original_box.")] = REFUSALS[0],
    note: Annotated[str, typer.Option(help="What was found; the customer reads it.")] = "",
    photos: Annotated[int, typer.Option(help="How many pictures were taken.", min=0)] = 0,
    actor: Actor,
    config: Config = None,
) -> None:
    """Take returned goods in: accepted ones become a refund, refused ones a decline."""
    lines = tuple(_accepted(each) for each in line or ())
    inspection = Inspection(verdict=verdict, lines=lines, rule=rule, note=note, photos=photos)
    with open_app(context, config) as app:
        sys.stdout.write(operators.receive(app, number, actor, inspection) + "\n")


@verbs.command()
def life() -> None:
    """Print how a case can go from state to state, as a Mermaid diagram."""
    sys.stdout.write(draw_transitions() + "\n")


@verbs.command()
def requeue(context: typer.Context, number: _Case, *, actor: Actor, config: Config = None) -> None:
    """Have the parked mail of a case read again, as if it had just come."""
    with open_app(context, config) as app:
        sys.stdout.write(operators.requeue(app, number, actor) + "\n")


@verbs.command()
def raw(
    context: typer.Context,
    number: _Case,
    *,
    to: Annotated[Path, typer.Option(help="The file to write the newest mail's bytes to.")],
    config: Config = None,
) -> None:
    """Write the newest mail of a case to a file, byte for byte as it came. Take care what opens it."""
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        to.write_bytes(case_views.newest_raw(session, cases.get(session, number)))
    sys.stdout.write(f"{to} written\n")


@verbs.command("corrections")
def corrections_(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="A new or empty folder; it will hold customers' mail.")],
    actor: Actor,
    config: Config = None,
) -> None:
    """Write the mails that people have corrected, with labels and orders, as examples for the scoreboard."""
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise operators.NotPossibleError(f"--out {out}: the folder is not empty; name a new one")
    now = bootstrap.now()
    with bootstrap.open_store(settings_for(context, config)) as store, transaction(store) as session:
        found = list(corrections.examples(session))
        audit.record(session, actor, "corrections_exported", f"{len(found)} mails", now)
    corrections.write_examples(out, found)
    sys.stdout.write(f"{len(found)} corrected mails are in {out}, with labels.json and orders.json\n")


def _accepted(written: str) -> ClaimLine:
    sku, _, quantity = written.rpartition("=")
    if not sku or not quantity.isascii() or not quantity.isdigit() or not int(quantity):
        raise operators.NotPossibleError(f"--line {written!r}: write SKU=QUANTITY, such as R-925-07=1")
    return ClaimLine(sku=sku, quantity=int(quantity))


def _line(form: dict[str, Any]) -> str:
    due = next((deadline for deadline in form["deadlines"] if deadline["state"] != "met"), None)
    when = f"{due['kind']} {due['state']} {due['limit']}" if due else "nothing due"
    refund = f" refund {form['refund']['amount']} {form['refund']['currency']}" if form["refund"] else ""
    order, what = form["order_number"] or "no order", form["escalation"] or form["rule"] or ""
    return plain(
        f"{form['case']}  {form['state']:<24} {order:<14} {what:<22} {when}{refund}  {form['customer'] or '?'}"
    )


def _print_trace(decision: dict[str, Any]) -> None:
    answer = decision["decision"]
    sys.stdout.write(plain(f"  {decision['at']} decided {answer['outcome']} by {answer['rule']}") + "\n")
    for step in decision["trace"]:
        mark = "+" if step["met"] else "-"
        sys.stdout.write(plain(f"    {mark} {step['rule']}: {step['condition']} is {step['got']}") + "\n")
