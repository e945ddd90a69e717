"""Two mailbots that write to each other, each on its own Dovecot and Postfix: silence after five messages at most."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from mailbot.demo.servers import HOST, MailServers
from mailbot.ports import Envelope
from tests.journey.mails import CANCEL, RETURN_WITHOUT_INVOICE, SHOP, a_mail, an_invoice, an_order
from tests.journey.shop import Shop, open_shop
from tests.servers.dovecot import dovecot_server
from tests.servers.mta import Outgoing, postfix_server

OTHER = "support@other.example"


@contextmanager
def a_pair(folder: Path, support: str) -> Iterator[Shop]:
    """One shop with its own two servers."""
    folder.mkdir()
    with ExitStack() as stack:
        behind = MailServers()
        behind.start()
        stack.callback(behind.stop)
        port = stack.enter_context(postfix_server(behind.smtp_port)).port
        account = stack.enter_context(dovecot_server()).new_account()
        outgoing = Outgoing(host=HOST, port=port, kept=behind.sent)
        database = f"sqlite:///{folder}/mailbot.db"
        yield stack.enter_context(
            open_shop(folder, database=database, account=account, outgoing=outgoing, support=support)
        )


def delivered(envelope: Envelope) -> bytes:
    """A message as the other's server stores it, with what that found out about the sender."""
    domain = (SHOP if envelope.recipient == OTHER else OTHER).partition("@")[2]
    head = (
        f"Return-Path: <{envelope.sender}>\r\nDelivered-To: {envelope.recipient}\r\n"
        f"Received: from mx.{domain} by mx.shop.example with ESMTPS id 1\r\n"
        f"Authentication-Results: mx.shop.example; dmarc=pass header.from={domain}\r\n"
    )
    return head.encode() + envelope.data


@pytest.mark.parametrize("first", ["a question", "a refund", "unproven"])
def test_two_mailbots_on_real_servers_fall_silent(first: str, tmp_path: Path) -> None:
    with a_pair(tmp_path / "one", SHOP) as one, a_pair(tmp_path / "two", OTHER) as two:
        one.sells(an_order(one.clock.now, customer=OTHER))
        two.sells(an_order(two.clock.now, customer=SHOP))
        begun = {
            "a question": a_mail(RETURN_WITHOUT_INVOICE, sender=OTHER),
            "a refund": a_mail(CANCEL, sender=OTHER, invoice=an_invoice()),
            "unproven": a_mail(CANCEL, sender=OTHER, dmarc="none", invoice=an_invoice()),
        }[first]
        one.gets(begun)
        total, quiet = 0, 0
        while quiet < 2 and total <= 5:
            letters = 0
            for shop, other in ((one, two), (two, one)):
                shop.poll()
                for letter in shop.letters():
                    letters += 1
                    other.gets(delivered(letter.envelope))
                shop.clock.forward(minutes=5)
            total += letters
            quiet = 0 if letters else quiet + 1
        assert 1 <= total <= 5
        assert one.broken() == two.broken() == []
