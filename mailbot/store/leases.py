"""Who does what just now: leases with fencing tokens, and holders that can be told dead. Source: RELIABILITY.md, P1."""

import os
import socket
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from mailbot.errors import RetryableError
from mailbot.store.tables import LeaseRow
from mailbot.store.upsert import insert_if_absent

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class LeaseLostError(RetryableError):
    """Another process took the lease over; whatever this one still does must not count."""


def this_holder() -> str:
    """This process's name as a holder: host, boot, process id and the process's start, so that none recurs."""
    return f"{socket.gethostname()}/{_boot()}/{os.getpid()}/{_started(os.getpid())}"


def is_dead(holder: str) -> bool:
    """Whether a holder surely runs no more; one on another host may always be alive."""
    host, boot, pid, started = holder.rsplit("/", 3)
    if host != socket.gethostname():
        return False
    return boot != _boot() or _started(int(pid)) != started


def is_of_this_boot(holder: str) -> bool:
    """Whether a holder ran on this machine since it was started last, so that its files hold what it wrote."""
    host, boot, _, _ = holder.rsplit("/", 3)
    return host == socket.gethostname() and boot == _boot()


def take_lease(session: Session, name: str, holder: str, now: datetime, lasts: timedelta) -> int | None:
    """Take or renew a lease.

    Returns:
        Its fencing token, which grows with each new holder; ``None`` while somebody else holds it.
    """
    insert_if_absent(session, LeaseRow, {"name": name, "holder": holder, "until": now + lasts, "token": 1})
    row = session.get_one(LeaseRow, name, populate_existing=True)
    free = or_(LeaseRow.until < now, LeaseRow.holder == holder)
    claim = update(LeaseRow).where(LeaseRow.name == name, LeaseRow.token == row.token)
    if row.holder != holder and not is_dead(row.holder):
        claim = claim.where(free)
    token = row.token + (row.holder != holder)
    return session.scalar(claim.values(holder=holder, until=now + lasts, token=token).returning(LeaseRow.token))


def keep_lease(session: Session, name: str, token: int, now: datetime, lasts: timedelta) -> None:
    """Renew a lease inside a transaction that depends on it.

    Raises:
        LeaseLostError: another holder has it now; the transaction must not commit.
    """
    renewal = update(LeaseRow).where(LeaseRow.name == name, LeaseRow.token == token).values(until=now + lasts)
    if session.scalar(renewal.returning(LeaseRow.token)) is None:
        raise LeaseLostError(f"lease {name!r} was taken over by another process")


def give_up_lease(session: Session, name: str, token: int, now: datetime) -> None:
    """Let the next one have the lease at once."""
    over = now - timedelta.resolution
    session.execute(update(LeaseRow).where(LeaseRow.name == name, LeaseRow.token == token).values(until=over))


def _boot() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _started(pid: int) -> str:
    """The process's start in clock ticks since boot; ``gone`` if it runs no more, ``?`` if this system cannot tell."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        return "?"
    return "?"
