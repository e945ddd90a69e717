"""The process that children are forked from: everything loaded once, the environment empty, the network gone.

It runs as ``python -c`` with one socket and nothing else of its parent's. The rules of the shop come over it first. It
reads one mail of its own, so that no child begins cold. For each request it then forks a child, gives it the socket
that came with the request, and answers with the child's process id. It ends when its parent does.
Source: RELIABILITY.md, P2 and Limits.
"""

import gc
import os
import resource
import signal
import socket
import time
from contextlib import suppress
from functools import partial

from pydantic import TypeAdapter

from mailbot.model.picture import Sight
from mailbot.sandbox import show
from mailbot.sandbox.confine import confine
from mailbot.sandbox.examine import Examiner, See
from mailbot.sandbox.wire import receive_frame, send_frame

_MB = 1024 * 1024
_CPU_SECONDS = 60
_LIMITS = {
    resource.RLIMIT_AS: 768 * _MB,
    resource.RLIMIT_FSIZE: 50 * _MB,
    resource.RLIMIT_NOFILE: 64,
    resource.RLIMIT_CORE: 0,
}
_LONGEST_REQUEST = 64 * _MB
_YIELDS = 5  # as nice counts: what reads has work in store, what decides and sends waits for one answer after another
READ, FAILED, SEE = b"+", b"-", b"?"
_BRING = b"!"
_SIGHT: TypeAdapter[Sight] = TypeAdapter(Sight)


def serve(control_fd: int) -> None:
    """Fork a child for each socket that comes over the control socket, until that is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    given_up = confine()
    with socket.socket(fileno=control_fd) as control:
        rules = receive_frame(control, _LONGEST_REQUEST)
        if rules is None:
            return
        gc.disable()  # nearly all of what is loaded stays
        examiner = Examiner(rules)
        examiner.warm_up()
        gc.collect()
        gc.freeze()
        gc.enable()
        os.nice(_YIELDS)
        control.sendall(b"%d" % given_up)
        while True:
            message, sockets, _, _ = socket.recv_fds(control, 1, 1)
            _reap(0 if not message else os.WNOHANG)
            if not message:
                return
            child = os.fork()
            if child == 0:
                control.close()
                _run_child(sockets[0], examiner)
            os.close(sockets[0])
            control.sendall(child.to_bytes(4, "big"))


def _reap(how: int) -> None:
    """Take leave of children that have ended, or of all; what they computed then counts as this process's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, how)[0]:
            pass


def _run_child(talk_fd: int, examiner: Examiner) -> None:
    status = 1
    with suppress(BaseException):
        for limit, most in _LIMITS.items():
            resource.setrlimit(limit, (most, most))
        with socket.socket(fileno=talk_fd) as talk:
            _answer_requests(talk, examiner)
        status = 0
    os._exit(status)


def _answer_requests(talk: socket.socket, examiner: Examiner) -> None:
    see = partial(_have_seen, talk) if examiner.sees_pictures else None
    while (request := receive_frame(talk, _LONGEST_REQUEST)) is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + _CPU_SECONDS + 1, hard))
        send_frame(talk, _answer(examiner, request, see))


def _have_seen(talk: socket.socket, file: bytes) -> Sight:
    """Ask the parent to have a picture or a scan seen by the child that does that, in the midst of a mail."""
    send_frame(talk, SEE + file)
    answer = receive_frame(talk, _LONGEST_REQUEST)
    if answer is None:
        raise ConnectionError
    return _SIGHT.validate_json(answer)


def _answer(examiner: Examiner, request: bytes, see: See | None) -> bytes:
    try:
        if request.startswith(_BRING):
            return READ + show.answer(request[1:])
        return READ + examiner.examine(request, see)
    except MemoryError:
        return FAILED + b"needs more memory than a mail may"
    except Exception as bug:  # noqa: BLE001 (whatever hostile bytes bring about is an answer, with no word of the mail)
        at = bug.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        place = "" if at is None else f" at {os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno}"  # noqa: PTH119 (a code object's name, no path to open)
        return FAILED + f"{type(bug).__name__}{place}".encode()
