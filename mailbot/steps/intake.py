"""Taking mail in: every UID that the server lists becomes one row with its bytes before anything is marked (P1)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from mailbot.errors import RetryableError
from mailbot.failpoints import AFTER, BEFORE, reach
from mailbot.model.mail import RawMail
from mailbot.ports import Folder, Listed, Mailbox
from mailbot.steps.app import App
from mailbot.steps.parking import park
from mailbot.store import leases, mails
from mailbot.store.mails import FolderLife
from mailbot.store.transaction import reading, transaction

ARCHIVE = "archive"
OTHER_FOLDER_LIFE = "folder_was_remade"
TOO_LARGE = "too_large"

_BATCH = 200
_BATCH_BYTES = 32 * 1024 * 1024
_LARGEST = 25 * 1024 * 1024
_LEASE_LASTS = timedelta(minutes=5)
_SWEEP_EVERY = timedelta(hours=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """The right to look into one folder just now; whoever was overtaken changes nothing more (P1)."""

    app: App
    lease: str
    token: int

    @contextmanager
    def transaction(self, point: str) -> Iterator[Session]:
        """One transaction that commits only while this process still has the lease."""
        with transaction(self.app.engine, point) as session:
            leases.keep_lease(session, self.lease, self.token, self.app.now(), _LEASE_LASTS)
            yield session


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intake:
    """One look into one folder, under its lease."""

    app: App
    folder: Folder
    life: FolderLife
    look: _Look


def take_in(app: App, mailbox: Mailbox) -> int | None:
    """Store everything new of one mailbox, then hint to the server what is stored.

    Returns:
        How many mails were new; ``None`` where another process is at this mailbox.

    Raises:
        RetryableError: the server or the database was not there; what is stored stays stored.
        PermanentError: the server refuses the sign-in or the folder.
    """
    lease = f"poll/{mailbox.name}/{mailbox.folder_name}"
    with transaction(app.engine, "intake.lease_taken") as session:
        token = leases.take_lease(session, lease, app.holder, app.now(), _LEASE_LASTS)
    if token is None:
        return None
    look = _Look(app=app, lease=lease, token=token)
    try:
        reach("imap.opened", BEFORE)
        with mailbox.open() as folder:
            reach("imap.opened", AFTER)
            life = _open_life(look, mailbox, folder)
            return _take_in_folder(_Intake(app=app, folder=folder, life=life, look=look))
    finally:
        with transaction(app.engine, "intake.lease_given_up") as session:
            leases.give_up_lease(session, lease, token, app.now())


def _open_life(look: _Look, mailbox: Mailbox, folder: Folder) -> FolderLife:
    """The folder's present life.

    A server that gives no UIDVALIDITY may give its UIDs anew at any time. Its folder is listed whole at every look, and
    a new life begins as soon as one known UID belongs to another message (P1).
    """
    name = (mailbox.name, mailbox.folder_name)
    if folder.uidvalidity:
        with look.transaction("intake.folder_opened") as session:
            return mails.open_folder(session, *name, folder.uidvalidity, look.app.now())
    uids = folder.uids_after(0)
    listed = [message for at in range(0, len(uids), _BATCH) for message in _listed(folder, uids[at : at + _BATCH])]
    with look.transaction("intake.unnamed_folder_opened") as session:
        return mails.open_unnamed_folder(session, *name, listed, look.app.now())


def _listed(folder: Folder, uids: Sequence[int]) -> list[Listed]:
    reach("imap.listed", BEFORE)
    listed = folder.list_messages(uids)
    reach("imap.listed", AFTER)
    return [listed[uid] for uid in sorted(listed)]


def _take_in_folder(intake: _Intake) -> int:
    app, life = intake.app, intake.life
    sweep = life.swept_at is None or life.swept_at + _SWEEP_EVERY <= app.now()
    uids = _missing_uids(intake, sweep=sweep)
    if uids:
        app.judgement.sandbox.begin()  # it starts while mails are fetched
    stored = 0
    for start in range(0, len(uids), _BATCH):
        listed = _listed(intake.folder, uids[start : start + _BATCH])
        stored += sum(_store(intake, batch) for batch in _by_size(listed))
    _fetch_again(intake)
    with intake.look.transaction("intake.polled") as session:
        mails.record_polled(session, life, app.now(), swept=sweep)
    _mark_stored(intake)
    return stored


def _missing_uids(intake: _Intake, *, sweep: bool) -> list[int]:
    """New UIDs, oldest first; a sweep compares every UID with the rows, and so finds what ever slipped by (I1)."""
    if not sweep:
        return intake.folder.uids_after(intake.life.last_uid)
    listed = intake.folder.uids_after(0)
    with reading(intake.app.engine) as session:
        known = mails.known_uids(session, intake.life)
    return [uid for uid in listed if uid not in known]


def _by_size(listed: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
    """Batches whose bytes fit in memory together."""
    batch: list[Listed] = []
    for message in listed:
        if batch and sum(other.size for other in batch) + message.size > _BATCH_BYTES:
            yield batch
            batch = []
        batch.append(message)
    if batch:
        yield batch


def _store(intake: _Intake, batch: Sequence[Listed]) -> int:
    reach("imap.fetched", BEFORE)
    fetched = list(_fetched(intake.folder, batch))
    reach("imap.fetched", AFTER)
    now = intake.app.now()
    with intake.look.transaction("intake.stored") as session:
        stored = mails.store_mails(session, intake.life, fetched, lambda mail: _held(intake, mail), now)
    intake.app.progress("stored", stored)
    log.info("mails_stored", mailbox=intake.life.mailbox, stored=stored, listed=len(batch))
    return stored


def _fetched(folder: Folder, listed: Sequence[Listed]) -> Iterator[RawMail]:
    yield from folder.fetch([message for message in listed if message.size <= _LARGEST])
    for message in listed:
        if message.size > _LARGEST:
            yield folder.fetch_header(message)


def _held(intake: _Intake, mail: RawMail) -> str | None:
    """Why no machine may act on a mail, for people to read; ``None`` for ordinary mail."""
    answer_from: datetime = intake.app.settings.worker.answer_from or intake.app.instance.answer_from
    if mail.size > _LARGEST:
        return TOO_LARGE
    restored_at = intake.app.instance.restored_at
    if mail.received_at < answer_from or (restored_at is not None and mail.received_at < restored_at):
        return ARCHIVE
    earlier_until = intake.life.earlier_until
    if earlier_until is not None and mail.received_at <= earlier_until:
        return OTHER_FOLDER_LIFE
    return None


def _fetch_again(intake: _Intake) -> None:
    """Try again what the server could not give before; after ten tries a person is told."""
    app, life = intake.app, intake.life
    with reading(app.engine) as session:
        due = mails.refetch_due(session, life, app.now())
    if not due:
        return
    listed = intake.folder.list_messages(due)
    fetched = {mail.uid: mail for mail in _fetched(intake.folder, list(listed.values()))}
    for uid in due:
        mail = fetched.get(uid) or RawMail(
            uid=uid, uidvalidity=life.uidvalidity, received_at=app.now(), size=0, data=None
        )
        with intake.look.transaction("intake.fetched_again") as session:
            given_up = mails.record_refetched(session, life, mail, app.now())
            if given_up is not None:
                park(app, session, mails.get(session, given_up), "the server never gave the message's bytes")


def _mark_stored(intake: _Intake) -> None:
    """Tell the server what is stored: a hint to people, given again at the next poll where it does not take."""
    while True:
        with reading(intake.app.engine) as session:
            uids = mails.unmarked_uids(session, intake.life, _BATCH)
        if not uids:
            return
        try:
            reach("imap.marked", BEFORE)
            intake.folder.mark_stored(uids)
            reach("imap.marked", AFTER)
        except RetryableError as problem:
            log.warning("mails_not_marked", mailbox=intake.life.mailbox, problem=str(problem))
            return
        with intake.look.transaction("intake.marked") as session:
            mails.record_marked(session, intake.life, uids, intake.app.now())
