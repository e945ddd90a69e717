"""Personal data of one address: all that is held of it, and its erasure, which keeps decisions and the audit trail."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from mailbot.errors import InputError
from mailbot.model.book import booked_order_form
from mailbot.model.case import CaseState
from mailbot.store import audit, case_views, history, mails, orders
from mailbot.store.cases import number_of
from mailbot.store.desk_tables import HeldRow
from mailbot.store.tables import (
    CaseEventRow,
    CaseRow,
    DecisionRow,
    MailRow,
    OrderRow,
    OutboxRow,
    RawMailRow,
    SilencedRow,
)

ERASED = "erased"


class OpenCaseError(InputError):
    """A case of the address is still open, so that its data is needed."""

    def __init__(self, numbers: Sequence[str]) -> None:
        """Name them."""
        self.numbers = tuple(numbers)
        super().__init__(f"still open: {', '.join(numbers)}; close them first with mailbot case close, then erase")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was erased, in numbers."""

    cases: int
    mails: int
    letters: int
    orders: int


def export(session: Session, address: str, now: datetime) -> dict[str, Any]:
    """Everything that is held of an address, as one JSON form; mails and letters byte for byte in base64."""
    address = address.strip().lower()
    cases = _cases(session, address)
    sent = session.scalars(select(MailRow).where(_of_mails(address, cases)).order_by(MailRow.id)).all()
    letters = session.scalars(select(OutboxRow).where(OutboxRow.recipient == address).order_by(OutboxRow.id)).all()
    keys = session.scalars(select(OrderRow.key).where(OrderRow.customer_email == address)).all()
    return {
        "address": address,
        "at": now.isoformat(),
        "orders": [booked_order_form(booked) for booked in orders.find_all(session, keys).values()],
        "cases": [case_views.show_case(session, case, now) for case in cases],
        "mails": [
            {"received_at": row.received_at.isoformat(), "raw": _encoded(mails.raw_bytes(session, row.sha256))}
            for row in sent
        ],
        "letters": [{"created_at": row.created_at.isoformat(), "raw": _encoded(row.content)} for row in letters],
        "silenced": session.get(SilencedRow, address) is not None,
    }


def erase(session: Session, address: str, pseudonym: str, actor: str, now: datetime) -> Erased:
    """Replace an address and all that it wrote and was written; decisions, sums, times and the audit stay.

    Raises:
        OpenCaseError: a case of it is not closed yet.
    """
    address = address.strip().lower()
    cases = _cases(session, address)
    still_open = [number_of(case.id) for case in cases if case.state != CaseState.CLOSED]
    if still_open:
        raise OpenCaseError(still_open)
    erased = Erased(
        cases=len(cases),
        mails=_erase_mails(session, address, cases, pseudonym),
        letters=_erase_letters(session, address, pseudonym),
        orders=_erase_orders(session, address),
    )
    for case in cases:
        _erase_case(session, case, pseudonym)
    session.execute(delete(SilencedRow).where(SilencedRow.address == address))
    audit.record(session, actor, ERASED, pseudonym, now, cases=erased.cases, mails=erased.mails)
    return erased


def _cases(session: Session, address: str) -> Sequence[CaseRow]:
    """The cases that correspond with an address, or are about an order of it."""
    keys = select(OrderRow.key).where(OrderRow.customer_email == address)
    theirs = select(CaseRow).where(or_(CaseRow.customer == address, CaseRow.order_key.in_(keys)))
    return session.scalars(theirs.order_by(CaseRow.id)).all()


def _of_mails(address: str, cases: Sequence[CaseRow]) -> Any:
    """Mails that the address sent; of its own cases also those whose sender nobody could read."""
    ids = [case.id for case in cases if case.customer in {address, None}]
    return or_(MailRow.sender == address, (MailRow.case_id.in_(ids)) & MailRow.sender.is_(None))


def _erase_mails(session: Session, address: str, cases: Sequence[CaseRow], pseudonym: str) -> int:
    rows = session.scalars(select(MailRow).where(_of_mails(address, cases))).all()
    hashes = {row.sha256 for row in rows if row.sha256 is not None}
    for row in rows:
        row.sha256, row.reading, row.message_id, row.sender, row.problem = None, None, None, pseudonym, ERASED
    session.flush()
    shared = set(session.scalars(select(MailRow.sha256).where(MailRow.sha256.in_(hashes))))
    session.execute(delete(RawMailRow).where(RawMailRow.sha256.in_(hashes - shared)))
    return len(rows)


def _erase_letters(session: Session, address: str, pseudonym: str) -> int:
    rows = session.scalars(select(OutboxRow).where(OutboxRow.recipient == address)).all()
    for row in rows:
        row.recipient, row.content = pseudonym, b""
    return len(rows)


def _erase_orders(session: Session, address: str) -> int:
    theirs = update(OrderRow).where(OrderRow.customer_email == address)
    gone = session.scalars(theirs.values(customer_name=None, customer_email=None).returning(OrderRow.key))
    return len(gone.all())


def _erase_case(session: Session, case: CaseRow, pseudonym: str) -> None:
    case.customer, case.subject, case.tracking = pseudonym, "", None
    session.execute(update(DecisionRow).where(DecisionRow.case_id == case.id).values(sender_why=ERASED))
    session.execute(update(HeldRow).where(HeldRow.case_id == case.id).values(details={}))
    for event in session.scalars(select(CaseEventRow).where(CaseEventRow.case_id == case.id)):
        if any(word in event.detail for word in history.WORDS):
            event.detail = history.without_words(event.detail)


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
