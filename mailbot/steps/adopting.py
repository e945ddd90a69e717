"""Finding in a folder of sent mail what stands in doubt, or what a restored copy holds as unsent. Source: P3, P6."""

from datetime import datetime

import structlog

from mailbot.errors import PermanentError, RetryableError
from mailbot.steps import sending
from mailbot.steps.app import App
from mailbot.store import cases, outbox, switch
from mailbot.store.transaction import reading, transaction

ADOPTED = "letter_found_sent"

log = structlog.get_logger()


def adopt_sent(app: App) -> int:
    """Take every letter as sent that lies in a folder of sent mail; it is never sent again.

    Looked for are letters in doubt, and while a restored copy stands still, those that wait in it for a person's yes.

    Returns:
        How many were found.
    """
    with reading(app.engine) as session:
        restored_at = app.instance.restored_at
        copied_at = None if restored_at is None or switch.find_frozen(session) is None else restored_at
        doubtful = {row.message_id: row.created_at for row in outbox.find_doubtful(session, copied_at)}
    found = _sent_since(app, min(doubtful.values())) & doubtful.keys() if doubtful else set()
    if not found:
        return 0
    for message_id in sorted(found):
        with transaction(app.engine, "adopt.sent") as session:
            for row in outbox.find_by_message_ids(session, (message_id,)):
                if row.case_id is not None:
                    cases.record_event(session, cases.lock(session, row.case_id), ADOPTED, app.now(), message=row.id)
                sending.record_sent(app, session, row)
    return len(found)


def _sent_since(app: App, moment: datetime) -> set[str]:
    """Message-IDs in every mailbox's folder of sent mail; one that cannot be read now is tried again later."""
    sent: set[str] = set()
    for mailbox in app.mailboxes:
        try:
            sent |= mailbox.sent_ids(moment)
        except (RetryableError, PermanentError) as problem:
            log.warning("sent_folder_not_read", mailbox=mailbox.name, problem=str(problem))
    return sent
