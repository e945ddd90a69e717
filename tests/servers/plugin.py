"""Real servers as fixtures: started when a test first asks, once in each test process, everything of one test fresh."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from mailbot.demo.servers import HOST, MailServers
from tests.servers.accounts import PASSWORD, Account
from tests.servers.dovecot import Dovecot, dovecot_server
from tests.servers.mta import Outgoing, postfix_server
from tests.servers.postgres import Postgres, postgres_server


class Pymap:
    """IMAP in this process; what it lacks is tested against Dovecot."""

    def __init__(self, servers: MailServers, folder: Path) -> None:
        self._servers, self._folder = servers, folder
        self._numbers = itertools.count()

    def new_account(self) -> Account:
        """Give an account that nobody has used before."""
        username = f"shop{next(self._numbers)}@shop.example"
        self._servers.add_account(username, PASSWORD)
        password_file = self._folder / "password"
        password_file.write_text(PASSWORD)
        return Account(
            host=HOST,
            port=self._servers.imap_port,
            username=username,
            password_file=password_file,
            deliver=partial(self._servers.deliver, username),
        )


@pytest.fixture(scope="session")
def mail_servers() -> Iterator[MailServers]:
    """IMAP and SMTP in this process."""
    servers = MailServers()
    servers.start()
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def pymap(mail_servers: MailServers, tmp_path_factory: pytest.TempPathFactory) -> Pymap:
    """IMAP in this process, to make accounts in."""
    return Pymap(mail_servers, tmp_path_factory.mktemp("pymap"))


@pytest.fixture
def smtp_sink(mail_servers: MailServers) -> Outgoing:
    """SMTP in this process, empty at the start of each test."""
    mail_servers.sent.clear()
    return Outgoing(host=HOST, port=mail_servers.smtp_port, kept=mail_servers.sent)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """Dovecot, to make accounts in."""
    with dovecot_server() as server:
        yield server


@pytest.fixture(scope="session")
def _postfix() -> Iterator[Outgoing]:
    behind = MailServers()
    with ExitStack() as stack:
        behind.start()
        stack.callback(behind.stop)
        server = stack.enter_context(postfix_server(behind.smtp_port))
        yield Outgoing(host=HOST, port=server.port, kept=behind.sent)


@pytest.fixture
def postfix(_postfix: Outgoing) -> Outgoing:
    """Postfix, nothing received at the start of each test."""
    _postfix.kept.clear()
    return _postfix


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL, to make databases in."""
    with postgres_server() as server:
        yield server
