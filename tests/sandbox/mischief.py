"""The limited child as it is, but for a reader that misbehaves when a mail asks it to: run by the tests' own server.

A mail asks by its subject, such as ``mischief: memory``; every other mail is read as always.
"""

import json
import os
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from mailbot.sandbox import in_time, server
from mailbot.sandbox.examine import Examiner, See

CPU_SECONDS = 1
_OPEN = Path("/proc/self/fd")


def serve(control_fd: int) -> None:
    """Do as ``mailbot.sandbox.server.serve`` does."""
    server._CPU_SECONDS = CPU_SECONDS
    in_time._MOST_SECONDS_A_PDF = in_time._MOST_SECONDS_A_PAGE = 0.05
    for name in ("read_pdf", "read_html"):
        setattr(in_time, name, _slow_for(b"mischief: slow", getattr(in_time, name)))
    setattr(server, "Examiner", Mischievous)  # noqa: B010 (a plain assignment would say that the module exports it)
    server.serve(control_fd)


class Mischievous(Examiner):
    """Reads mails, or does what they ask."""

    def examine(self, request: bytes, see: See | None = None) -> bytes:
        for name, mischief in _MISCHIEFS.items():
            if f"mischief: {name}".encode() in request:
                return mischief(super().examine(request, see))
        return super().examine(request, see)


def _memory(_reading: bytes) -> bytes:
    return bytes(1024 * 1024 * 1024)


def _crash(_reading: bytes) -> NoReturn:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def _work(_reading: bytes) -> NoReturn:
    while True:
        pass


def _slow_for(mark: bytes, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A reader of files that never comes to an end with a marked one."""
    return lambda file: _work(mark) if mark in (file if isinstance(file, bytes) else file.encode()) else read(file)


def _stall(_reading: bytes) -> NoReturn:
    signal.pause()
    raise AssertionError


def _garbage(_reading: bytes) -> bytes:
    return b'{"kind": "customer", "topic": "anything"}'


def _long(reading: bytes) -> bytes:
    return reading + b" " * 1024 * 1024


def _bug(_reading: bytes) -> NoReturn:
    raise ValueError("the customer's secret words")


def _half(_reading: bytes) -> NoReturn:
    talk = socket.socket(fileno=max(int(link.name) for link in _OPEN.iterdir() if _is_socket(link)))
    talk.sendall((1000).to_bytes(4, "big") + b"+ half an answer")
    os._exit(0)


def _is_socket(link: Path) -> bool:
    try:
        return str(link.readlink()).startswith("socket:")
    except OSError:
        return False


def _write(_reading: bytes) -> NoReturn:
    with Path(f"/tmp/mailbot-mischief-{os.getpid()}").open("wb") as file:  # noqa: S108 (it is unlinked at once)
        Path(file.name).unlink()
        file.write(bytes(51 * 1024 * 1024))
    raise AssertionError


def _told(reading: bytes) -> bytes:
    """The reading with what the child knows of the world as its subject."""
    form = json.loads(reading)
    links = [str(link.readlink()) for link in _OPEN.iterdir() if link.is_symlink()]
    form["subject"] = json.dumps(
        {
            "environment": dict(os.environ),
            "folder": str(Path.cwd()),
            "files": sorted(link.partition(":")[0] for link in links if not link.startswith("/proc")),
            "limits": {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1] for name in _LIMITS},
            "network": _reaches_network(),
            "parent": os.getppid(),
        }
    )
    return json.dumps(form).encode()


_LIMITS = ("AS", "FSIZE", "NOFILE", "CORE")


def _reaches_network() -> bool:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 53))
    except OSError:
        return False
    return True


def _runs(_reading: bytes) -> NoReturn:
    os.execv("/bin/true", ["true"])  # noqa: S606 (it is the misdeed)


_MISCHIEFS: dict[str, Callable[[bytes], bytes]] = {
    "memory": _memory,
    "crash": _crash,
    "work": _work,
    "stall": _stall,
    "garbage": _garbage,
    "long": _long,
    "bug": _bug,
    "half": _half,
    "write": _write,
    "told": _told,
    "runs": _runs,
}
