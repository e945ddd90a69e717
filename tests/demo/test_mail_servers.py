"""The mail servers inside the process: what is delivered can be read, what is sent is kept, and stopping ends both."""

import imaplib
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import active_count

import pytest

from mailbot.demo.servers import HOST, MailServers
from mailbot.ports import Envelope

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)
MAIL = b"Subject: Refund\r\n\r\n.please\r\n"


@pytest.fixture
def servers() -> Iterator[MailServers]:
    """Give servers with one account."""
    fresh = MailServers()
    fresh.start()
    fresh.add_account("support@shop.example", "secret")
    yield fresh
    fresh.stop()


def test_what_is_delivered_can_be_read(servers: MailServers) -> None:
    servers.deliver("support@shop.example", MAIL, NOON)
    with imaplib.IMAP4(HOST, servers.imap_port) as link:
        link.login("support@shop.example", "secret")
        link.select()
        assert link.fetch("1", "(INTERNALDATE BODY.PEEK[])")[1][0] == (
            b'1 (INTERNALDATE "06-Mar-2026 12:00:00 +0000" BODY[] {%d}' % len(MAIL),
            MAIL,
        )


def test_what_is_sent_is_kept_once_a_recipient(servers: MailServers) -> None:
    with smtplib.SMTP(HOST, servers.smtp_port) as link:
        link.sendmail("", ["jane@example.org", "joe@example.net"], MAIL)
    assert servers.sent == [
        Envelope(sender="", recipient="jane@example.org", data=MAIL),
        Envelope(sender="", recipient="joe@example.net", data=MAIL),
    ]


def test_stopping_hangs_up_and_ends_the_thread() -> None:
    before = active_count()
    servers = MailServers()
    servers.start()
    link = imaplib.IMAP4(HOST, servers.imap_port)
    servers.stop()
    assert active_count() == before
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP(HOST, servers.smtp_port)
    with pytest.raises(imaplib.IMAP4.abort):
        link.noop()
    link.shutdown()
