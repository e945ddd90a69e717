"""A Postfix of the tests' own: takes mail for everybody by SMTP and hands it to a sink in this process."""

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailbot.ports import Envelope
from tests.servers.absent import absent
from tests.servers.processes import LOOPBACK, free_port, private_folder, running, wait_until

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = {host}
inet_protocols = ipv4
myhostname = mx.shop.example
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
alias_maps =
alias_database =
default_transport = smtp:[{host}]:{sink_port}
queue_run_delay = 1s
minimal_backoff_time = 1s
"""
_MASTER = """
{host}:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Where to hand mail over, and what has arrived at the other end since the test began.

    Attributes:
        kept: what has arrived so far, one entry a recipient; it grows by itself.
    """

    host: str
    port: int
    kept: list[Envelope]

    def received(self) -> Sequence[Envelope]:
        """What has arrived by now."""
        return tuple(self.kept)

    def wait_for(self, count: int, seconds: float = 20.0) -> Sequence[Envelope]:
        """Wait until so many messages have arrived, and give all that have."""
        wait_until(lambda: len(self.kept) >= count, f"message {count} at the mail server", seconds)
        return self.received()


@dataclass(frozen=True, slots=True, kw_only=True)
class Postfix:
    """Where it listens, and whether it has passed on all that it took."""

    port: int
    queue: Path

    def is_idle(self) -> bool:
        """Whether nothing is in its queues."""
        queues = [self.queue / name for name in ("maildrop", "incoming", "active", "deferred")]
        return not any(path.is_file() for queue in queues for path in queue.rglob("*"))


@contextmanager
def postfix_server(sink_port: int) -> Iterator[Postfix]:
    """Run a Postfix that hands on to a port, or skip where there is none; it starts as root only."""
    programs = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    if shutil.which("postfix", path=programs) is None:
        absent("Postfix", "install postfix")
    if os.geteuid() != 0:
        absent("Postfix for this user", "run the tests as root, as which alone it starts")
    with ExitStack() as stack:
        folder = stack.enter_context(private_folder("postfix"))
        port = free_port()
        _configure(folder, port, sink_port)
        subprocess.run(["/usr/sbin/postfix", "-c", str(folder / "etc"), "check"], check=True, capture_output=True)
        asked = ["/usr/sbin/postconf", "-d", "-h", "daemon_directory"]
        daemons = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
        command = [f"{daemons}/master", "-c", str(folder / "etc"), "-s"]
        stack.enter_context(running(command, port=port, log=folder / "start.log"))
        yield Postfix(port=port, queue=folder / "queue")


def _configure(folder: Path, port: int, sink_port: int) -> None:
    for name in ("etc", "data", "queue"):
        (folder / name).mkdir()
    os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid)
    (folder / "etc" / "main.cf").write_text(_MAIN.format(folder=folder, host=LOOPBACK, sink_port=sink_port))
    (folder / "etc" / "master.cf").write_text(_MASTER.format(host=LOOPBACK, port=port))
