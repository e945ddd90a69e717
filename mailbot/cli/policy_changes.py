"""Verbs for changing the policy without fear: what differs, what it would have decided, what the law grants anyway."""

import json
import sys
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from mailbot import bootstrap
from mailbot.cli.options import Config, Json, print_json, settings_for, settings_or_example
from mailbot.cli.policy import WIDE, PolicyFile, verbs
from mailbot.errors import InputError
from mailbot.logs import say
from mailbot.model.forms import decision_form, parse_facts, trace_form
from mailbot.model.money import Money
from mailbot.policy.compare import Change, Verdict, differences, find_change
from mailbot.policy.decide import decide
from mailbot.policy.lint import lint_policy
from mailbot.policy.table import parse_policy
from mailbot.store import cases, decisions
from mailbot.store.transaction import reading


@verbs.command()
def diff(
    context: typer.Context,
    older: Annotated[Path, typer.Argument(help="The policy file as it was.")],
    newer: Annotated[Path, typer.Argument(help="The policy file as it should be.")],
    *,
    config: Config = None,
) -> None:
    """Say in plain sentences what one policy file changes of another."""
    settings = settings_or_example(context, config)
    before, after = (bootstrap.open_policy(settings, file=file) for file in (older, newer))
    told = False
    for sentence in differences(before, after):
        sys.stdout.write(f"- {sentence}\n")
        told = True
    if not told:
        sys.stdout.write("Both decide alike, in the same words.\n")


@verbs.command()
def backtest(
    context: typer.Context,
    *,
    policy: Annotated[Path, typer.Option("--policy", help="The policy file to try.")],
    since: Annotated[str | None, typer.Option(help="Only what was decided from this day on: 2026-03-01.")] = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Decide every stored case again by another policy; exit code 1 if any outcome or sum would change."""
    settings = settings_for(context, config)
    tried = bootstrap.open_policy(settings, file=policy)
    begin = None if since is None else _day(since, settings.shop.zone)
    changes, tested = [], 0
    with bootstrap.open_store(settings) as store, reading(store) as session:
        for stored in decisions.present(session, begin):
            tested += 1
            change = find_change(stored.case, stored.facts, stored.decision, tried)
            changes += [change] if change else []
    if as_json:
        for change in changes:
            print_json(_change_form(change))
    else:
        _print_changes(changes)
    say(f"{tested} cases decided again by policy {tried.version[:12]}, {len(changes)} would change")
    if changes:
        raise typer.Exit(1)


def _print_changes(changes: list[Change]) -> None:
    if not changes:
        sys.stdout.write("Nothing would change.\n")
        return
    table, sums = Table("case", "before", "after", "refund before", "refund after", "difference"), dict[str, Decimal]()
    for change in changes:
        sides = (str(change.before.refund or "none"), str(change.after.refund or "none"))
        more = change.difference
        table.add_row(change.case, str(change.before), str(change.after), *sides, _signed(more))
        if more is not None:
            sums[more.currency] = sums.get(more.currency, Decimal(0)) + more.amount
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False)
    console.print(table)
    for currency, amount in sums.items():
        sys.stdout.write(f"In all {amount:+f} {currency} settled or proposed.\n")


def _signed(more: Money | None) -> str:
    return "" if more is None else f"{more.amount:+f} {more.currency}"


def _change_form(change: Change) -> dict[str, object]:
    more = change.difference
    return {
        "case": change.case,
        "before": _verdict_form(change.before),
        "after": _verdict_form(change.after),
        "difference": None if more is None else {"amount": str(more), "currency": more.currency},
    }


def _verdict_form(verdict: Verdict) -> dict[str, str | None]:
    refund = None if verdict.refund is None else str(verdict.refund)
    return {"outcome": verdict.outcome, "rule": verdict.rule, "proposal": verdict.proposal, "refund": refund}


@verbs.command()
def lint(
    context: typer.Context,
    *,
    country: Annotated[str, typer.Option(help="Where the customers live: DE, FR, GB ... (ISO 3166-1).")],
    policy: PolicyFile = None,
    config: Config = None,
) -> None:
    """Warn where the policy is weaker than a country's statutory floor. Information, not legal advice."""
    linted = bootstrap.open_policy(settings_or_example(context, config), file=policy)
    warned = lint_policy(linted, country)
    for one in warned:
        sys.stdout.write(f"{one.floor.law}: {one.floor.says}\n    The policy: {one.instead}.\n    {one.floor.source}\n")
    if not warned:
        sys.stdout.write(f"No clause is below the floors that are known for {country.upper()}.\n")
    sys.stdout.write("This is information, not legal advice: it knows a few floors, not your case; ask a lawyer.\n")


def replay(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="The case's number: RF-000123, or 123.", metavar="CASE")],
    *,
    trace: Annotated[bool, typer.Option("--trace", help="Add every condition asked, under the key trace.")] = False,
    config: Config = None,
) -> None:
    """Make a case's decisions again from what was stored, by the policy of that time; exit code 1 if one differs."""
    with bootstrap.open_store(settings_for(context, config)) as store, reading(store) as session:
        case = cases.get(session, number)
        name, stored = cases.number_of(case.id), decisions.of_case(session, case.id)
    differing = 0
    for one in stored:
        answered = decide(parse_facts(one.facts), parse_policy(one.policy, ZoneInfo(one.timezone)))
        form, steps = decision_form(answered.decision), trace_form(answered.trace)
        differing += json.dumps([form, steps]) != json.dumps([one.decision, one.trace])
        print_json({**form, "trace": steps} if trace else form)
    same = f"{differing} differ" if differing else "the same bytes as were stored"
    say(f"{name}: {len(stored)} decisions made again, {same}")
    if differing:
        raise typer.Exit(1)


def _day(text: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), time(), zone).astimezone(UTC)
    except ValueError:
        raise InputError(f"--since: {text!r} is not a day such as 2026-03-01") from None
