"""The whole of mailbot on embedded parts: mail servers in this process, SQLite in a temporary folder, sample mails."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from mailbot import bootstrap, journey
from mailbot.console.app import make_console, serving
from mailbot.console.door import make_link
from mailbot.demo.mailbox_page import outside
from mailbot.demo.outcome import Became, as_table, read_outcomes, totals
from mailbot.demo.samples import Sample, sample_mails, sample_orders
from mailbot.demo.servers import HOST, MailServers
from mailbot.model.people import Role
from mailbot.model.refund import PROMISED
from mailbot.settings import (
    Console,
    Database,
    Identity,
    MailboxSettings,
    Notify,
    Secrets,
    Security,
    Settings,
    Shop,
    Smtp,
)
from mailbot.steps.app import App
from mailbot.store import orders as book
from mailbot.store import refunds, users
from mailbot.store.sessions import Link
from mailbot.store.transaction import reading, transaction
from mailbot.worker import working

SUPPORT = "support@shop.example"
_OWNER = "owner@shop.example"
_PASSWORD = "for-this-demonstration-only"  # noqa: S105 (of a mailbox that lives as long as this process)
_VISITOR = "you"
_EXAMPLE = "04-return.eml"

Show = Callable[[str], None]
"""Tells the person who started the demonstration something."""


def run_demo(*, once: bool, listen: str, show: Show, wait: Callable[[], None]) -> int:
    """Start everything, put the sample mails into the inbox, and work.

    Args:
        once: work the inbox off, show what became of each mail, and end; otherwise serve.
        listen: host and port of the console; port 0 for any free one.
        show: told one text at a time, without a line end.
        wait: returns when serving is to end.

    Returns:
        The exit code: 1 where a server or the database failed, else 0.
    """
    with demo_app(listen) as (app, servers):
        samples = fill_inbox(app, servers)
        show(f"{len(samples)} sample mails are in the inbox of {SUPPORT}.")
        if once:
            return _work_once(app, samples, show)
        with serving_demo(app, servers) as links:
            show("\n".join(links))
            wait()
        return 0


@contextmanager
def demo_app(listen: str) -> Iterator[tuple[App, MailServers]]:
    """A whole mailbot with an empty order book, beside mail servers with an empty mailbox; all gone at the end."""
    servers = MailServers()
    servers.start()
    try:
        servers.add_account(SUPPORT, _PASSWORD)
        with (
            tempfile.TemporaryDirectory(prefix="mailbot-demo-") as folder,
            bootstrap.open_app(_settings(Path(folder), servers, listen)) as app,
        ):
            bootstrap.note_start(app)
            yield app, servers
    finally:
        servers.stop()


def fill_inbox(app: App, servers: MailServers) -> list[Sample]:
    """Enter the sample orders into the book and deliver the sample mails, as if they had just come."""
    now, zone = app.now(), app.settings.shop.zone
    with transaction(app.engine) as session:
        book.put_all(session, sample_orders(now, zone), now)
    samples = sample_mails(now, zone)
    for sample in samples:
        servers.deliver(SUPPORT, sample.raw, sample.received_at)
    return samples


def work_off(app: App) -> tuple[str, ...]:
    """Poll until nothing is left to do; returns what failed."""
    while True:
        passed = journey.poll(app)
        if passed.failed or not (passed.stored or passed.handled or passed.sent):
            return passed.failed


@contextmanager
def serving_demo(app: App, servers: MailServers) -> Iterator[tuple[str, ...]]:
    """Run worker and console; yields what a person needs to know to look at them."""
    host, _, port = app.settings.console.listen.rpartition(":")
    console = make_console(app, [outside(servers, app.settings.shop.zone)])
    with working(app), serving(console, host, int(port)) as address:
        yield (
            f"The console, with a link that signs you in once: {demo_link(app, address)}",
            f"What the customers get, once you are signed in: {address}/outside/",
            "Ctrl-C ends it. Everything is in a temporary folder and goes with it.",
        )


def demo_link(app: App, address: str) -> str:
    """A link that signs one browser in as the demonstration's admin, once."""
    with transaction(app.engine) as session:
        user = users.find(session, _VISITOR) or users.add(session, _VISITOR, Role.ADMIN, app.now())
    return make_link(app, Link.SIGN_IN, user.id, address)


def _work_once(app: App, samples: list[Sample], show: Show) -> int:
    failed = work_off(app)
    if failed:
        show("\n".join(failed))
        return 1
    with reading(app.engine) as session:
        outcomes = read_outcomes(session, samples)
        due = [refunds.amount_of(row) for row, _ in refunds.all_in(session, PROMISED)]
    show(as_table(outcomes))
    show(totals(outcomes, due))
    for became in outcomes:
        if became.sample.name == _EXAMPLE:
            show(_answer_to(became))
    return 0


def _answer_to(example: Became) -> str:
    """What one customer gets."""
    shown = [f"The whole answer to {example.sample.name}:"]
    for letter in example.letters:
        message = message_from_bytes(letter.content, policy=default)
        text = message.get_body(("plain",))
        shown += ["", *(f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Date"))]
        shown += ["", "" if text is None else text.get_content().rstrip()]
    return "\n".join(shown)


def _settings(folder: Path, servers: MailServers, listen: str) -> Settings:
    password = folder / "imap.password"
    password.touch(mode=0o600)
    password.write_text(_PASSWORD, encoding="utf-8")
    return Settings(
        shop=Shop(
            name="Aurelia & Wren",
            timezone="America/New_York",
            currency="USD",
            support_address=SUPPORT,
            order_number=r"AW-\d{5}",
            return_address="Aurelia & Wren, Returns, 14 Larkspur Lane, Rhinebeck, NY 12572",
        ),
        database=Database(url=f"sqlite:///{folder / 'mailbot.db'}"),
        mailboxes=(
            MailboxSettings(
                name="support",
                host=HOST,
                port=servers.imap_port,
                security=Security.NONE,
                username=SUPPORT,
                password_file=str(password),
                poll_seconds=5,
            ),
        ),
        smtp=Smtp(host=HOST, port=servers.smtp_port, security=Security.NONE),
        identity=Identity(authserv_ids=("mx.shop.example",)),
        console=Console(listen=listen),
        notify=Notify(address=_OWNER),
        secrets=Secrets(key_file=str(folder / "mailbot.key")),
    )
