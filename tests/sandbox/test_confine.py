"""What the limited child may not do, tried in a process of its own: sockets, programs, other processes."""

import subprocess
import sys

import pytest

from mailbot.sandbox.confine import NAMESPACE, SECCOMP

_TRIES = """
import os, socket, ctypes
from mailbot.sandbox.confine import confine
ours, theirs = socket.socketpair()
given_up = confine()
def refused(deed):
    try:
        deed()
    except PermissionError:
        return "refused"
    except OSError as problem:
        return type(problem).__name__
    return "done"
def traced():
    if ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0) != 0:
        raise PermissionError
print(given_up, refused(lambda: socket.socket()), refused(lambda: os.execv("/bin/true", ["true"])), refused(traced))
ours.sendall(b"x")
print(theirs.recv(1).decode(), os.waitstatus_to_exitcode(os.waitpid(os.fork() or os._exit(3), 0)[1]))
"""


@pytest.fixture(scope="module")
def told() -> list[str]:
    ended = subprocess.run([sys.executable, "-c", _TRIES], capture_output=True, text=True, check=True)
    return ended.stdout.split()


def test_sockets_programs_and_other_processes_are_refused_and_work_goes_on(told: list[str]) -> None:
    given_up, *deeds = told
    if not int(given_up) & SECCOMP:
        pytest.skip("this kernel filters no system calls")
    assert deeds == ["refused", "refused", "refused", "x", "3"]


def test_it_says_what_it_gave_up(told: list[str]) -> None:
    assert 0 <= int(told[0]) <= NAMESPACE + SECCOMP
