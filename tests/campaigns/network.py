"""T5: a wire before real mail servers breaks, stalls and cuts up connections at every point of what is said on them."""

import logging
import os
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from aiosmtpd.controller import Controller
from imapclient import SocketTimeout

from mailbot import journey
from mailbot.act import smtp
from mailbot.act.smtp import SmtpTransport
from mailbot.demo.servers import HOST, MailServers, _Keeper
from mailbot.errors import RetryableError
from mailbot.inbound import imap_link
from mailbot.inbound.imap import ImapMailbox
from mailbot.settings import Smtp
from mailbot.store.tables import MailRow, OutboxRow, OutboxState
from tests.campaigns.ledger import ORDINARY, UNPROVEN, Ledger, direct_reader
from tests.campaigns.outcome import Campaign, Outcome
from tests.campaigns.wire import (
    AFTER,
    BEFORE,
    CLOSE,
    DOT,
    GREETING,
    MESSAGE,
    PIECE,
    PIECES,
    RESET,
    STALL,
    WITHIN,
    Fault,
    Lines,
    Mail,
    Wire,
    wire,
)
from tests.journey.shop import Shop, open_shop
from tests.servers.dovecot import Dovecot, dovecot_server
from tests.servers.mta import Outgoing, Postfix, postfix_server
from tests.servers.postgres import postgres_server
from tests.servers.processes import free_port, wait_until

_IMAP = (
    GREETING,
    "CAPABILITY",
    "LOGIN",
    "SELECT",
    "NOOP",
    "UID SEARCH",
    "UID FETCH",
    "UID FETCH",
    "UID STORE",
    "LOGOUT",
)
_SMTP = (GREETING, "EHLO", "MAIL", "RCPT", "DATA", MESSAGE, "QUIT", DOT, DOT, DOT, DOT, DOT, DOT)
_SECRETS = frozenset({"LOGIN", "AUTHENTICATE", "AUTH", "MAIL", MESSAGE})
_FAULT_SHARE = 0.75
_A_WORLD = 250
_BRIEF = 0.4
_ENCRYPTED_SHARE = 0.1
_CERTIFICATE = Path(__file__).parents[1] / "act" / "loopback.pem"


