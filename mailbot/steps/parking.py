"""Setting aside a mail that no machine can handle: a person gets it, with the reason and a running clock (I2, I9)."""

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from mailbot.act.deadlines import clock_start, start_clock
from mailbot.model.card_numbers import mask_card_numbers
from mailbot.model.case import CaseState, ClockKind
from mailbot.model.mail import MailKind
from mailbot.steps.app import App
from mailbot.store import cases, clocks, mails
from mailbot.store.tables import CaseRow, MailRow

UNREADABLE = "unreadable"

log = structlog.get_logger()


def park(app: App, session: Session, mail: MailRow, problem: str) -> None:
    """Open a case for a mail that could not be handled, for people; card numbers in plain sight are masked."""
    now = app.now()
    raw = mails.raw_bytes(session, mail.sha256)
    mails.replace_raw(session, mail, mask_card_numbers(raw.decode("latin-1")).encode("latin-1"))
    case = cases.open_case(session, subject="", customer=None, language=None, requested_at=mail.received_at, now=now)
    mail.kind = mail.kind or MailKind.UNREADABLE
    mails.park(mail, problem, case.id)
    leave_to_people(session, case, UNREADABLE, now, problem=problem)
    start_reply_clock(app, session, case, mail, running=False)
    log.warning("mail_parked", mail_id=mail.id, case=cases.number_of(case.id), problem=problem)


def leave_to_people(session: Session, case: CaseRow, why: str, now: datetime, **detail: Any) -> None:
    """Put a case into the operators' queue, with why; one that was closed is open again."""
    if case.state == CaseState.CLOSED:
        cases.move(session, case, CaseState.REOPENED, "reopened", now, why=why)
    case.escalation = why
    cases.move(session, case, CaseState.ESCALATED, "escalated", now, why=why, **detail)
    log.info("case_escalated", case=cases.number_of(case.id), why=why)


def start_reply_clock(app: App, session: Session, case: CaseRow, mail: MailRow, *, running: bool) -> datetime:
    """Start the promise of a reply for one mail; ``running`` says that the case may have clocks already.

    Returns:
        The limit that holds now: of the clock that runs already, or of this one.
    """
    terms = app.judgement.policy.clocks[ClockKind.REPLY]
    started_at = clock_start(mail.received_at, mail.stored_at)
    deadline = start_clock(ClockKind.REPLY, terms, started_at, app.settings.shop.zone)
    return clocks.start(session, case.id, deadline, running=running)
