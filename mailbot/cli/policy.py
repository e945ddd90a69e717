"""Verbs of the policy: show it, decide facts by it."""

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from mailbot import bootstrap
from mailbot.cli.options import Config, Json, print_json, settings_or_example
from mailbot.errors import InputError, MailbotError
from mailbot.model.forms import decision_form, parse_facts, trace_form
from mailbot.policy.decide import Answered
from mailbot.policy.decide import decide as decide_facts
from mailbot.policy.table import Policy

verbs = typer.Typer(help="The shop's policy.", no_args_is_help=True)
_File = Annotated[Path | None, typer.Option("--policy", help="A policy file in place of the configured one.")]


@verbs.command()
def show(context: typer.Context, *, policy: _File = None, as_json: Json = False, config: Config = None) -> None:
    """Print the table as a person reads it, with the text of every clause."""
    settings = settings_or_example(context, config)
    shown, _ = bootstrap.open_policy(settings, file=policy)
    if as_json:
        print_json(_policy_form(shown))
        return
    terms = shown.terms
    sys.stdout.write(
        f"Policy {shown.version[:12]}, counted in {terms.timezone.key}\n\n"
        f"Return within {terms.return_days} days, cancel within {terms.cancel_days} days, "
        f"guarantee of {terms.guarantee_months} months; sure from {terms.min_confidence:g} on.\n\n"
    )
    for at, row in enumerate(shown.rows, 1):
        asks = "; ".join(f"{test.condition} = {_answers(test.wanted)}" for test in row.tests) or "always"
        proposal = f", proposes {row.proposal}" if row.proposal else ""
        guarded = ", guarded" if row.guarded else ""
        sys.stdout.write(f"{at:>3}. {row.rule}: {row.outcome}{proposal}{guarded}\n     when {asks}\n")
        for clause in row.clauses:
            sys.stdout.write(f"     {clause}: {shown.clauses[clause]}\n")
    sys.stdout.write("\nGuards, over what a guarded row decided:\n")
    for guard in shown.guards:
        asks = "; ".join(f"{test.condition} = {_answers(test.wanted)}" for test in guard.tests)
        sys.stdout.write(f"  {guard.rule}: escalate when {asks}\n")


@verbs.command()
def decide(
    context: typer.Context,
    facts: Annotated[Path | None, typer.Argument(help="A file of facts (JSON); default standard input.")] = None,
    *,
    batch: Annotated[bool, typer.Option("--batch", help="One JSON object a line, one answer a line.")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="Add every condition asked, under the key trace.")] = False,
    timezone: Annotated[str | None, typer.Option(help="In place of the shop's time zone.")] = None,
    policy: _File = None,
    config: Config = None,
) -> None:
    """Decide facts by the policy and print the decision as JSON."""
    settings = settings_or_example(context, config)
    decided_by, _ = bootstrap.open_policy(settings, zone=_zone(timezone), file=policy)
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


def _decide_lines(lines: TextIO, policy: Policy, *, trace: bool) -> None:
    write = sys.stdout.write
    for line in lines:
        if line.isspace():
            continue
        try:
            answer = json.dumps(_decision(_json(line), policy, trace=trace))
        except MailbotError as problem:
            answer = json.dumps({"error": str(problem)})
        write(answer + "\n")


def _decision(form: Any, policy: Policy, *, trace: bool) -> dict[str, Any]:
    answered: Answered = decide_facts(parse_facts(form), policy)
    answer = decision_form(answered.decision)
    return {**answer, "trace": trace_form(answered.trace)} if trace else answer


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"--timezone: {name!r} is not a time zone such as America/New_York") from None


def _answers(wanted: tuple[Any, ...]) -> str:
    return " or ".join({True: "yes", False: "no", None: "unknown"}.get(answer, str(answer)) for answer in wanted)


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
