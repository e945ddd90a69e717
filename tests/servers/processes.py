"""Starting a program as a server of the tests' own, and ending it again: that one and nothing else."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

LOOPBACK = "127.0.0.1"
_PAUSE = 0.01
_START_SECONDS = 60.0
_END_SECONDS = 10.0
_LEASH = """
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -s "$0" $server; } &
watch=$!
wait $server
code=$?
kill $watch 2>/dev/null
exit $code
"""


@contextmanager
def private_folder(name: str, where: Path | None = None) -> Iterator[Path]:
    """Give a folder that a server may enter under its own user; it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f"mailbot-{name}-", dir=where))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(has_come: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Look again and again until it has come, and fail by its name where it does not."""
    until, pause = monotonic() + seconds, Event()
    while not has_come():
        if monotonic() > until:
            raise AssertionError(f"{what} has not come in {seconds:g} s")
        pause.wait(_PAUSE)


@contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    log: Path,
    user: str | None = None,
    ended_by: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """Run a server in the foreground from the moment its port answers, and end it afterwards.

    It also ends when the tests are killed: then the pipe that it hangs on breaks.
    """
    leash = ["/bin/sh", "-c", _LEASH, ended_by.name.removeprefix("SIG")]
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [*leash, *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        ) as server,
    ):
        assert server.stdin is not None
        try:
            has_come = f"{command[0]} on port {port}"
            wait_until(lambda: server.poll() is not None or _answers(port), has_come, _START_SECONDS)
            if server.poll() is not None:
                raise AssertionError(f"{command[0]} ended at once: {log.read_text(errors='replace')[-2000:]}")
            yield
        finally:
            server.stdin.close()
            try:
                server.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def _answers(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
