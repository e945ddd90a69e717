"""Verbs of the policy: show it, decide facts by it."""

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailbot import bootstrap
from mailbot.cli.options import Config, Json, print_json, settings_or_example
from mailbot.errors import InputError, MailbotError
from mailbot.logs import say
from mailbot.model.forms import decision_form, parse_facts, trace_form
from mailbot.policy import page
from mailbot.policy.check import Finding, check_policy, misspelt
from mailbot.policy.decide import Answered
from mailbot.policy.decide import decide as decide_facts
from mailbot.policy.fields import UnknownConditionError
from mailbot.policy.table import Policy
from mailbot.policy.versions import policy_for

verbs = typer.Typer(help="The shop's policy.", no_args_is_help=True)
WIDE = 160
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="A policy file in place of the configured one.")]


class Format(StrEnum):
    """How the policy is printed."""

    TABLE = "table"
    MARKDOWN = "markdown"


@verbs.command()
def show(
    context: typer.Context,
    *,
    policy: PolicyFile = None,
    form: Annotated[
        Format, typer.Option("--format", help="As tables to read, or as a page to publish.")
    ] = Format.TABLE,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Print the table as a person reads it, with the text of every clause."""
    settings = settings_or_example(context, config)
    shown = bootstrap.open_policy(settings, file=policy)
    if as_json:
        print_json(_policy_form(shown))
    elif form is Format.MARKDOWN:
        sys.stdout.write(page.markdown_page(shown, settings.shop.name))
    else:
        _print_tables(shown)


def _print_tables(policy: Policy) -> None:
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False)
    console.print(f"Policy {policy.version[:12]}", markup=False)
    for sentence in page.promises(policy):
        console.print(f"  {sentence}", markup=False)
    for title, headings, lines in (
        ("The first row that fits answers", page.ROW_HEADINGS, page.row_lines(policy)),
        ("Guards, over what the rows about reasons decided", page.GUARD_HEADINGS, page.guard_lines(policy)),
        ("What is paid back", page.SETTLEMENT_HEADINGS, page.settlement_lines(policy)),
    ):
        table = Table(title=title, title_justify="left", show_lines=True)
        for heading in headings:
            table.add_column(heading, no_wrap=heading in {"#", "rule", "guard"})
        for line in lines:
            table.add_row(*(Text(cell) for cell in line))
        console.print(table)


@verbs.command()
def check(context: typer.Context, *, policy: PolicyFile = None, as_json: Json = False, config: Config = None) -> None:
    """Prove the table: some row always answers, none is dead, every guard can apply, every example holds."""
    settings = settings_or_example(context, config)
    try:
        checked = bootstrap.open_policy(settings, file=policy)
    except UnknownConditionError as unknown:
        _print_finding(misspelt(bootstrap.policy_text(settings, policy), settings.shop.zone, unknown), as_json=as_json)
        raise
    findings = check_policy(checked)
    for finding in findings:
        _print_finding(finding, as_json=as_json)
    if findings:
        say(f"the policy is not proven: {len(findings)} found; mailbot policy decide shows what becomes of an example")
        raise typer.Exit(1)
    if not as_json:
        rules = f"{len(checked.rows)} rows and {len(checked.guards)} guards"
        sys.stdout.write(
            f"Policy {checked.version[:12]} is proven: some row always answers, all {rules} can apply, "
            f"no sum leaves its bounds, and its {len(checked.examples)} examples hold.\n"
        )


def _print_finding(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        print_json({"place": finding.place, "problem": finding.problem, "facts": finding.facts})
        return
    sys.stdout.write(f"{finding.place}: {finding.problem}\n")
    if finding.facts is not None:
        sys.stdout.write(f"    for example: {json.dumps(finding.facts)}\n")


@verbs.command()
def decide(
    context: typer.Context,
    facts: Annotated[Path | None, typer.Argument(help="A file of facts (JSON); default standard input.")] = None,
    *,
    batch: Annotated[bool, typer.Option("--batch", help="One JSON object a line, one answer a line.")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="Add every condition asked, under the key trace.")] = False,
    timezone: Annotated[str | None, typer.Option(help="In place of the shop's time zone.")] = None,
    policy: PolicyFile = None,
    config: Config = None,
) -> None:
    """Decide facts by the policy and print the decision as JSON."""
    settings = settings_or_example(context, config)
    decided_by = bootstrap.open_policies(settings, zone=_zone(timezone), file=policy)
    if batch:
        with _opened(facts) as lines:
            _decide_lines(lines, decided_by, trace=trace)
        return
    with _opened(facts) as source:
        print_json(_decision(_json(source.read()), decided_by, trace=trace))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise InputError(f"facts: is not JSON: {problem}") from None


def _opened(facts: Path | None) -> AbstractContextManager[TextIO]:
    if facts is None:
        return nullcontext(TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace"))
    try:
        return facts.open(encoding="utf-8", errors="replace")
    except OSError as problem:
        raise InputError(f"{facts}: {problem.strerror}") from None


def _decide_lines(lines: TextIO, policies: tuple[Policy, ...], *, trace: bool) -> None:
    write = sys.stdout.write
    for line in lines:
        if line.isspace():
            continue
        try:
            answer = json.dumps(_decision(_json(line), policies, trace=trace))
        except MailbotError as problem:
            answer = json.dumps({"error": str(problem)})
        write(answer + "\n")


def _decision(form: Any, policies: tuple[Policy, ...], *, trace: bool) -> dict[str, Any]:
    facts = parse_facts(form)
    answered: Answered = decide_facts(facts, policy_for(facts.order, policies))
    answer = decision_form(answered.decision)
    return {**answer, "trace": trace_form(answered.trace)} if trace else answer


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"--timezone: {name!r} is not a time zone such as America/New_York") from None


def _policy_form(policy: Policy) -> dict[str, Any]:
    return {
        "version": policy.version,
        "rows": [
            {
                "id": row.rule,
                "when": {test.condition: list(test.wanted) for test in row.tests},
                "outcome": row.outcome,
                "proposal": row.proposal,
                "clauses": list(row.clauses),
                "reply": row.reply,
                "guarded": row.guarded,
            }
            for row in policy.rows
        ],
        "guards": [
            {"id": guard.rule, "when": {test.condition: list(test.wanted) for test in guard.tests}}
            for guard in policy.guards
        ],
        "clauses": dict(policy.clauses),
    }
