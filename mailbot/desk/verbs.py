"""What can be ordered on a case, by name, and which of it sends something and can therefore be taken back."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from mailbot import operators
from mailbot.errors import InputError
from mailbot.model.people import Permission
from mailbot.steps.app import App

Details = Mapping[str, str]


class Verb(StrEnum):
    """An action of an operator; the value stands in addresses."""

    APPROVE = "approve"
    DECLINE = "decline"
    REPLY = "reply"
    PAY = "pay"
    NOTE = "note"
    ASSIGN = "assign"
    CLOSE = "close"
    REQUEUE = "requeue"


SENDS = frozenset({Verb.APPROVE, Verb.DECLINE, Verb.REPLY})
"""What is held back for a while, because a letter cannot be fetched back."""

NEEDS: dict[Verb, Permission] = dict.fromkeys(Verb, Permission.WORK) | {
    Verb.APPROVE: Permission.APPROVE,
    Verb.PAY: Permission.APPROVE,
}


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


def _approve(app: App, number: str, actor: str, _details: Details) -> str:
    return operators.approve(app, number, actor)


def _decline(app: App, number: str, actor: str, details: Details) -> str:
    return operators.decline(app, number, actor, _said(details, "rule", "the row of the policy that declines"))


def _reply(app: App, number: str, actor: str, details: Details) -> str:
    return operators.reply(app, number, actor, details.get("text", ""))


def _pay(app: App, number: str, actor: str, details: Details) -> str:
    return operators.confirm_refund(app, number, actor, _said(details, "reference", "the payment's reference"))


def _note(app: App, number: str, actor: str, details: Details) -> str:
    return operators.note(app, number, actor, _said(details, "text", "the note"))


def _assign(app: App, number: str, actor: str, details: Details) -> str:
    return operators.assign(app, number, actor, details.get("to", ""))


def _close(app: App, number: str, actor: str, details: Details) -> str:
    return operators.close(app, number, actor, details.get("reason", ""))


def _requeue(app: App, number: str, actor: str, _details: Details) -> str:
    return operators.requeue(app, number, actor)


_PERFORM: dict[Verb, Callable[[App, str, str, Details], str]] = {
    Verb.APPROVE: _approve,
    Verb.DECLINE: _decline,
    Verb.REPLY: _reply,
    Verb.PAY: _pay,
    Verb.NOTE: _note,
    Verb.ASSIGN: _assign,
    Verb.CLOSE: _close,
    Verb.REQUEUE: _requeue,
}
