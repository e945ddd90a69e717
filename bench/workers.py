"""What ``mailbot worker`` does: n processes on one backlog in PostgreSQL, and the time from arrival to reply.

python -m bench.workers [--processes 1 2 4] [--mails 400]
python -m bench.workers --arrivals 300 [--rate 5]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bench.mails import Inbox, made
from bench.run import config_text, filled, sink
from tests.servers.dovecot import Dovecot, dovecot_server
from tests.servers.postgres import postgres_server

_MAILBOT = [sys.executable, "-c", "from mailbot.cli import main; main()"]
_LONGEST_SECONDS = 900
_LOG = "workers.log"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.workers", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--mails", type=int, default=400, help="the backlog")
    parser.add_argument("--arrivals", type=int, help="so many mails arrive, one after the other, at one worker")
    parser.add_argument("--rate", type=float, default=5.0, help="how many arrive a second")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailbot-bench-")))
        dovecot = stack.enter_context(dovecot_server())
        if options.arrivals:
            _measure_arrivals(made(options.arrivals + 1, 1, datetime.now(UTC)), options.rate, dovecot, folder)
            return
        postgres = stack.enter_context(postgres_server(on_disk=True))
        for processes in options.processes:
            place = folder / str(processes)
            place.mkdir()
            inbox = made(options.mails, 1, datetime.now(UTC))
            _measure_backlog(inbox, processes, dovecot, place, postgres.new_database())


def _measure_backlog(inbox: Inbox, processes: int, dovecot: Dovecot, folder: Path, url: str) -> None:
    """Start the workers on a full mailbox and wait until the last mail is answered."""
    account = filled(inbox, dovecot)
    with sink(folder, "backlog") as (port, log):
        command = _prepared(config_text(inbox, account, port, url), inbox, folder)
        started = time.perf_counter()
        workers = [_worker(command, folder) for _ in range(processes)]
        try:
            _wait(lambda: len(_answers(log)) >= len(inbox.mails), workers, folder)
            first = min(_answers(log).values())
            seconds, span = time.perf_counter() - started, time.time() - first
        finally:
            _end(workers)
    rate = len(inbox.mails) / seconds
    sys.stdout.write(f"{processes} workers: {seconds:.1f} s, {rate:.1f} mails/s; {span:.1f} s from the first letter\n")
    sys.stdout.flush()


def _measure_arrivals(inbox: Inbox, rate: float, dovecot: Dovecot, folder: Path) -> None:
    """Let mails arrive at one worker on SQLite, which waits by IDLE, and note when each is answered."""
    account = dovecot.new_account()
    arrived = []
    with sink(folder, "arrivals") as (port, log):
        command = _prepared(config_text(inbox, account, port, "sqlite:///mailbot.db"), inbox, folder)
        worker = _worker(command, folder)
        try:
            account.deliver(inbox.mails[0], datetime.now(UTC))
            _wait(lambda: len(_answers(log)) == 1, [worker], folder)  # now everything is started, and waits for mail
            begun = time.perf_counter()
            for number, mail in enumerate(inbox.mails[1:]):
                time.sleep(max(begun + number / rate - time.perf_counter(), 0))
                account.deliver(mail, datetime.now(UTC))
                arrived.append(time.time())
            _wait(lambda: len(_answers(log)) >= len(inbox.mails), [worker], folder)
        finally:
            _end([worker])
        answered = _answers(log)
    waits = sorted(
        answered[order["customer"]["email"]] - at for order, at in zip(inbox.orders[1:], arrived, strict=True)
    )
    half, most = (waits[min(int(len(waits) * share), len(waits) - 1)] for share in (0.5, 0.99))
    sys.stdout.write(f"{len(waits)} mails, {rate}/s: p50 {half:.2f} s, p99 {most:.2f} s, longest {waits[-1]:.2f} s\n")


def _prepared(config: str, inbox: Inbox, folder: Path) -> list[str]:
    (folder / "config.toml").write_text(config, encoding="utf-8")
    (folder / "orders.json").write_text(json.dumps(inbox.orders), encoding="utf-8")
    command = [*_MAILBOT, "--config", str(folder / "config.toml")]
    subprocess.run([*command, "orders", "import", str(folder / "orders.json")], check=True, capture_output=True)
    return command


def _worker(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / _LOG).open("ab") as log:
        return subprocess.Popen([*command, "worker"], stderr=log)


def _answers(log: Path) -> dict[str, float]:
    """When each recipient was answered first, by the submission server's clock."""
    answered: dict[str, float] = {}
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
        taken = json.loads(line)
        answered.setdefault(taken["to"], taken["at"])
    return answered


def _wait(done: Callable[[], bool], workers: Sequence[subprocess.Popen[bytes]], folder: Path) -> None:
    until = time.monotonic() + _LONGEST_SECONDS
    while not done():
        if any(worker.poll() is not None for worker in workers):
            sys.exit("a worker has ended by itself: " + (folder / _LOG).read_text(encoding="utf-8")[-2000:])
        if time.monotonic() > until:
            sys.exit("not every mail was answered in time")
        time.sleep(0.1)


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait()


if __name__ == "__main__":
    main()
