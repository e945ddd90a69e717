"""Mails a second, end to end, on a real Dovecot: mailbot beside the strict null pipeline, in one run.

    python -m bench.run [--mails 200 1000 5000] [--seed 1] [--inbox FOLDER] [--postgres]

Each run makes a fresh mailbox and a fresh database. One figure alone says little on a shared machine; the ratios do:
of mails a second, and of processor time a mail, to those of the strict null pipeline over the same mails just before.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.floor import run_floor
from bench.mails import Inbox, found, made
from tests.servers.accounts import Account
from tests.servers.dovecot import Dovecot, dovecot_server
from tests.servers.postgres import postgres_server
from tests.servers.processes import free_port, running


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One pipeline's run over the inbox."""

    name: str
    mails: int
    answers: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    stages: dict[str, float] = field(default_factory=dict)

    def line(self, floor: "Measured") -> str:
        """One line of the table."""
        rate = self.mails / self.seconds
        ratio = rate * floor.seconds / floor.mails
        cpu_ratio = floor.cpu_seconds / floor.mails / (self.cpu_seconds / self.mails)
        return (
            f"{self.name:<22} {self.mails:>6} {self.answers:>8} {self.seconds:>8.2f} {rate:>8.1f} "
            f"{self.cpu_seconds / self.mails * 1000:>8.2f} {self.peak_mb:>8.0f} {ratio:>7.2f} {cpu_ratio:>9.2f}"
        )

    def stage_line(self) -> str:
        """Milliseconds a mail of each stage, waiting included, and the seconds that starting took."""
        each = ", ".join(
            f"{stage} {seconds * 1000 / self.mails:.2f}" for stage, seconds in self.stages.items() if stage != _START
        )
        return f"    ms a mail: {each}; start-up {self.stages[_START]:.2f} s"


class Peak(threading.Thread):
    """The most memory that a process and all below it held together (proportional set size), looked at often."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self.megabytes = pid, 0.0

    def run(self) -> None:
        """Look until the process is gone."""
        while held := sum(map(_held, _tree(self._pid))):
            self.megabytes = max(self.megabytes, held / 1024)
            time.sleep(0.1)


def _tree(root: int) -> list[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    tree = [root]
    for pid in tree:
        tree += [child for child, parent in parents.items() if parent == pid]
    return tree


def _held(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


_START = "start"


def main() -> None:
    """Measure and print, a table for each number of mails."""
    options = _options()
    if options.inbox:
        inboxes = [found(options.inbox)]
    else:
        inboxes = [made(count, options.seed, datetime.now(UTC)) for count in options.mails]
    whole = [_measure(inbox, with_postgres=options.postgres) for inbox in inboxes]
    if not all(whole):
        sys.exit("not every mail was answered exactly once")


def _measure(inbox: Inbox, *, with_postgres: bool) -> bool:
    """Print one table; tells whether every mail was answered exactly once."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailbot-bench-")))
        dovecot = stack.enter_context(dovecot_server())
        floor = _measure_floor(inbox, dovecot, folder)
        measured = [floor, _measure_mailbot("mailbot, SQLite", inbox, dovecot, folder, "sqlite:///mailbot.db")]
        if with_postgres:
            url = stack.enter_context(postgres_server(on_disk=True)).new_database()
            measured.append(_measure_mailbot("mailbot, PostgreSQL", inbox, dovecot, folder, url))
    print(f"{len(inbox.mails)} mails, {sum(map(len, inbox.mails)) / len(inbox.mails) / 1000:.1f} KB each on average")
    print(
        f"{'':<22} {'mails':>6} {'answers':>8} {'seconds':>8} {'mails/s':>8} "
        f"{'ms CPU':>8} {'peak MB':>8} {'ratio':>7} {'CPU ratio':>9}"
    )
    for each in measured:
        print(each.line(floor))
        if each.stages:
            print(each.stage_line())
    sys.stdout.flush()
    return all(each.answers == each.mails for each in measured)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.run", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mails", type=int, nargs="+", default=[1000], help="how many; a table for each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inbox", type=Path, help="a folder with msgs/*.eml, orders.json and config.toml instead")
    parser.add_argument("--postgres", action="store_true", help="measure on PostgreSQL too")
    return parser.parse_args()


