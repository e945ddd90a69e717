"""Acting on a verification link that was used: its case is decided again, with the sender now proven (grade V3)."""

from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from mailbot.model.case import CaseState
from mailbot.model.decision import Outcome
from mailbot.model.reading import Topic
from mailbot.steps.acting import Matter, carry_out
from mailbot.steps.app import App
from mailbot.steps.codes import hash_token
from mailbot.steps.consider import consider, gather
from mailbot.steps.filing import FOLLOW_UP
from mailbot.steps.letters import Thread
from mailbot.steps.parking import leave_to_people
from mailbot.store import cases, mails, orders, proofs, readings
from mailbot.store.tables import CaseRow, ProofRow
from mailbot.store.transaction import transaction

PROVEN_LATE = "proven_late"
_WAITING = frozenset({CaseState.NEW, CaseState.WAITING_FOR_INFORMATION, CaseState.WAITING_FOR_PROOF})
_MOST_TOKEN = 100

log = structlog.get_logger()


def prove_by_link(app: App, token: str) -> bool:
    """Use a link up, and decide its case with the proof, all in one commit.

    Returns:
        Whether it was a live link; what became of the case is not told.

    Source: RELIABILITY.md, Who is the sender, "Verification mail".
    """
    if len(token) > _MOST_TOKEN:
        return False
    with transaction(app.engine, "proving.prove_by_link") as session:
        now, link = app.now(), hash_token(app.instance.message_key, token)
        case_id = proofs.find_case(session, link)
        case = None if case_id is None else cases.lock(session, case_id)
        proof = proofs.use_link(session, link, now)
        if case is None or proof is None:
            return False
        cases.record_event(session, case, "sender_proved", now, actor="customer", proof=proof.id)
        if not _decide(app, session, case, proof, now) and case.state != CaseState.CLOSED:
            leave_to_people(session, case, PROVEN_LATE, now)
        log.info("sender_proved", case=cases.number_of(case.id))
    return True


def _decide(app: App, session: Session, case: CaseRow, proof: ProofRow, now: datetime) -> bool:
    """Decide again; ``False`` where the case is no longer one that waits for this proof."""
    said = [each.reading for each in readings.said_in(session, case.id) or ()]
    gathered = gather(said, said[-1]) if said else None
    booked = orders.find(session, proof.order_key, lock=True)
    late = case.outcome == Outcome.VERIFY_SENDER and case.escalation == FOLLOW_UP
    waits = (late or case.state in _WAITING) and case.order_key == proof.order_key
    if not waits or booked is None or gathered is None or gathered.topic is not Topic.REFUND_REQUEST:
        return False
    matter = Matter(
        app=app,
        session=session,
        case=case,
        mail=mails.latest_of_case(session, case.id),
        thread=Thread(),
        booked=booked,
        reply_by=None,
        now=now,
        proof=proof.id,
    )
    considered = consider(
        gathered,
        booked,
        app.judgement.policy_for(booked),
        given_number=case.order_number,
        requested_at=case.requested_at,
        promised=orders.promised_refunds(session, booked.key, booked.order.currency),
        proof_used=True,
    )
    carry_out(matter, considered)
    return True
