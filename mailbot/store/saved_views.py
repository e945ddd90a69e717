"""Views of the queue that people keep by a name."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mailbot.errors import InputError
from mailbot.store.desk_tables import SavedViewRow

_LONGEST = 60
_MOST = 30


def of(session: Session, owner: str) -> list[SavedViewRow]:
    """Somebody's views, by name."""
    return list(session.scalars(select(SavedViewRow).where(SavedViewRow.owner == owner).order_by(SavedViewRow.name)))


def save(session: Session, owner: str, name: str, query: str) -> None:
    """Keep a view; one of the same name is replaced.

    Raises:
        InputError: it has no name, or there are too many.
    """
    name = " ".join(name.split())[:_LONGEST]
    if not name:
        raise InputError("a view that is kept needs a name")
    if len(of(session, owner)) >= _MOST:
        raise InputError(f"there are {_MOST} saved views already; drop one first")
    drop(session, owner, name)
    session.add(SavedViewRow(owner=owner, name=name, query=query))


def drop(session: Session, owner: str, name: str) -> None:
    """Forget a view."""
    session.execute(delete(SavedViewRow).where(SavedViewRow.owner == owner, SavedViewRow.name == name))
