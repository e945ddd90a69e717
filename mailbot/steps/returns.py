"""Approved returns whose parcel does not come: reminded on the due day, expired after the last one (C14).

No clock does this: a clock only tells operators (I9). Each pass looks at the cases instead.
"""

from datetime import datetime

from mailbot.model.case import CaseState, ClockKind, Deadline, DeadlineState
from mailbot.steps.acting import Content, Matter, open_matter, tell_customer
from mailbot.steps.app import App
from mailbot.steps.decided import find_decided
from mailbot.store import cases, clocks, mails
from mailbot.store.transaction import transaction

RETURN_REMINDER, RETURN_EXPIRED = "return_reminder", "return_expired"


def remind_and_expire(app: App) -> int:
    """Remind the customers whose parcel is due, and end the approvals whose last day is over; returns how many."""
    now, changed = app.now(), 0
    with transaction(app.engine, "returns.remind_and_expire") as session:
        waiting = cases.quiet_since(session, CaseState.RETURN_APPROVED, now)
        dispatch = {
            case_id: deadline
            for case_id, found in clocks.deadlines(session, waiting).items()
            for deadline in found
            if deadline.kind is ClockKind.DISPATCH
        }
    for case_id, deadline in dispatch.items():
        state = deadline.state(now)
        if state is DeadlineState.DUE_SOON:
            changed += _remind(app, case_id, deadline)
        elif state is DeadlineState.BREACHED and _has_read_all_until(app, deadline.limit_at):
            changed += _expire(app, case_id, deadline)
    return changed


def _remind(app: App, case_id: int, deadline: Deadline) -> bool:
    with transaction(app.engine, "returns.remind") as session:
        matter = open_matter(app, session, cases.lock(session, case_id))
        if matter.case.state != CaseState.RETURN_APPROVED or cases.has_event(session, case_id, _once(deadline)):
            return False
        told = _tell(matter, RETURN_REMINDER, deadline)
        cases.record_event(session, matter.case, _once(deadline), matter.now, told=told)
        return told


def _once(deadline: Deadline) -> str:
    return f"reminded_{deadline.started_at:%Y%m%d}"


def _expire(app: App, case_id: int, deadline: Deadline) -> bool:
    with transaction(app.engine, "returns.expire") as session:
        matter = open_matter(app, session, cases.lock(session, case_id))
        if matter.case.state != CaseState.RETURN_APPROVED:
            return False
        told = _tell(matter, RETURN_EXPIRED, deadline)
        cases.move(
            session, matter.case, CaseState.EXPIRED, "expired", matter.now, why="no parcel was handed over", told=told
        )
        clocks.meet(session, case_id, matter.now, (ClockKind.DISPATCH,))
        return True


def _tell(matter: Matter, template: str, deadline: Deadline) -> bool:
    decided = find_decided(matter)
    if decided is None:
        return False
    content = Content(decision=decided.decision, settlement=decided.settlement, started=deadline)
    return tell_customer(
        matter,
        template,
        purpose=f"{template}/{matter.case.id}/{deadline.started_at:%Y%m%d%H%M%S}",
        answers=False,
        content=content,
    )


def _has_read_all_until(app: App, moment: datetime) -> bool:
    """Whether every mail that came by then is handled: one of them may say that the parcel is on its way."""
    with transaction(app.engine, "returns.has_read_all_until") as session:
        return mails.is_read_until(session, [mailbox.name for mailbox in app.mailboxes], moment)
