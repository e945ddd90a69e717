"""What mailbot has not done for too long: no look into a mailbox, letters that do not go, mails set aside (P7)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailbot.store import switch
from mailbot.store.tables import FolderRow, InstanceRow, MailRow, MailState, OutboxRow, OutboxState

_LONGEST_UNPOLLED = timedelta(minutes=15)
_LONGEST_UNSENT = timedelta(hours=1)
_UNSENT = (OutboxState.QUEUED, OutboxState.SENDING, OutboxState.AMBIGUOUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One thing that is wrong; ``text`` says what, and what to look at.

    Attributes:
        once: it is told once for its name, and not every day.
    """

    name: str
    text: str
    once: bool = False


def find_alarms(session: Session, mailboxes: Collection[tuple[str, str]], now: datetime) -> Iterator[Alarm]:
    """Every alarm that holds now.

    Args:
        session: a reading one.
        mailboxes: name and folder of each that the configuration has.
        now: the present time.
    """
    started = session.scalar(select(InstanceRow.first_started_at))
    for mailbox, folder in mailboxes:
        looked = select(func.max(FolderRow.polled_at)).where(FolderRow.mailbox == mailbox, FolderRow.folder == folder)
        last = session.scalar(looked) or started
        if last is not None and last + _LONGEST_UNPOLLED < now:
            text = f"Mailbox {mailbox}: no complete look since {last:%Y-%m-%d %H:%M} UTC; is the worker running?"
            yield Alarm(name=f"unpolled/{mailbox}", text=text)
    unsent = select(func.count()).where(OutboxRow.state.in_(_UNSENT), OutboxRow.created_at < now - _LONGEST_UNSENT)
    if waiting := session.scalars(unsent.select_from(OutboxRow)).one():
        yield Alarm(name="unsent", text=f"{waiting} letters have waited for more than an hour to be sent.")
    parked = select(func.count()).select_from(MailRow).where(MailRow.state == MailState.PARKED)
    if aside := session.scalars(parked).one():
        yield Alarm(name="parked", text=f"{aside} mails are parked: mailbot could not read them, a person must.")
    frozen = switch.find_frozen(session)
    if frozen is not None:
        text = f"Refunds and automatic mail stand still since {frozen.at:%Y-%m-%d %H:%M} UTC: {frozen.reason}"
        yield Alarm(name="frozen", text=text)
