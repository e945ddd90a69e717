"""The child that reads pictures, as its parent keeps it: started for the first picture, ended after any failure."""

import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib.util import find_spec

from pydantic import TypeAdapter, ValidationError

from mailbot.model.picture import Sight
from mailbot.sandbox.wire import receive_frame, send_frame

_MODULES = ("cv2", "onnxruntime", "PIL", "rapidocr", "zxingcpp")
_SERVER = "import sys; sys.path[:] = {path!r}; from mailbot.sandbox.picture_server import serve; serve({fd})"
_WALL_SECONDS = 240.0  # each page has 20 s of computing, on a machine that does other things, too
_LONGEST_ANSWER = 1024 * 1024
_FILES_PER_CHILD = 100
_SIGHT: TypeAdapter[Sight] = TypeAdapter(Sight)
_NO_MORE = Sight(pages=(), unreadable="the mail has more pictures and pages than are read")
_FAILED = Sight(pages=(), unreadable="the picture asks for more time or memory than it may")
_NOT_STARTED = Sight(pages=(), unreadable="the process that reads pictures does not start; run mailbot doctor")


def missing_modules() -> tuple[str, ...]:
    """What the extra ``ocr`` brings and is not installed; empty where pictures can be read."""
    return tuple(name for name in _MODULES if find_spec(name) is None)


class PictureChild:
    """One process that looks at one file at a time; several threads may share it."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._talk: socket.socket | None = None
        self._files = 0

    def see(self, file: bytes, most_pages: int) -> Sight:
        """Have a file looked at.

        Args:
            file: its kind, one byte of ``picture_server``, and its content, which this process never opens.
            most_pages: it may have; none left gives an answer that says so.
        """
        if most_pages < 1:
            return _NO_MORE
        with self._turn:
            talk = self._ensure_child()
            if talk is None:
                self._end()
                return _NOT_STARTED
            try:
                send_frame(talk, file[:1] + bytes([most_pages]) + file[1:])
                answer = receive_frame(talk, _LONGEST_ANSWER, time.monotonic() + _WALL_SECONDS)
                sight = _SIGHT.validate_json(answer or b"")
            except (OSError, ValidationError):
                self._end()
                return _FAILED
            self._files += 1
            if self._files >= _FILES_PER_CHILD:
                self._end()
            return sight

    def close(self) -> None:
        """End the process, if it runs."""
        with self._turn:
            self._end()

    def _ensure_child(self) -> socket.socket | None:
        if self._talk is not None and self._process is not None and self._process.poll() is None:
            return self._talk
        self._end()
        self._talk, theirs = socket.socketpair()
        self._talk.settimeout(_WALL_SECONDS)
        try:
            with theirs:
                self._process = _start_server(theirs.fileno())
            ready = self._talk.recv(1)
        except OSError:
            return None
        return self._talk if ready else None

    def _end(self) -> None:
        if self._talk is not None:
            self._talk.close()
        if self._process is not None:
            with suppress(OSError):
                self._process.kill()
            self._process.wait()
        self._talk, self._process, self._files = None, None, 0


def _start_server(talk_fd: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-I", "-c", _SERVER.format(path=sys.path, fd=talk_fd)],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[talk_fd],
    )
