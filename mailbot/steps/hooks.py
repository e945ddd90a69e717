"""Telling other systems of what happened: queued from the history, signed, called until they answer.

A body holds case numbers, times and sums, nothing of a customer. ``X-Mailbot-Signature`` is ``t=<seconds>,v1=<hex>``:
the HMAC-SHA256 of ``<seconds>.<body>`` by the webhook's secret. ``X-Mailbot-Id`` is the same at every try of one call.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from mailbot.errors import InputError, PermanentError, RetryableError
from mailbot.model.refund import PROMISED
from mailbot.ports import WebhookCaller
from mailbot.settings import Webhook, WebhookEvent
from mailbot.steps.app import App
from mailbot.store import cases, refunds, webhooks
from mailbot.store.desk_tables import WebhookCallRow
from mailbot.store.tables import CaseEventRow, ClockRow
from mailbot.store.transaction import transaction

_LONGEST_KEY = 64

log = structlog.get_logger()


def tell_others(app: App) -> int:
    """Queue what is new and call every webhook that is due; returns how many were answered."""
    if app.webhooks is None or not app.settings.webhooks:
        return 0
    with transaction(app.engine, "hooks.queued") as session:
        for hook in app.settings.webhooks:
            calls = [_call(hook, event) for event in _of_history(session, hook)]
            webhooks.queue(session, calls, app.now())
    answered = 0
    while (call := _take(app)) is not None:
        answered += _make(app, app.webhooks, call)
    return answered


def queue_breaches(app: App, session: Session, fired: Sequence[ClockRow], now: datetime) -> None:
    """Queue the promises that were broken just now, in the commit that noticed it."""
    broken = [clock for clock in fired if clock.level == "limit"]
    for hook in app.settings.webhooks:
        if WebhookEvent.BREACHED in hook.events:
            webhooks.queue(session, [_call(hook, _breach(clock)) for clock in broken], now)


def queue_alarm(app: App, session: Session, name: str, text: str, now: datetime) -> None:
    """Queue that something is wrong with mailbot itself, beside the mail to operators; once for each name (P7)."""
    for hook in app.settings.webhooks:
        if WebhookEvent.ALARM in hook.events:
            key = _short(f"alarm-{name}")
            event: _Event = {"key": key, "event": WebhookEvent.ALARM, "at": now.isoformat(), "text": text}
            webhooks.queue(session, [_call(hook, event)], now)


def _short(key: str) -> str:
    """A key that fits its column, and still no other's."""
    return key if len(key) <= _LONGEST_KEY else f"{key[:31]}-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


_Event = dict[str, Any]


def _breach(clock: ClockRow) -> _Event:
    return {
        "key": f"clock-{clock.id}",
        "event": WebhookEvent.BREACHED,
        "case": cases.number_of(clock.case_id),
        "at": clock.due_at.isoformat(),
        "promise": clock.kind,
    }


def _of_history(session: Session, hook: Webhook) -> Iterator[_Event]:
    for row in webhooks.news_of(session, hook.name):
        kind = WebhookEvent.ESCALATED if row.kind == "escalated" else WebhookEvent.REFUND_DUE
        if kind in hook.events:
            yield {
                "key": f"event-{row.id}",
                "event": kind,
                "case": cases.number_of(row.case_id),
                "at": row.at.isoformat(),
                **(_why(row) if kind is WebhookEvent.ESCALATED else _sum(session, row)),
            }


def _why(row: CaseEventRow) -> dict[str, Any]:
    return {"why": row.detail.get("why")}


def _sum(session: Session, row: CaseEventRow) -> dict[str, Any]:
    promised = refunds.of_case(session, row.case_id, PROMISED)
    amount = refunds.amount_of(promised[-1]) if promised else None
    return {"amount": amount and str(amount), "currency": amount and amount.currency}


def _call(hook: Webhook, event: _Event) -> dict[str, Any]:
    body = {"id": f"{hook.name}/{event['key']}", **{name: event[name] for name in event if name != "key"}}
    return {"hook": hook.name, "key": event["key"], "event": event["event"], "body": json.dumps(body)}


def _take(app: App) -> WebhookCallRow | None:
    with transaction(app.engine, "hooks.taken") as session:
        return webhooks.take_next_due(session, app.now())


def _make(app: App, caller: WebhookCaller, call: WebhookCallRow) -> bool:
    hooks = {hook.name: hook for hook in app.settings.webhooks}
    problem, for_good = "the configuration has no such webhook any more", True
    if call.hook in hooks:
        problem, for_good = _tried(caller, hooks[call.hook], call, app.now())
    with transaction(app.engine, "hooks.called") as session:
        webhooks.finish(session, call, problem or None, for_good=for_good)
    if problem:
        log.warning("webhook_failed", why=call.hook, problem=problem)
    return not problem


def _tried(caller: WebhookCaller, hook: Webhook, call: WebhookCallRow, now: datetime) -> tuple[str, bool]:
    """Make a call; returns what was wrong with it, and whether that is for good."""
    try:
        caller.call(hook.url, call.body.encode(), _headers(hook, call, now), private=hook.private)
    except (RetryableError, InputError) as trouble:
        return str(trouble), False
    except PermanentError as refusal:
        return str(refusal), True
    return "", False


def _headers(hook: Webhook, call: WebhookCallRow, now: datetime) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-Mailbot-Event": call.event,
        "X-Mailbot-Id": f"{call.hook}/{call.key}",
        "X-Mailbot-Signature": signature(hook.secret(), call.body, int(now.timestamp())),
    }


def signature(secret: str, body: str, seconds: int) -> str:
    """What a receiver reckons again, and compares; one that is minutes old should be refused."""
    digest = hmac.new(secret.encode(), f"{seconds}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
