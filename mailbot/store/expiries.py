"""How long certificates and sign-ins are good for, as they were seen last: every process warns of them."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mailbot.model.expiry import Expiry
from mailbot.store.tables import ExpiryRow
from mailbot.store.upsert import upsert_all


def put(session: Session, expiry: Expiry) -> None:
    """Keep how long something is good for, in place of what was known of it."""
    upsert_all(session, ExpiryRow, [{"what": expiry.what, "since": expiry.since, "until": expiry.until}])


def forget(session: Session, what: str) -> None:
    """Something ends at no known time."""
    session.execute(delete(ExpiryRow).where(ExpiryRow.what == what))


def find_all(session: Session) -> list[Expiry]:
    """All that is known, by name."""
    rows = session.scalars(select(ExpiryRow).order_by(ExpiryRow.what))
    return [Expiry(what=row.what, since=row.since, until=row.until) for row in rows]
