"""Mails as they came, which of them are still to be worked on, and what was read out of each. Source: P1, P2."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import zstandard
from sqlalchemy import and_, bindparam, delete, func, or_, select, union_all, update
from sqlalchemy.orm import Session

from mailbot.model.mail import MailKind, RawMail
from mailbot.ports import Listed
from mailbot.store.prepared import Prepared
from mailbot.store.tables import FolderRow, MailRow, MailState, RawMailRow
from mailbot.store.upsert import insert_all_absent, insert_if_absent

MOST_ATTEMPTS = 3
MOST_FETCHES = 10
_CLAIM_LASTS = timedelta(minutes=10)
_POSTPONED_BY = timedelta(minutes=1)
_MOST_MESSAGE_ID = 250

_WAITING = and_(
    MailRow.state == MailState.STORED,
    or_(MailRow.next_try_at.is_(None), MailRow.next_try_at <= bindparam("moment")),
)
_FRESH = (
    select(MailRow)
    .where(_WAITING, MailRow.attempts == 0)
    .order_by(MailRow.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_TRIED = (
    select(MailRow)
    .where(
        or_(_WAITING, and_(MailRow.state == MailState.PROCESSING, MailRow.next_try_at <= bindparam("moment"))),
        MailRow.attempts.between(1, MOST_ATTEMPTS - 1),
    )
    .order_by(MailRow.attempts, MailRow.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_CLAIMED = (
    select(MailRow)
    .where(MailRow.id.in_(bindparam("mail_ids", expanding=True)), MailRow.state == MailState.PROCESSING)
    .order_by(MailRow.id)
    .with_for_update()
)
_OTHERS = select(MailRow.id, MailRow.content_key).where(
    MailRow.id != bindparam("mail_id"), MailRow.duplicate_of.is_(None)
)
_RELATIVES = Prepared(  # not one question with an "or": SQLite would look through all mails for it
    union_all(
        _OTHERS.where(MailRow.content_key == bindparam("key")), _OTHERS.where(MailRow.message_id == bindparam("named"))
    ).order_by("id")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderLife:
    """One UIDVALIDITY of a folder.

    Attributes:
        last_uid: every UID up to it has a row.
        earlier_until: newest mail of the folder's earlier life; ``None`` if this is its first.
        swept_at: when all UIDs were last compared with the rows.
    """

    id: int
    mailbox: str
    folder: str
    uidvalidity: int
    last_uid: int
    earlier_until: datetime | None
    swept_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenMail:
    """One mail that this process is to work on; ``attempt`` fences off a slower process that had it before."""

    id: int
    attempt: int
    raw: bytes
    received_at: datetime
    stored_at: datetime
    held: str | None


def open_folder(session: Session, mailbox: str, folder: str, uidvalidity: int, now: datetime) -> FolderLife:
    """The folder's present life; a new UIDVALIDITY begins a new one, to be read from its first UID on."""
    fresh = {"mailbox": mailbox, "folder": folder, "uidvalidity": uidvalidity, "last_uid": 0, "opened_at": now}
    insert_if_absent(session, FolderRow, fresh)
    lives = select(FolderRow).where(FolderRow.mailbox == mailbox, FolderRow.folder == folder)
    row = session.scalars(lives.where(FolderRow.uidvalidity == uidvalidity)).one()
    earlier = lives.where(FolderRow.id != row.id).with_only_columns(func.max(FolderRow.high_water_at))
    return FolderLife(
        id=row.id,
        mailbox=mailbox,
        folder=folder,
        uidvalidity=uidvalidity,
        last_uid=row.last_uid,
        earlier_until=session.scalar(earlier),
        swept_at=row.swept_at,
    )


def open_unnamed_folder(
    session: Session, mailbox: str, folder: str, listed: Collection[Listed], now: datetime
) -> FolderLife:
    """The present life of a folder whose server gives no UIDVALIDITY: ours are counted down from -1.

    Args:
        session: one transaction.
        mailbox: the account's name.
        folder: the folder's.
        listed: every message that the server shows now.
        now: the time of the look.
    """
    ours = select(func.min(FolderRow.uidvalidity)).where(FolderRow.mailbox == mailbox, FolderRow.folder == folder)
    newest = min(session.scalar(ours) or -1, -1)
    life = open_folder(session, mailbox, folder, newest, now)
    rows = session.execute(select(MailRow.uid, MailRow.received_at, MailRow.size).where(*_of(life)))
    known = {uid: (received_at, size) for uid, received_at, size in rows}
    is_same = all(known.get(each.uid) in {None, (each.received_at, each.size)} for each in listed)
    return life if is_same else open_folder(session, mailbox, folder, newest - 1, now)


