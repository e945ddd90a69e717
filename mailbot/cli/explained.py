"""How ``mailbot explain`` shows a mail to a person at a terminal."""

import sys
from typing import Any

from mailbot.cli.options import plain
from mailbot.model.mail import MailKind
from mailbot.steps.explaining import Explained


def print_explained(explained: Explained) -> None:
    """Print one mail as the bot would handle it: what it is, what was read where, what is decided, what goes out."""
    form = explained.form
    _line(f"{form['file']}: {form['kind']}" + (f", {form['topic']}" if form["topic"] else ""))
    _print_kind(form)
    if form["sender"]:
        _line(f"  sender    {form['sender']['status']}: {form['sender']['why']}")
    if form["topic"]:
        _line(f"  order     {form['order_number'] or 'none given'}")
        _line(f"  invoice   {_invoice(form['invoice'])}")
    for span in form["evidence"]:
        _line(f"  read      {span['fact']} = {span['value']}  ({span['part']}: {span['quote']!r})")
    _print_lines(form)
    for doubt in form["doubts"]:
        _line(f"  doubt     {doubt}")
    if form["decision"]:
        _print_decision(form["decision"], form["trace"])
    for name in ("reply", "verification"):
        if form[name]:
            _line(f"  {name:<9} {form[name]['template']} to {form[name]['to']}: {form[name]['subject']}")
            for line in form[name]["text"].splitlines():
                _line(f"            {line}")
    if form["decision"] and not (form["reply"] or form["verification"]):
        _line("  reply     none; a person answers")


def _print_kind(form: dict[str, Any]) -> None:
    if form["kind_why"] and form["kind"] != MailKind.CUSTOMER:
        _line(f"  kind      {form['kind_why']}")


def _print_lines(form: dict[str, Any]) -> None:
    lines = form["claim"]["lines"] if form["claim"] else []
    if lines:
        told = (f"{line['quantity']} x {line['sku']}" for line in lines)
        _line(f"  lines     {', '.join(told)}")


def _print_decision(decision: dict[str, Any], trace: list[dict[str, Any]]) -> None:
    _line(f"  decision  {decision['outcome']} by {decision['rule']} ({', '.join(decision['clauses'])})")
    if decision["proposal"]:
        _line(f"  proposal  {decision['proposal']['outcome']} by {decision['proposal']['rule']}")
    settlement = decision["settlement"] or (decision["proposal"] or {}).get("settlement")
    if settlement:
        _line(f"  refund    {settlement['refund']} {settlement['currency']}")
    for step in trace:
        if step["rule"] == decision["rule"]:
            _line(f"  because   {step['condition']} is {step['got']}")


def _invoice(invoice: dict[str, Any]) -> str:
    if invoice["number"] is None and invoice["amount"] is None:
        return str(invoice["status"])
    return f"{invoice['status']}: {invoice['number']}, {invoice['amount']} {invoice['currency']} ({invoice['source']})"


def _line(text: str) -> None:
    sys.stdout.write(plain(text) + "\n")
