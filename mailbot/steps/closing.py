"""Putting cases away: by a person, by the customer's own word, or after quiet days."""

from datetime import timedelta

from mailbot.model.case import CaseState
from mailbot.steps.acting import Matter, open_matter
from mailbot.steps.app import App
from mailbot.store import cases, clocks, outbox, refunds
from mailbot.store.transaction import transaction

_ENDED = (CaseState.REFUNDED, CaseState.DECLINED, CaseState.EXPIRED)
_UNANSWERED = (CaseState.WAITING_FOR_INFORMATION, CaseState.WAITING_FOR_PROOF)


def put_away(matter: Matter, kind: str, *, why: str, actor: str = "mailbot", **detail: str) -> None:
    """Close a case: its clocks stop, and drafts that waited are taken back."""
    outbox.withdraw_drafts(matter.session, matter.case.id)
    cases.move(matter.session, matter.case, CaseState.CLOSED, kind, matter.now, why=why, actor=actor, **detail)
    clocks.meet(matter.session, matter.case.id, matter.now)


def close_quiet(app: App) -> int:
    """Close the cases that have come to their end, or wait for a customer who does not answer; returns how many."""
    terms, now = app.settings.cases, app.now()
    days = {
        **dict.fromkeys(_ENDED, terms.close_after_days),
        **dict.fromkeys(_UNANSWERED, terms.close_unanswered_after_days),
    }
    with transaction(app.engine, "closing.close_quiet") as session:
        quiet = [
            case_id
            for state, quiet in days.items()
            for case_id in cases.quiet_since(session, state, now - timedelta(quiet))
        ]
    closed = 0
    for case_id in quiet:
        with transaction(app.engine, "closing.close_quiet_2") as session:
            case = cases.lock(session, case_id)
            lasted = days.get(CaseState(case.state))
            busy = lasted is None or case.changed_at > now - timedelta(lasted) or refunds.is_promised(session, case_id)
            if lasted is not None and not busy:
                put_away(open_matter(app, session, case), "closed", why=f"quiet for {lasted} days")
                closed += 1
    return closed
