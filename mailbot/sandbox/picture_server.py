"""The process that reads pictures: its own limits, no secrets, no network, one picture after the other.

It runs as ``python -I -c`` with an empty environment and one socket, loads the models that come with the extra ``ocr``,
then answers each file with a ``Sight`` as JSON. It ends when its parent does, or when a file asks for more than it may.
Source: RELIABILITY.md, Limits, "OCR child".
"""

import os
import resource
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from pydantic import TypeAdapter

from mailbot.model.picture import SeenPage, Sight
from mailbot.sandbox.confine import confine
from mailbot.sandbox.wire import DOCUMENT, receive_frame, send_frame

_READY = b"1"
_LONGEST_FILE = 16_000_000
_MB = 1024 * 1024
_CPU_SECONDS_A_PAGE = 20
_LIMITS = {
    resource.RLIMIT_AS: 1_280 * _MB,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NOFILE: 64,
    resource.RLIMIT_CORE: 0,
}
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_SIGHT: TypeAdapter[Sight] = TypeAdapter(Sight)

Look = Callable[[bytes, int], Sight]


def serve(talk_fd: int) -> None:
    """Answer the files that come over the socket until it is closed: one byte of kind, one of pages, the content."""
    os.environ.update(_ONE_THREAD)
    confine()
    with socket.socket(fileno=talk_fd) as talk, suppress(OSError):
        look = _open_eyes()
        for limit, most in _LIMITS.items():
            resource.setrlimit(limit, (most, most))
        talk.sendall(_READY)
        while (request := receive_frame(talk, _LONGEST_FILE)) is not None:
            send_frame(talk, _SIGHT.dump_json(look(request[:1] + request[2:], request[1])))


def _open_eyes() -> Look:
    from mailbot.sandbox.pixels import UnseenError, open_pages, open_picture  # noqa: PLC0415 (needs the extra, and one thread)
    from mailbot.sandbox.sight import Eyes  # noqa: PLC0415

    eyes = Eyes()

    def look(file: bytes, most_pages: int) -> Sight:
        kind, data = file[:1], file[1:]
        pages: list[SeenPage] = []
        try:
            for pixels in open_pages(data, most_pages) if kind == DOCUMENT else [open_picture(data)]:
                _allow_time()
                pages.append(eyes.look(pixels))
        except UnseenError as problem:
            return Sight(pages=(), unreadable=str(problem))
        return Sight(pages=tuple(pages))

    _allow_time()
    return look


def _allow_time() -> None:
    """Let the next page have its time from now on; a process that goes beyond it is ended by the kernel."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + _CPU_SECONDS_A_PAGE + 1, hard))
