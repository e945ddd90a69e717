"""Calls of webhooks as rows: queued once for each thing that happened, tried until they are answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from mailbot.model.case import CaseState
from mailbot.store.desk_tables import WebhookCallRow, WebhookCallState, WebhookMarkRow
from mailbot.store.tables import CaseEventRow
from mailbot.store.upsert import insert_all_absent, insert_if_absent

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440))
"""Between one try and the next; after the last one the call has failed."""

_LOOK_BACK = 2_000


def news_of(session: Session, hook: str) -> list[CaseEventRow]:
    """Cases that were escalated or whose refund became due since the webhook was last asked about, and some before.

    Transactions on PostgreSQL end in another order than their events are numbered, so the last 2,000 numbers are looked
    through again; queueing what is queued already changes nothing. A webhook that is new hears nothing of the past.
    """
    newest = session.scalar(select(func.max(CaseEventRow.id))) or 0
    if insert_if_absent(session, WebhookMarkRow, {"hook": hook, "event_id": newest, "born_after": newest}):
        return []
    mark = session.get_one(WebhookMarkRow, hook, with_for_update=True)
    told = or_(CaseEventRow.kind == "escalated", CaseEventRow.to_state == CaseState.REFUND_DUE)
    since = (CaseEventRow.id > mark.event_id - _LOOK_BACK, CaseEventRow.id > mark.born_after, told)
    mark.event_id = newest
    return list(session.scalars(select(CaseEventRow).where(*since).order_by(CaseEventRow.id)))


def queue(session: Session, calls: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """Queue calls; returns how many are new."""
    fresh = {"state": WebhookCallState.QUEUED, "attempts": 0, "created_at": now, "due_at": now}
    return insert_all_absent(session, WebhookCallRow, [{**call, **fresh} for call in calls])


def take_next_due(session: Session, now: datetime) -> WebhookCallRow | None:
    """Take the call that has been due the longest; its next try is set before this one, which a crash may cut short."""
    due = select(WebhookCallRow.id, WebhookCallRow.attempts).where(
        WebhookCallRow.state == WebhookCallState.QUEUED, WebhookCallRow.due_at <= now
    )
    for row_id, attempts in session.execute(due.order_by(WebhookCallRow.due_at, WebhookCallRow.id).limit(10)):
        mine = (WebhookCallRow.id == row_id, WebhookCallRow.attempts == attempts)
        later = now + PAUSES[min(attempts, len(PAUSES) - 1)]
        taken: WebhookCallRow | None = session.scalar(
            update(WebhookCallRow)
            .where(*mine, WebhookCallRow.state == WebhookCallState.QUEUED)
            .values(attempts=attempts + 1, due_at=later)
            .returning(WebhookCallRow)
        )
        if taken is not None:
            return taken
    return None


def finish(session: Session, call: WebhookCallRow, problem: str | None, *, for_good: bool) -> None:
    """Note how a try ended; ``problem`` is ``None`` where it was answered, ``for_good`` ends all tries."""
    over = for_good or call.attempts > len(PAUSES)
    state = WebhookCallState.DONE if problem is None else WebhookCallState.FAILED if over else WebhookCallState.QUEUED
    mine = update(WebhookCallRow).where(WebhookCallRow.id == call.id)
    session.execute(mine.values(state=state, problem=problem))


def counts(session: Session) -> list[tuple[str, str, int, str | None]]:
    """By webhook and state: how many calls, and the last of their problems."""
    columns = (WebhookCallRow.hook, WebhookCallRow.state)
    found = select(*columns, func.count(), func.max(WebhookCallRow.problem)).group_by(*columns).order_by(*columns)
    return [(hook, state, count, problem) for hook, state, count, problem in session.execute(found)]
