"""A PostgreSQL for the tests: the one they are told of, else a cluster of their own, in memory where there is room."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from tests.servers.absent import absent
from tests.servers.processes import LOOPBACK, free_port, private_folder, running, wait_until

_SUPERUSER = "mailbot"
_MEMORY, _ROOM = Path("/dev/shm"), 4 * 1024**3  # noqa: S108 (a cluster's folder in memory, its owner's alone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A server in which databases may be made."""

    url: URL
    _made: list[str] = field(default_factory=list)

    def new_database(self) -> str:
        """Make an empty database and give its SQLAlchemy URL."""
        name = f"mailbot_test_{uuid4().hex[:12]}"
        self._do(f"CREATE DATABASE {name}")
        self._made.append(name)
        return self.url.set(database=name).render_as_string(hide_password=False)

    def copy_database(self, name: str) -> str:
        """Copy a database to which nobody is connected; gives the copy's name."""
        copy = f"mailbot_test_{uuid4().hex[:12]}"
        self._do(f"CREATE DATABASE {copy} TEMPLATE {name}")
        self._made.append(copy)
        return copy

    def drop_databases(self) -> None:
        """Drop every database that was made here, whoever is still connected."""
        while self._made:
            self._do(f"DROP DATABASE IF EXISTS {self._made.pop()} WITH (FORCE)")

    def _do(self, command: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(command))
        engine.dispose()


@contextmanager
def postgres_server(*, on_disk: bool = False) -> Iterator[Postgres]:
    """Use the server of ``MAILBOT_TEST_POSTGRES_URL``, or run one, or skip where there is neither.

    Args:
        on_disk: with fsync, for measuring. What no test is about, power loss, costs half a minute for deleting alone.
    """
    if find_spec("psycopg") is None:
        absent("psycopg", "install the extra postgres")
    given = os.environ.get("MAILBOT_TEST_POSTGRES_URL")
    with ExitStack() as stack:
        if given:
            url = make_url(given).set(drivername="postgresql+psycopg")
        else:
            url = stack.enter_context(_own_cluster(None if on_disk else _memory()))
        server = Postgres(url=url)
        if given:  # a cluster of our own goes whole
            stack.callback(server.drop_databases)
        yield server


@contextmanager
def _own_cluster(where: Path | None) -> Iterator[URL]:
    programs = _programs()
    user = "postgres" if os.geteuid() == 0 else None
    with ExitStack() as stack:
        folder = stack.enter_context(private_folder("postgres", where))
        cluster, port = folder / "cluster", free_port()
        cluster.mkdir(mode=0o700)
        if user is not None:
            shutil.chown(cluster, user, user)
        options = ["-D", str(cluster), "-U", _SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        initdb = [str(programs / "initdb"), *options]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, user=user, group=user)
        settings = {"listen_addresses": LOOPBACK, "port": port, "unix_socket_directories": "", "fsync": "on"}
        settings |= {} if where is None else {"max_wal_size": "128MB"}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(programs / "postgres"), "-D", str(cluster), *arguments]
        log = folder / "start.log"
        stack.enter_context(running(command, port=port, log=log, user=user, ended_by=signal.SIGQUIT))
        url = URL.create("postgresql+psycopg", username=_SUPERUSER, host=LOOPBACK, port=port, database="postgres")
        wait_until(lambda: _takes_connections(url), f"a connection that PostgreSQL on port {port} takes", 60.0)
        yield url


def _memory() -> Path | None:
    return _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM else None


def _takes_connections(url: URL) -> bool:
    """Whether it has started whole: its port answers before that, and each connection is refused."""
    engine = create_engine(url)
    try:
        engine.connect().close()
    except OperationalError as error:
        if "starting up" not in str(error):
            raise
        return False
    finally:
        engine.dispose()
    return True


def _programs() -> Path:
    """Where the newest installed PostgreSQL has its programs."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    if installed:
        return installed[-1]
    found = shutil.which("postgres")
    if found is None:
        absent("PostgreSQL", "install postgresql, or set MAILBOT_TEST_POSTGRES_URL")
    return Path(found).resolve().parent