@contextmanager
def sink(folder: Path, name: str) -> Iterator[tuple[int, Path]]:
    """A submission server that takes everything: its port, and its log of what it took."""
    port, log = free_port(), folder / f"{name}.jsonl"
    with running([sys.executable, "-m", "bench.sink", str(port), str(log)], port=port, log=folder / f"{name}.sink"):
        yield port, log


def filled(inbox: Inbox, dovecot: Dovecot) -> Account:
    """A fresh mailbox with all of an inbox's mails in it."""
    account = dovecot.new_account()
    for mail in inbox.mails:
        account.deliver(mail, datetime.now(UTC))
    return account


def _measure_floor(inbox: Inbox, dovecot: Dovecot, folder: Path) -> Measured:
    account = filled(inbox, dovecot)
    with sink(folder, "floor") as (port, log):
        started, cpu = time.perf_counter(), time.process_time()
        mails = run_floor(account, port, folder / "floor.db")
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        answers = _answers(log)
    return Measured(
        name="strict null pipeline", mails=mails, answers=answers, seconds=seconds, cpu_seconds=cpu, peak_mb=0
    )


def _measure_mailbot(name: str, inbox: Inbox, dovecot: Dovecot, folder: Path, url: str) -> Measured:
    account = filled(inbox, dovecot)
    (folder / "orders.json").write_text(json.dumps(inbox.orders), encoding="utf-8")
    with sink(folder, name.rsplit(maxsplit=1)[-1]) as (port, log):
        config = folder / "config.toml"
        config.write_text(config_text(inbox, account, port, url), encoding="utf-8")
        command = [sys.executable, "-c", "from mailbot.cli import main; main()", "--config", str(config)]
        subprocess.run([*command, "orders", "import", str(folder / "orders.json")], check=True, capture_output=True)
        times = folder / "stages.json"
        timed = [sys.executable, "-m", "bench.poll", str(times), "--config", str(config), "poll", "--json"]
        started = time.perf_counter()
        child = subprocess.Popen(timed, stdout=subprocess.PIPE)
        peak = Peak(child.pid)
        peak.start()
        said = child.stdout.read() if child.stdout else b"{}"
        _, status, usage = os.wait4(child.pid, 0)
        peak.join()
        seconds = time.perf_counter() - started
        if status:
            sys.exit(f"mailbot poll failed: {os.waitstatus_to_exitcode(status)}")
        return Measured(
            name=name,
            mails=json.loads(said)["handled"],
            answers=_answers(log),
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_mb=peak.megabytes,
            stages=json.loads(times.read_text(encoding="utf-8")),
        )


def config_text(inbox: Inbox, account: Account, smtp_port: int, url: str) -> str:
    """A configuration for one mailbox, one submission server and one database."""
    shop = "\n".join(f"{key} = {json.dumps(value)}" for key, value in inbox.sections["shop"].items())
    identity = "\n".join(f"{key} = {json.dumps(value)}" for key, value in inbox.sections["identity"].items())
    text = f"""
[shop]
{shop}
[identity]
{identity}
[database]
url = {json.dumps(url)}
[[mailboxes]]
name = "bench"
host = "{account.host}"
port = {account.port}
security = "none"
username = "{account.username}"
password_file = "{account.password_file}"
[smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
"""
    tomllib.loads(text)
    return text


def _answers(log: Path) -> int:
    """How many recipients were answered exactly once, by the server's own book."""
    answered: dict[str, int] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        recipient = json.loads(line)["to"]
        answered[recipient] = answered.get(recipient, 0) + 1
    return sum(count == 1 for count in answered.values())


if __name__ == "__main__":
    main()
