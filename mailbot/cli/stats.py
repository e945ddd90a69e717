"""The verb that prints figures."""

import sys
from typing import Any

import typer

from mailbot import bootstrap
from mailbot.cli.options import Config, Json, plain, print_json, settings_for
from mailbot.steps.statistics import collect
from mailbot.store.transaction import reading


def stats(context: typer.Context, *, as_json: Json = False, config: Config = None) -> None:
    """Print figures: cases, mails, refunds, and how many promises will be late at today's pace."""
    settings = settings_for(context, config)
    with bootstrap.open_store(settings) as store, reading(store) as session:
        form = collect(session, settings, bootstrap.now())
    if as_json:
        print_json(form)
        return
    for line in _lines(form):
        sys.stdout.write(plain(line) + "\n")


def _lines(form: dict[str, Any]) -> list[str]:
    lines = [
        f"{name:<8} " + (", ".join(f"{count} {state}" for state, count in form[name].items()) or "none")
        for name in ("cases", "mails", "letters")
    ]
    lines += [
        f"refunds  {refund['count']} {refund['state']}: {refund['amount']} {refund['currency']}"
        for refund in form["refunds"]
    ]
    coming, kept, targets = form["next_24_hours"], form["kept_in_30_days"], form["targets"]
    pace = f"{coming['kept']} kept in the last 24 h"
    lines.append(
        f"promises {coming['due']} due in the next 24 h; at today's pace ({pace}) {coming['late']} will be late"
    )
    lines.append(
        f"promises {coming['broken']} broken and open; {kept['in_time']} of {kept['all']} kept in time in 30 days"
    )
    if targets is not None:
        share = f"{targets['answered_in_time']} of {targets['answered_in_30_days']} answered in time in 30 days"
        lines.append(f"targets  {targets['overdue']} of {targets['waiting']} past {targets['within_hours']} h; {share}")
    if form["frozen"] is not None:
        lines.append(f"frozen   by {form['frozen']['by']}: {form['frozen']['reason']}")
    return lines
