"""The strict null pipeline: the least that mailbot's promises could cost, with nothing understood and nothing decided.

Fetch 50 at a time, parse, store a case with its event and its outgoing message in one commit a mail, send it, mark it
sent in a commit of its own, flag 50 at a time on the server.
"""

import email
import re
import smtplib
import sqlite3
from pathlib import Path

from imapclient import SEEN, IMAPClient

from tests.servers.accounts import Account

_ORDER = re.compile(rb"[A-Z]{2}-\d{7}")
_AT_ONCE = 50
_TABLES = """
CREATE TABLE cases(id INTEGER PRIMARY KEY, message_id TEXT UNIQUE, sender TEXT, order_number TEXT, body TEXT, raw BLOB);
CREATE TABLE events(id INTEGER PRIMARY KEY, case_id INTEGER, kind TEXT);
CREATE TABLE outbox(id INTEGER PRIMARY KEY, case_id INTEGER UNIQUE, recipient TEXT, content BLOB, sent INTEGER);
"""
_ANSWER = b"From: support@shop.example\r\nTo: %s\r\nSubject: Re: your order\r\n\r\n" + b"We have your message.\r\n" * 40


def run_floor(account: Account, smtp_port: int, database: Path) -> int:
    """Take every mail of the account through it; returns how many."""
    imap = IMAPClient(account.host, port=account.port, ssl=False)
    imap._imap.debug = 0
    imap.login(account.username, account.password)
    imap.select_folder("INBOX")
    smtp = smtplib.SMTP("127.0.0.1", smtp_port)
    store = sqlite3.connect(database, isolation_level=None)
    store.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _TABLES)
    uids = imap.search(["UNSEEN"])
    for start in range(0, len(uids), _AT_ONCE):
        some = uids[start : start + _AT_ONCE]
        for fetched in imap.fetch(some, ["BODY.PEEK[]"]).values():
            _take_through(fetched[b"BODY[]"], store, smtp)
        imap.add_flags(some, [SEEN], silent=True)
    smtp.quit()
    imap.logout()
    return len(uids)


def _take_through(raw: bytes, store: sqlite3.Connection, smtp: smtplib.SMTP) -> None:
    mail = email.message_from_bytes(raw)
    sender = (mail["From"] or "").rpartition("<")[2].rstrip(">")
    texts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    body = texts[0] if isinstance(texts[0], bytes) else b""
    number = _ORDER.search(body)
    store.execute("BEGIN IMMEDIATE")
    row = (mail["Message-ID"], sender, number[0].decode() if number else None, body.decode("utf-8", "replace"), raw)
    case = store.execute(
        "INSERT INTO cases(message_id, sender, order_number, body, raw) VALUES (?,?,?,?,?) RETURNING id", row
    ).fetchone()[0]
    store.execute("INSERT INTO events(case_id, kind) VALUES (?, 'received')", (case,))
    answer = _ANSWER % sender.encode("ascii", "replace")
    store.execute("INSERT INTO outbox(case_id, recipient, content) VALUES (?,?,?)", (case, sender, answer))
    store.execute("COMMIT")
    smtp.sendmail("support@shop.example", [sender], answer)
    store.execute("BEGIN IMMEDIATE")
    store.execute("UPDATE outbox SET sent = 1 WHERE case_id = ?", (case,))
    store.execute("COMMIT")