@dataclass(slots=True, kw_only=True)
class _Net:
    """A shop whose every connection goes by a wire."""

    shop: Shop
    books: Ledger
    chance: Random
    imap: Wire
    smtp: Wire
    secure: tuple[Wire, Wire]
    encrypted: Any
    struck: Counter[str]
    postfix: Postfix | None

    @property
    def lines(self) -> tuple[Wire, ...]:
        """Every wire."""
        return (self.imap, self.smtp, *self.secure)

    def fate(self, points: tuple[str, ...]) -> Fault | None:
        if not points or self.chance.random() > _FAULT_SHARE:
            return None
        deed = self.chance.choices((RESET, CLOSE, STALL, PIECES), (5, 4, 1, 2))[0]
        side = self.chance.choice((BEFORE, WITHIN, AFTER))
        return Fault(point=self.chance.choice(points), side=side, deed=deed, turn=self.chance.choice((1, 1, 1, 2, 3)))

    def weather(self, *, fair: bool) -> None:
        """Let connections meet their fates, or none."""
        for line, points in zip(self.lines, (_IMAP, _SMTP, (PIECE,), (PIECE,)), strict=True):
            line.fate = partial(self.fate, () if fair else points)

    def turn(self) -> None:
        """Customers write, and passes are made in foul weather."""
        names = [self.chance.choice(ORDINARY) for _ in range(3)]
        names += [self.chance.choice(UNPROVEN)] if self.chance.random() < 0.2 else []
        self.books.tell(names)
        for minutes in (3, 20):
            self.shop.clock.forward(minutes=minutes)
            self.weather(fair=False)
            is_encrypted = self.chance.random() < _ENCRYPTED_SHARE
            with suppress(RetryableError), brief_patience():
                journey.poll(self.encrypted if is_encrypted else self.shop.app)
            self.weather(fair=True)
            if is_encrypted:  # nobody on the wire can see a dot there
                doubtful = (row.message_id for row in self.shop.rows(OutboxRow) if row.state == OutboxState.AMBIGUOUS)
                self.books.doubted.update(doubtful)

    def is_refused_in_clear(self) -> Iterator[str]:
        """Somebody takes STARTTLS away: nothing is said that anybody could read, and nothing is lost."""
        names = [self.chance.choice(ORDINARY)]
        self.wait_for_postfix()
        before = len(self.shop.rows(MailRow)), self.shop.outgoing.received()
        self.books.tell(names)
        for line in self.secure:
            line.strips = True
            line.heard.clear()
        passed = journey.poll(self.encrypted)
        waits = [row for row in self.shop.rows(OutboxRow) if row.sent_at is None]
        for line in self.secure:
            line.strips = False
            if line.heard.keys() & _SECRETS:
                yield f"said in the clear: {sorted(line.heard)}"
            self.struck["STARTTLS stripped"] += 1
        if not passed.failed or before != (len(self.shop.rows(MailRow)), self.shop.outgoing.received()):
            yield f"a pass without TLS took or sent mail, {len(waits)} wait"
        journey.receive(self.shop.app, self.shop.app.mailboxes[0])
        journey.handle_all(self.shop.app)
        self.wait_for_postfix()
        self.secure[1].strips, before_sending = True, self.shop.outgoing.received()
        self.secure[1].heard.clear()
        journey.deliver(self.encrypted)
        if self.secure[1].heard.keys() & _SECRETS or self.shop.outgoing.received() != before_sending:
            yield f"a letter went in the clear: {sorted(self.secure[1].heard)}"
        self.secure[1].strips = False

    def wait_for_postfix(self) -> None:
        """Wait until all that it took has come to the book behind it."""
        if self.postfix is not None:
            wait_until(self.postfix.is_idle, "an empty queue of Postfix", 60)

    def slips_in(self) -> Iterator[str]:
        """Somebody speaks between STARTTLS and TLS: it is not believed."""
        self.books.tell([self.chance.choice(ORDINARY)])
        self.secure[0].slips_in, self.secure[1].slips_in = b"* CAPABILITY IMAP4rev1\r\n", b"250 AUTH PLAIN\r\n"
        for line in self.secure:
            line.heard.clear()
        journey.poll(self.encrypted)
        for line in self.secure:
            line.slips_in = b""
            if line.heard.keys() & _SECRETS:
                yield f"said in the clear after a word was slipped in: {sorted(line.heard)}"
            self.struck["a word slipped in"] += 1


@contextmanager
def brief_patience() -> Iterator[None]:
    """Shorten what mailbot waits for a silent server."""
    with ExitStack() as stack:
        for name in ("_CONNECT_SECONDS", "_COMMAND_SECONDS", "_AFTER_DOT_SECONDS"):
            stack.enter_context(patch.object(smtp, name, _BRIEF))
        stack.enter_context(patch.object(imap_link, "_TIMEOUT", SocketTimeout(connect=_BRIEF, read=_BRIEF)))
        yield