def store_mails(
    session: Session, life: FolderLife, mails: Sequence[RawMail], held: Callable[[RawMail], str | None], now: datetime
) -> int:
    """Store raw bytes and rows of one batch and move the folder's counter on; storing a mail again changes nothing.

    Args:
        session: one transaction; nothing on the server may be marked before it has committed.
        life: the folder's.
        mails: a mail without bytes is kept as ``fetch_failed``, to be fetched again later.
        held: says why no machine may act on a mail, or ``None``.
        now: the time of storing.

    Returns:
        How many were new.
    """
    compressor = zstandard.ZstdCompressor()
    hashes = [None if mail.data is None else hashlib.sha256(mail.data).hexdigest() for mail in mails]
    raws = {
        sha256: {"sha256": sha256, "size": len(mail.data), "content": compressor.compress(mail.data)}
        for mail, sha256 in zip(mails, hashes, strict=True)
        if mail.data is not None and sha256 is not None
    }
    insert_all_absent(session, RawMailRow, list(raws.values()))
    rows = [_fresh_row(life, mail, sha256, held(mail), now) for mail, sha256 in zip(mails, hashes, strict=True)]
    new = insert_all_absent(session, MailRow, rows)
    folder = session.get_one(FolderRow, life.id)
    folder.last_uid = max([folder.last_uid, *(mail.uid for mail in mails)])
    folder.high_water_at = max(
        [mail.received_at for mail in mails] + ([folder.high_water_at] if folder.high_water_at else [])
    )
    return new


def _fresh_row(life: FolderLife, mail: RawMail, sha256: str | None, held: str | None, now: datetime) -> dict[str, Any]:
    return {
        "mailbox": life.mailbox,
        "folder": life.folder,
        "uidvalidity": life.uidvalidity,
        "uid": mail.uid,
        "received_at": mail.received_at,
        "stored_at": now,
        "size": mail.size,
        "sha256": sha256,
        "state": MailState.FETCH_FAILED if sha256 is None else MailState.STORED,
        "attempts": 1 if sha256 is None else 0,
        "next_try_at": now + _fetch_pause(1) if sha256 is None else None,
        "held": held,
    }


def _fetch_pause(attempts: int) -> timedelta:
    return timedelta(minutes=2 ** min(attempts, 8))


def refetch_due(session: Session, life: FolderLife, now: datetime) -> list[int]:
    """UIDs that could not be fetched before and are due for another try."""
    failed = select(MailRow.uid).where(*_of(life), MailRow.state == MailState.FETCH_FAILED, MailRow.next_try_at <= now)
    return list(session.scalars(failed.order_by(MailRow.uid)))


def record_refetched(session: Session, life: FolderLife, mail: RawMail, now: datetime) -> int | None:
    """Note another try to fetch a mail.

    Returns:
        The mail's id where this was the last try, so that it must be parked; otherwise ``None``.
    """
    row = session.scalars(select(MailRow).where(*_of(life), MailRow.uid == mail.uid)).one()
    if mail.data is not None:
        sha256 = hashlib.sha256(mail.data).hexdigest()
        content = zstandard.ZstdCompressor().compress(mail.data)
        insert_if_absent(session, RawMailRow, {"sha256": sha256, "size": len(mail.data), "content": content})
        row.sha256, row.state, row.attempts, row.next_try_at = sha256, MailState.STORED, 0, None
        return None
    row.attempts += 1
    row.next_try_at = now + _fetch_pause(row.attempts)
    return row.id if row.attempts >= MOST_FETCHES else None


def known_uids(session: Session, life: FolderLife) -> set[int]:
    """Every UID of this life that has a row (I1)."""
    return set(session.scalars(select(MailRow.uid).where(*_of(life))))


def unmarked_uids(session: Session, life: FolderLife, most: int) -> list[int]:
    """UIDs whose mail is stored but not yet marked so on the server; the hint is given again until it took."""
    stored = select(MailRow.uid).where(*_of(life), MailRow.marked_at.is_(None), MailRow.sha256.is_not(None))
    return list(session.scalars(stored.order_by(MailRow.uid).limit(most)))


