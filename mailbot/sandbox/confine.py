"""Taking from this process what reading a mail never needs: the network, other programs, other processes.

Two ways, of which a kernel may give either, both or none: a network namespace with nothing in it, and a filter of
system calls (seccomp) that answers "not permitted". What a process gave up, its children do not have either.
Source: RELIABILITY.md, Limits, "child".
"""

import ctypes
import os
import platform
import struct

NAMESPACE, SECCOMP = 1, 2

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER_MODE = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_ALLOW, _NOT_PERMITTED = 0x7FFF0000, 0x00050001
_OTHER_CALLS = 0x40000000
"""x86-64 knows every call once more from here on (x32)."""
_FORBIDDEN = {
    # architecture: its mark, and its numbers of socket, connect, execve, execveat, ptrace, process_vm_readv and
    # process_vm_writev, mount, unshare, setns, keyctl, bpf, io_uring_setup
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 310, 311, 165, 272, 308, 250, 321, 425)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 270, 271, 40, 97, 268, 219, 280, 425)),
}


def confine() -> int:
    """Give up all of it that this kernel lets a process give up.

    Returns:
        ``NAMESPACE`` and ``SECCOMP``, added up; 0: neither.
    """
    return (NAMESPACE if _leave_network() else 0) + (SECCOMP if _filter_calls() else 0)


def _leave_network() -> bool:
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    try:
        return bool(ctypes.CDLL(None).unshare(flags) == 0)
    except (OSError, AttributeError):
        return False


def _filter_calls() -> bool:
    known = _FORBIDDEN.get(platform.machine())
    if known is None:
        return False
    program = _program(*known)
    rules = ctypes.create_string_buffer(program, len(program))
    table = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(rules))
    try:
        control = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return False
    control.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_ulong]
    if control(_PR_SET_NO_NEW_PRIVS, 1, None, 0, 0) != 0:
        return False
    return bool(control(_PR_SET_SECCOMP, _FILTER_MODE, table, 0, 0) == 0)


def _program(architecture: int, forbidden: tuple[int, ...]) -> bytes:
    """The filter as the kernel takes it (BPF): another architecture's call, or a forbidden one, is not permitted."""
    checks = [(_AT_LEAST, _OTHER_CALLS), *((_EQUAL, number) for number in forbidden)]
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 0, len(checks) + 2, architecture),
        (_LOAD, 0, 0, _NUMBER_AT),
        *((code, len(checks) - at, 0, value) for at, (code, value) in enumerate(checks)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _NOT_PERMITTED),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)