@contextmanager
def _net(folder: Path, database: str, mta: str, chance: Random) -> Iterator[_Net]:
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        servers = MailServers()
        servers.start()
        stack.callback(servers.stop)
        dovecot: Dovecot = stack.enter_context(dovecot_server())
        postfix = None if mta == "sink" else stack.enter_context(postfix_server(servers.smtp_port))
        protected = stack.enter_context(_protected_sink(servers))
        imap = stack.enter_context(wire(dovecot.port, Lines))
        plain = stack.enter_context(wire(servers.smtp_port if postfix is None else postfix.port, Mail))
        secure = stack.enter_context(wire(dovecot.port, Lines)), stack.enter_context(wire(protected, Mail))
        url = f"sqlite:///{folder}/mailbot.db"
        if database == "postgres":
            url = stack.enter_context(postgres_server()).new_database()
        account = replace(dovecot.new_account(), port=imap.port)
        outgoing = Outgoing(host=HOST, port=plain.port, kept=servers.sent)
        shop = stack.enter_context(
            open_shop(folder, database=url, account=account, outgoing=outgoing, reader=direct_reader())
        )
        trusted = dovecot.certificate.read_text() + _CERTIFICATE.read_text()
        (folder / "trusted.pem").write_text(trusted)
        stack.enter_context(patch.dict(os.environ, SSL_CERT_FILE=str(folder / "trusted.pem")))
        safe = {"host": "localhost", "security": "starttls"}
        mailbox = ImapMailbox(account.settings(**safe, port=secure[0].port))
        transport = SmtpTransport(Smtp.model_validate(safe | {"port": secure[1].port}))
        encrypted = replace(shop.app, mailboxes=(mailbox,), transport=transport)
        books = Ledger(shop=shop, doubted=plain.doubted)
        yield _Net(
            shop=shop,
            books=books,
            chance=chance,
            imap=imap,
            smtp=plain,
            secure=secure,
            encrypted=encrypted,
            struck=Counter(),
            postfix=postfix,
        )


@contextmanager
def _protected_sink(servers: MailServers) -> Iterator[int]:
    """A submission server that insists on STARTTLS, with the same book as the plain one."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(_CERTIFICATE)
    port = free_port()
    sink = Controller(_Keeper(servers.sent), hostname=HOST, port=port, tls_context=context, require_starttls=True)
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # it would tell of every broken link
    sink.start()
    try:
        yield port
    finally:
        sink.stop()


def run(seed: int, rounds: int, folder: Path, database: str = "sqlite", mta: str = "sink") -> Outcome:
    """T5: so many connections are struck; every twentieth turn somebody attacks STARTTLS instead."""
    outcome, figures = Outcome(), Counter[str]()
    for at in range(0, rounds, _A_WORLD):  # whose books grow all the while
        place = folder / str(at)
        place.mkdir(parents=True)
        with _net(place, database, mta, Random(f"{seed}/{at}")) as net:
            struck = _strike(net, outcome, min(_A_WORLD, rounds - at))
            outcome.failures += [f"seed {seed}/{at}: {fault}" for fault in net.books.faults()]
            outcome.tried += struck
            figures.update(_figures(net))
    outcome.figures = dict(figures)
    return outcome


def _strike(net: _Net, outcome: Outcome, most: int) -> int:
    """Let weather be foul until so many connections were struck, and fair until all is done."""
    turns, struck = 0, 0
    while struck < most:
        turns += 1
        net.turn()
        if turns % 20 == 5:
            outcome.failures += [*net.is_refused_in_clear(), *net.slips_in()]
        if turns % 4 == 0:
            net.books.settle()
        struck = sum(line.struck.total() for line in net.lines) + net.struck.total()
    net.books.settle()
    net.wait_for_postfix()
    return struck


def _figures(net: _Net) -> dict[str, int]:
    struck = sum((line.struck for line in net.lines), Counter[tuple[str, str, str]]())
    by_deed = Counter(dict.fromkeys((RESET, CLOSE, STALL, PIECES), 0))
    for (_, _, deed), times in struck.items():
        by_deed[deed] += times
    after_dot = sum(times for (point, _, deed), times in net.smtp.struck.items() if point == DOT and deed != PIECES)
    letters = net.shop.rows(OutboxRow)
    return {
        "mails": len(net.shop.rows(MailRow)),
        "letters": len(letters),
        "cut_after_dot": after_dot,
        "resent_after_doubt": sum(row.resent for row in letters),
        **by_deed,
        **{name.replace(" ", "_"): times for name, times in net.struck.items()},
    }


CAMPAIGNS: dict[str, tuple[Campaign, int]] = {
    "T5": (run, 5_000),
    "T5-postgres": (partial(run, database="postgres"), 5_000),
    "T5-postfix": (partial(run, mta="postfix"), 500),
}
"""With their nightly figures."""
