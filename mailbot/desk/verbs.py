"""What can be ordered on a case, by name, and which of it sends something and can therefore be taken back."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from mailbot import operators
from mailbot.errors import InputError
from mailbot.model.facts import ClaimLine
from mailbot.model.people import Permission
from mailbot.operators import Change, Inspection, Verdict
from mailbot.steps.app import App

Details = Mapping[str, str]
LINE = "line:"
"""Begins the name of a field that says how many of an order line."""


class Verb(StrEnum):
    """An action of an operator; the value stands in addresses."""

    APPROVE = "approve"
    CHANGE = "change"
    DECLINE = "decline"
    REPLY = "reply"
    ASK = "ask"
    CORRECT = "correct"
    RECEIVE = "receive"
    AGREE = "agree"
    PAY = "pay"
    HOLD = "hold"
    RELEASE = "release"
    CALL_OFF = "call-off"
    NOTE = "note"
    ASSIGN = "assign"
    SNOOZE = "snooze"
    CLOSE = "close"
    REOPEN = "reopen"
    REQUEUE = "requeue"
    MERGE = "merge"


SENDS = frozenset({Verb.APPROVE, Verb.CHANGE, Verb.DECLINE, Verb.REPLY, Verb.ASK, Verb.RECEIVE, Verb.PAY})
"""What is held back for a while, because a letter cannot be fetched back."""

_MONEY = (Verb.APPROVE, Verb.CHANGE, Verb.AGREE, Verb.PAY, Verb.HOLD, Verb.RELEASE, Verb.CALL_OFF)
NEEDS: dict[Verb, Permission] = dict.fromkeys(Verb, Permission.WORK) | dict.fromkeys(_MONEY, Permission.APPROVE)

_TRUTH = {"yes": True, "no": False, "unknown": None}
_MORNING = time(8)
_LONGEST_SNOOZE = timedelta(days=60)


def perform(app: App, number: str, actor: str, verb: Verb, details: Details) -> str:
    """Do it now; returns what happened, in one line.

    Raises:
        InputError: it does not fit the case, or the details do not say what is needed.
    """
    return _PERFORM[verb](app, number, actor, details)


def _said(details: Details, name: str, what: str) -> str:
    text = details.get(name, "").strip()
    if not text:
        raise InputError(f"{what} is missing")
    return text


def _lines(details: Details) -> tuple[ClaimLine, ...]:
    """Order lines as the form names them; those of none are left out."""
    given = {name.removeprefix(LINE): value.strip() for name, value in details.items() if name.startswith(LINE)}
    wrong = [sku for sku, value in given.items() if value and not (value.isascii() and value.isdigit())]
    if wrong:
        raise InputError(f"{wrong[0]}: how many is a whole number")
    return tuple(ClaimLine(sku=sku, quantity=int(value)) for sku, value in given.items() if value and int(value))


def _approve(app: App, number: str, actor: str, _details: Details) -> str:
    return operators.approve(app, number, actor)


def _change(app: App, number: str, actor: str, details: Details) -> str:
    change = Change(
        lines=_lines(details),
        outbound_shipping=details.get("outbound_shipping", "").strip() or None,
        transaction_fee=details.get("transaction_fee", "").strip() or None,
        reason=details.get("reason", ""),
    )
    return operators.approve_changed(app, number, actor, change)


def _decline(app: App, number: str, actor: str, details: Details) -> str:
    return operators.decline(app, number, actor, _said(details, "rule", "the row of the policy that declines"))


def _reply(app: App, number: str, actor: str, details: Details) -> str:
    template, text = details.get("template", ""), details.get("text", "").strip()
    if template and not text:
        return operators.reply(app, number, actor, operators.draft(app, number, template))
    return operators.reply(app, number, actor, _said(details, "text", "your answer"))


def _ask(app: App, number: str, actor: str, details: Details) -> str:
    missing = [name for name in ("order_number", "invoice") if details.get(f"missing:{name}")]
    return operators.ask(app, number, actor, missing)


def _correct(app: App, number: str, actor: str, details: Details) -> str:
    corrections: dict[str, Any] = {}
    for name, value in details.items():
        if name.startswith("fact:"):
            fact = name.removeprefix("fact:")
            corrections[fact] = _TRUTH[value] if value in _TRUTH else value.strip() or None
    if any(name.startswith(LINE) for name in details):
        corrections["lines"] = [{"sku": line.sku, "quantity": line.quantity} for line in _lines(details)]
    return operators.correct(app, number, actor, corrections)


def _receive(app: App, number: str, actor: str, details: Details) -> str:
    given = details.get("verdict", Verdict.LATER)
    if given not in list(Verdict):
        raise InputError(f"{given!r} is no finding; use {', '.join(Verdict)}")
    verdict = Verdict(given)
    inspection = Inspection(
        verdict=verdict,
        lines=_lines(details) if verdict is Verdict.PARTLY else (),
        rule=details.get("rule", "") or Inspection(verdict=verdict).rule,
        note=details.get("note", "").strip(),
    )
    return operators.receive(app, number, actor, inspection)


def _agree(app: App, number: str, actor: str, _details: Details) -> str:
    return operators.approve_refund(app, number, actor)


def _pay(app: App, number: str, actor: str, details: Details) -> str:
    return operators.confirm_refund(app, number, actor, _said(details, "reference", "the payment's reference"))


def _hold(app: App, number: str, actor: str, details: Details) -> str:
    return operators.hold_refund(app, number, actor, _said(details, "reason", "why it is held"))


def _release(app: App, number: str, actor: str, _details: Details) -> str:
    return operators.release_refund(app, number, actor)


def _call_off(app: App, number: str, actor: str, details: Details) -> str:
    return operators.cancel_refund(app, number, actor, _said(details, "reason", "why it is called off"))


def _note(app: App, number: str, actor: str, details: Details) -> str:
    return operators.note(app, number, actor, _said(details, "text", "the note"))


def _assign(app: App, number: str, actor: str, details: Details) -> str:
    return operators.assign(app, number, actor, details.get("to", ""))


def _snooze(app: App, number: str, actor: str, details: Details) -> str:
    """Until a morning in the shop's time zone."""
    try:
        day = date.fromisoformat(details.get("until", ""))
    except ValueError:
        raise InputError("the day until which it is snoozed is missing, or is none") from None
    until = datetime.combine(day, _MORNING, app.settings.shop.zone)
    if until > app.now() + _LONGEST_SNOOZE:
        raise InputError(f"no case is snoozed for more than {_LONGEST_SNOOZE.days} days")
    return operators.snooze(app, number, actor, until)