def record_marked(session: Session, life: FolderLife, uids: Collection[int], now: datetime) -> None:
    """Note that the server was told."""
    session.execute(update(MailRow).where(*_of(life), MailRow.uid.in_(uids)).values(marked_at=now))


def record_polled(session: Session, life: FolderLife, now: datetime, *, swept: bool) -> None:
    """Note a complete look at the folder, which P7 misses after 15 minutes."""
    values = {"polled_at": now, "swept_at": now} if swept else {"polled_at": now}
    session.execute(update(FolderRow).where(FolderRow.id == life.id).values(**values))


def is_read_until(session: Session, mailboxes: Collection[str], moment: datetime) -> bool:
    """Whether each mailbox was looked at completely since then, and nothing that came by then waits to be handled."""
    looked = select(FolderRow.mailbox).where(FolderRow.polled_at >= moment).distinct()
    waiting = select(MailRow.id).where(
        MailRow.state.in_([MailState.FETCH_FAILED, MailState.STORED, MailState.PROCESSING]),
        MailRow.received_at <= moment,
    )
    return set(mailboxes) <= set(session.scalars(looked)) and session.scalar(waiting.limit(1)) is None


def release_claims(session: Session, is_dead: Callable[[str], bool]) -> None:
    """Give back the mails that a process had taken when it died."""
    holders = session.scalars(select(MailRow.taken_by).where(MailRow.state == MailState.PROCESSING).distinct())
    dead = [holder for holder in holders if holder is not None and is_dead(holder)]
    if dead:
        claimed = update(MailRow).where(MailRow.state == MailState.PROCESSING, MailRow.taken_by.in_(dead))
        session.execute(claimed.values(state=MailState.STORED, taken_by=None, next_try_at=None))


def take_fresh(session: Session, holder: str, now: datetime, most: int) -> list[TakenMail]:
    """Take the oldest mails that are due and were never tried; each attempt is counted before it is made (I2).

    Commit before working on them. A crash leaves them ``processing``, to be taken again later.
    """
    return _take(session, session.scalars(_FRESH, {"moment": now, "most": most}).all(), holder, now)


def take_tried(session: Session, holder: str, now: datetime) -> list[TakenMail]:
    """Take one mail whose earlier attempt ended badly; alone, so that it costs no other an attempt."""
    return _take(session, session.scalars(_TRIED, {"moment": now}).all(), holder, now)


def _take(session: Session, taken: Sequence[MailRow], holder: str, now: datetime) -> list[TakenMail]:
    if not taken:
        return []
    for row in taken:
        row.state, row.taken_by, row.next_try_at = MailState.PROCESSING, holder, now + _CLAIM_LASTS
        row.attempts += 1
    hashes = {row.sha256 for row in taken}
    raws = {
        raw.sha256: _unpacked(raw) for raw in session.scalars(select(RawMailRow).where(RawMailRow.sha256.in_(hashes)))
    }
    return [
        TakenMail(
            id=row.id,
            attempt=row.attempts,
            raw=raws.get(row.sha256 or "", b""),
            received_at=row.received_at,
            stored_at=row.stored_at,
            held=row.held,
        )
        for row in taken
    ]


def replace_raw(session: Session, mail: MailRow, data: bytes) -> None:
    """Keep these bytes in place of a mail's own, of which nothing is left; copies of the same bytes go with it."""
    before, sha256 = mail.sha256, hashlib.sha256(data).hexdigest()
    if before is None or before == sha256:
        return
    content = zstandard.ZstdCompressor().compress(data)
    insert_if_absent(session, RawMailRow, {"sha256": sha256, "size": len(data), "content": content})
    session.execute(update(MailRow).where(MailRow.sha256 == before).values(sha256=sha256))
    session.execute(delete(RawMailRow).where(RawMailRow.sha256 == before))


def raw_bytes(session: Session, sha256: str | None) -> bytes:
    """The bytes as the mailbox held them; empty where they could never be fetched."""
    raw = None if sha256 is None else session.get(RawMailRow, sha256)
    return b"" if raw is None else _unpacked(raw)


def _unpacked(raw: RawMailRow) -> bytes:
    return zstandard.ZstdDecompressor().decompress(raw.content, max_output_size=raw.size)


def get(session: Session, mail_id: int) -> MailRow:
    """A mail by its id."""
    return session.get_one(MailRow, mail_id)


