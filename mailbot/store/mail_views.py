"""Mails as people look for them: parked ones with their reason, and machines' mail of people whom the shop knows."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from mailbot.errors import InputError
from mailbot.model.mail import MailKind
from mailbot.store.cases import number_of
from mailbot.store.tables import CaseRow, MailRow, MailState, OrderRow

_MOST = 1000


class MailNotFoundError(InputError):
    """No mail has this id."""

    def __init__(self, mail_id: int) -> None:
        """Keep the id."""
        self.mail_id = mail_id
        super().__init__(f"there is no mail {mail_id}; mailbot mail list shows those that need a person")


def list_mails(session: Session, states: Sequence[MailState]) -> Iterator[dict[str, Any]]:
    """Mails in these states, newest first, a thousand at most."""
    return _forms(session, select(MailRow).where(MailRow.state.in_(states)))


def list_known_machines(session: Session) -> Iterator[dict[str, Any]]:
    """Filed automatic and bulk mail from customers and correspondents: some desks mark what a person wrote (A2, A3)."""
    automatic = MailRow.kind.in_((MailKind.AUTO_REPLY, MailKind.BULK))
    return _forms(session, select(MailRow).where(MailRow.state == MailState.FILED, automatic, _is_known()))


def show_mail(session: Session, mail_id: int) -> tuple[MailRow, dict[str, Any]]:
    """One mail and its form.

    Raises:
        MailNotFoundError: there is none.
    """
    row = session.get(MailRow, mail_id)
    if row is None:
        raise MailNotFoundError(mail_id)
    return row, _form(row)


def _is_known() -> ColumnElement[bool]:
    return or_(
        MailRow.sender.in_(select(OrderRow.customer_email).where(OrderRow.customer_email.is_not(None))),
        MailRow.sender.in_(select(CaseRow.customer).where(CaseRow.customer.is_not(None))),
    )


def _forms(session: Session, wanted: Select[MailRow]) -> Iterator[dict[str, Any]]:
    for row in session.scalars(wanted.order_by(MailRow.id.desc()).limit(_MOST)):
        yield _form(row)


def _form(row: MailRow) -> dict[str, Any]:
    return {
        "mail": row.id,
        "state": row.state,
        "kind": row.kind,
        "problem": row.problem,
        "held": row.held,
        "case": None if row.case_id is None else number_of(row.case_id),
        "received_at": _written(row.received_at),
        "mailbox": f"{row.mailbox}/{row.folder}",
        "uid": row.uid,
        "size": row.size,
        "sender": row.sender,
        "message_id": row.message_id,
        "attempts": row.attempts,
    }


def _written(moment: datetime) -> str:
    return moment.isoformat()
