"""Ordering an action: tried out, refused on a stale page, held back where it sends, and done once in its time."""

from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from mailbot.desk.verbs import SENDS, Details, Verb, perform
from mailbot.errors import InputError, MailbotError, RetryableError
from mailbot.steps.app import App
from mailbot.store import audit, case_views, cases, held, outbox
from mailbot.store.tables import CaseEventRow, OutboxRow
from mailbot.store.transaction import reading, rehearsal, together, transaction

_HARMLESS = frozenset({"noted", "assigned", "snoozed", "order_undone", "order_failed"})
log = structlog.get_logger()


class StaleError(InputError):
    """The case has changed since the page was made; ``events`` is what happened."""

    def __init__(self, number: str, events: list[CaseEventRow]) -> None:
        """Keep what happened apart."""
        self.events = events
        what = ", ".join(f"{event.actor}: {event.kind.replace('_', ' ')}" for event in events)
        super().__init__(f"{number} has changed since you opened it ({what}); nothing was done")


class BusyError(InputError):
    """Another order on the case is still held back."""

    def __init__(self, number: str) -> None:
        """Say what can be done."""
        super().__init__(f"{number}: something was ordered on it seconds ago; undo that first, or wait for it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What became of an order; ``is_held``: it can still be taken back."""

    said: str
    is_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What an action would do: its one line, and the letters as they would go out."""

    said: str
    letters: tuple[OutboxRow, ...]


def rehearse(app: App, number: str, actor: str, verb: Verb, details: Details) -> Rehearsed:
    """Try an action out; nothing of it remains.

    Raises:
        InputError: it does not fit the case.
    """
    with rehearsal(app.engine) as session:
        case = cases.get(session, number)
        before = {row.id for row in outbox.of_case(session, case.id)}
        said = perform(app, number, actor, verb, details)
        session.flush()
        letters = tuple(row for row in outbox.of_case(session, case.id) if row.id not in before)
        session.expunge_all()
    return Rehearsed(said=said, letters=letters)


def order(app: App, number: str, actor: str, verb: Verb, details: Details, *, seen: int | None) -> Ordered:
    """Have an action done: at once, or after it can no longer be taken back where it sends something.

    Args:
        app: the shop's.
        number: of the case.
        actor: who orders it.
        verb: what.
        details: what it needs besides.
        seen: the case's last event on the page that it was ordered on; ``None``: whatever it is now.

    Raises:
        StaleError: the case has changed since.
        BusyError: another order is held back on it.
        InputError: it does not fit the case.
    """
    if verb not in SENDS:
        with together(app.engine) as session:
            _refuse_stale(session, number, seen)
            said = perform(app, number, actor, verb, details)
            _audit(app, session, actor, verb, number)
        return Ordered(said=said, is_held=False)
    with reading(app.engine) as session:
        _refuse_stale(session, number, seen)
    said = rehearse(app, number, actor, verb, details).said
    with transaction(app.engine) as session:
        case = cases.get(session, number, lock=True)
        _refuse_stale(session, number, seen)
        latest = case_views.last_event(session, case.id)
        if not held.hold(session, case.id, actor, verb=verb, details=details, seen=latest, now=app.now()):
            before = held.latest(session, case.id)
            if before is None or (before.actor, before.verb, before.details) != (actor, verb, dict(details)):
                raise BusyError(cases.number_of(case.id))
    return Ordered(said=said, is_held=True)


def undo(app: App, number: str, actor: str) -> str:
    """Take back what is held on a case.

    Raises:
        InputError: its time has come already.
    """
    with transaction(app.engine) as session:
        case = cases.get(session, number, lock=True)
        if not held.undo(session, case.id, app.now()):
            raise InputError(f"{cases.number_of(case.id)}: nothing is held back any more; it was done")
        cases.record_event(session, case, "order_undone", app.now(), actor=actor)
    return f"{number}: taken back"


def dismiss(app: App, number: str) -> None:
    """A person has read why an order could not be done."""
    with transaction(app.engine) as session:
        held.dismiss(session, cases.get(session, number, lock=True).id)


def perform_due(app: App) -> int:
    """Do every order whose time has come, each once; one that no longer fits is shown to people with the reason.

    Returns:
        How many were done.
    """
    with reading(app.engine) as session:
        waiting = held.due(session, app.now())
    return sum(_perform_one(app, held_id) for held_id in waiting)


def _perform_one(app: App, held_id: int) -> bool:
    try:
        with together(app.engine) as session:
            row = held.get_locked(session, held_id)
            if row is None:
                return False
            number = cases.number_of(row.case_id)
            cases.lock(session, row.case_id)
            _refuse_stale(session, number, row.seen)
            perform(app, number, row.actor, Verb(row.verb), row.details)
            held.finish(session, held_id, None)
            _audit(app, session, row.actor, Verb(row.verb), number)
    except RetryableError:
        raise
    except MailbotError as problem:
        _give_up(app, held_id, str(problem))
        return False
    return True


def _give_up(app: App, held_id: int, problem: str) -> None:
    with transaction(app.engine) as session:
        row = held.get_locked(session, held_id)
        if row is None:
            return
        held.finish(session, held_id, problem)
        case = cases.lock(session, row.case_id)
        cases.record_event(session, case, "order_failed", app.now(), actor=row.actor, verb=row.verb, problem=problem)
        log.warning("order_failed", case=cases.number_of(case.id), kind=row.verb)


def _refuse_stale(session: Session, number: str, seen: int | None) -> None:
    if seen is None:
        return
    case = cases.get(session, number)
    events = [one for one in case_views.events_since(session, case.id, seen) if one.kind not in _HARMLESS]
    if events:
        session.expunge_all()
        raise StaleError(cases.number_of(case.id), events)


def _audit(app: App, session: Session, actor: str, verb: Verb, number: str) -> None:
    audit.record(session, actor, verb, number, app.now())