def latest_of_case(session: Session, case_id: int) -> MailRow:
    """The newest mail of a case; every case began with one."""
    mine = select(MailRow).where(MailRow.case_id == case_id)
    return session.scalars(mine.order_by(MailRow.received_at.desc(), MailRow.id.desc()).limit(1)).one()


def claimed(session: Session, taken: Collection[TakenMail]) -> dict[int, MailRow]:
    """The rows of those mails that this process still holds, locked, by id; others took the rest over meanwhile."""
    attempts = {mail.id: mail.attempt for mail in taken}
    rows = session.scalars(_CLAIMED, {"mail_ids": list(attempts)})
    return {row.id: row for row in rows if row.attempts == attempts[row.id]}


def find_relatives(
    session: Session, mail: MailRow, content_key: str, message_id: str | None
) -> tuple[int | None, int | None]:
    """Earlier mails that this one repeats: one of equal content (I3), and one of the same Message-ID only."""
    named = None if message_id is None else message_id[:_MOST_MESSAGE_ID]
    rows = _RELATIVES.all(session, key=content_key, named=named, mail_id=mail.id)
    twin = next((row.id for row in rows if row.content_key == content_key), None)
    return twin, next((row.id for row in rows if row.content_key != content_key), None)


def count_of_kind(session: Session, kind: MailKind, since: datetime) -> int:
    """How many mails of a kind were stored since then."""
    recent = select(func.count()).select_from(MailRow).where(MailRow.kind == kind, MailRow.stored_at > since)
    return session.scalars(recent).one()


def record_reading(
    mail: MailRow, *, kind: MailKind, content_key: str, message_id: str | None, sender: str | None, form: str
) -> None:
    """Keep what was read out of a mail."""
    mail.kind, mail.content_key, mail.sender, mail.reading = kind, content_key, sender, form
    mail.message_id = None if message_id is None else message_id[:_MOST_MESSAGE_ID]


def finish(mail: MailRow, state: MailState, case_id: int | None = None) -> None:
    """Bring a mail to its end: handled, filed or a duplicate."""
    mail.state, mail.taken_by, mail.next_try_at, mail.case_id = state, None, None, case_id


def give_back(session: Session, taken: TakenMail, now: datetime) -> None:
    """Leave a mail for a later pass because something around it did not work; that costs it no attempt."""
    mine = update(MailRow).where(
        MailRow.id == taken.id, MailRow.state == MailState.PROCESSING, MailRow.attempts == taken.attempt
    )
    again_at = now + _POSTPONED_BY
    session.execute(
        mine.values(state=MailState.STORED, attempts=taken.attempt - 1, taken_by=None, next_try_at=again_at)
    )


def record_failure(mail: MailRow, problem: str) -> bool:
    """Note a failed attempt; the mail is due again at once, behind all others.

    Returns:
        Whether it was the last one, so that the mail must be parked.
    """
    mail.problem, mail.taken_by, mail.state = problem, None, MailState.STORED
    mail.next_try_at = None
    return mail.attempts >= MOST_ATTEMPTS


def park(mail: MailRow, problem: str, case_id: int) -> None:
    """Set a mail aside for a person, with its reason; the queue goes on."""
    finish(mail, MailState.PARKED, case_id)
    mail.problem = problem


def requeue(session: Session, case_id: int) -> int:
    """Take parked mails of a case out of it, to be read again; returns how many."""
    parked = select(MailRow).where(MailRow.case_id == case_id, MailRow.state == MailState.PARKED)
    rows = session.scalars(parked.where(MailRow.sha256.is_not(None))).all()
    for row in rows:
        finish(row, MailState.STORED)
        row.attempts, row.content_key, row.reading, row.kind = 0, None, None, None
    return len(rows)


def take_exhausted(session: Session, now: datetime) -> list[MailRow]:
    """Mails whose last attempt ended in a crash and that must be parked."""
    spent = select(MailRow).where(
        MailRow.state.in_([MailState.STORED, MailState.PROCESSING]),
        MailRow.attempts >= MOST_ATTEMPTS,
        or_(MailRow.next_try_at.is_(None), MailRow.next_try_at <= now),
    )
    return list(session.scalars(spent.with_for_update(skip_locked=True)))


def _of(life: FolderLife) -> Iterable[Any]:
    return (
        MailRow.mailbox == life.mailbox,
        MailRow.folder == life.folder,
        MailRow.uidvalidity == life.uidvalidity,
    )
