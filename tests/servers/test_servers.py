"""The servers that other tests stand on: each is the real thing, and fresh for every test."""

import smtplib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.servers.dovecot import Dovecot
from tests.servers.mta import Outgoing
from tests.servers.plugin import Pymap
from tests.servers.postgres import Postgres
from tests.servers.processes import free_port, running

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)
LETTER = b"From: shop@shop.example\r\nSubject: Refund\r\n\r\n.A dot begins this line.\r\n"


@pytest.mark.parametrize("server", ["smtp_sink", "postfix"])
@pytest.mark.parametrize("sender", ["", "bounce@shop.example"])
def test_mail_arrives_whole_with_its_envelope(request: pytest.FixtureRequest, server: str, sender: str) -> None:
    outgoing: Outgoing = request.getfixturevalue(server)
    assert outgoing.received() == ()
    with smtplib.SMTP(outgoing.host, outgoing.port) as link:
        link.sendmail(sender, ["jane@example.org", "joe@example.net"], LETTER)
    arrived = outgoing.wait_for(2)
    assert {(mail.sender, mail.recipient) for mail in arrived} == {
        (sender, "jane@example.org"),
        (sender, "joe@example.net"),
    }
    assert all(mail.data.endswith(LETTER[LETTER.index(b"\r\n\r\n") :]) for mail in arrived)


def test_waiting_for_mail_that_does_not_come_fails_by_its_name() -> None:
    with pytest.raises(AssertionError, match="message 1 at the mail server"):
        Outgoing(host="127.0.0.1", port=1, kept=[]).wait_for(1, seconds=0.1)


def test_each_account_is_its_own(pymap: Pymap, dovecot: Dovecot) -> None:
    for server in (pymap, dovecot):
        one, other = server.new_account(), server.new_account()
        one.deliver(LETTER, NOON)
        assert (len(one.flags()), len(other.flags())) == (1, 0)


@pytest.fixture
def databases(postgres: Postgres) -> Iterator[tuple[Engine, Engine]]:
    """Give two new databases."""
    engines = create_engine(postgres.new_database()), create_engine(postgres.new_database())
    yield engines
    for engine in engines:
        engine.dispose()


def test_each_database_is_its_own_and_survives_power_loss(databases: tuple[Engine, Engine]) -> None:
    one, other = databases
    with one.begin() as connection:
        connection.execute(text("CREATE TABLE orders (number text)"))
        assert connection.scalar(text("SHOW fsync")) == "on"
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
    with other.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_tables WHERE tablename = 'orders'")) == 0


ECHO = (
    "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); [s.accept() for _ in iter(int, 1)]"
)


def test_a_server_ends_with_its_test(tmp_path: Path) -> None:
    port = free_port()
    with running([sys.executable, "-c", ECHO, str(port)], port=port, log=tmp_path / "log"):
        pass
    with running([sys.executable, "-c", ECHO, str(port)], port=port, log=tmp_path / "log"):
        pass


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such setting')"]
    with (
        pytest.raises(AssertionError, match="no such setting"),
        running(command, port=free_port(), log=tmp_path / "log"),
    ):
        pass