def _close(app: App, number: str, actor: str, details: Details) -> str:
    return operators.close(app, number, actor, details.get("reason", ""))


def _reopen(app: App, number: str, actor: str, details: Details) -> str:
    return operators.reopen(app, number, actor, details.get("reason", ""))


def _requeue(app: App, number: str, actor: str, _details: Details) -> str:
    return operators.requeue(app, number, actor)


def _merge(app: App, number: str, actor: str, details: Details) -> str:
    into = details.get("other", "").strip() or _said(details, "into", "the case that it goes into")
    return operators.merge(app, number, actor, into)


_PERFORM: dict[Verb, Callable[[App, str, str, Details], str]] = {
    Verb.APPROVE: _approve,
    Verb.CHANGE: _change,
    Verb.DECLINE: _decline,
    Verb.REPLY: _reply,
    Verb.ASK: _ask,
    Verb.CORRECT: _correct,
    Verb.RECEIVE: _receive,
    Verb.AGREE: _agree,
    Verb.PAY: _pay,
    Verb.HOLD: _hold,
    Verb.RELEASE: _release,
    Verb.CALL_OFF: _call_off,
    Verb.NOTE: _note,
    Verb.ASSIGN: _assign,
    Verb.SNOOZE: _snooze,
    Verb.CLOSE: _close,
    Verb.REOPEN: _reopen,
    Verb.REQUEUE: _requeue,
    Verb.MERGE: _merge,
}
