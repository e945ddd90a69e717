"""Children that read mails for this process: kept for 100 mails, replaced after any failure, killed when they stall."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from mailbot.errors import PermanentError, RetryableError
from mailbot.model.picture import MOST_SEEN, Sight
from mailbot.model.reading import Reading
from mailbot.sandbox.confine import NAMESPACE, SECCOMP
from mailbot.sandbox.pictures import PictureChild
from mailbot.sandbox.rules import ReadingRules, request_bytes, rules_bytes
from mailbot.sandbox.show import PNG, Drawn, Head, Part, Wanted, parse_shown, wanted_bytes
from mailbot.sandbox.wire import FrameTooLongError, receive_frame, send_frame

_WALL_SECONDS = 90.0
_LONGEST_ANSWER = 1024 * 1024
_MAILS_PER_CHILD = 100
_READING: TypeAdapter[Reading] = TypeAdapter(Reading)
_Answer = TypeVar("_Answer")
_SIGHT: TypeAdapter[Sight] = TypeAdapter(Sight)
_SERVER = "import sys; sys.path[:] = {path!r}; from mailbot.sandbox.server import serve; serve({fd})"
_READ, _SEE, _BRING = b"+", b"?", b"!"
_LONGEST_SHOWN = 16_000_000


class ReadingFailedError(PermanentError):
    """A mail could not be read within the limits; the text says which and holds no word of the mail."""


class NoReaderError(RetryableError):
    """The process that reads mails does not start; no mail is to blame."""


@dataclass(slots=True, kw_only=True)
class _Child:
    pid: int
    talk: socket.socket
    mails: int = 0


class Sandbox:
    """A pool of limited children; use it as a context, so that no child outlives its use."""

    def __init__(self, rules: ReadingRules, children: int) -> None:
        self._rules = rules_bytes(rules)
        self._threads = ThreadPoolExecutor(max_workers=children, thread_name_prefix="sandbox")
        self._idle: SimpleQueue[_Child] = SimpleQueue()
        self._starting = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._given_up = 0
        self._pictures = PictureChild()

    def __enter__(self) -> Self:
        """Nothing is started before ``begin`` or the first mail."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End every child."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        with suppress(Empty):
            while True:
                self._idle.get_nowait().talk.close()
        self._end_server()
        self._pictures.close()

    @property
    def is_cut_off(self) -> bool:
        """Whether the kernel keeps the children from the network; known once a mail has been read."""
        return self._given_up != 0

    @property
    def isolation(self) -> tuple[str, ...]:
        """What keeps the children from the network and other programs, beside limits and an empty environment."""
        ways = {NAMESPACE: "network namespace", SECCOMP: "system call filter"}
        return tuple(name for way, name in ways.items() if self._given_up & way)

    def begin(self) -> None:
        """Start what reads mails before there is one to read; if it does not start, the first mail says so."""
        self._threads.submit(self._begin)

    def submit(self, raw: bytes, received_at: datetime) -> Future[Reading]:
        """Have a mail read; the future raises ``ReadingFailedError`` where that fails."""
        return self._threads.submit(self._read, raw, received_at)

    def read(self, raw: bytes, received_at: datetime) -> Reading:
        """Read one mail and wait for it.

        Args:
            raw: the mail's bytes.
            received_at: when it arrived, which "yesterday" is counted from.

        Raises:
            ReadingFailedError: it could not be read within the limits.
        """
        return self.submit(raw, received_at).result()

    def see(self, file: bytes) -> Sight:
        """Have one picture or scan looked at: its kind (``wire.PICTURE`` or ``DOCUMENT``) and its content."""
        return self._pictures.see(file, MOST_SEEN)

    def take_part(self, raw: bytes, path: str) -> Part | None:
        """One attachment of a mail; ``None`` where it has no such one, or that lies beyond a limit.

        Raises:
            ReadingFailedError: the mail could not be taken apart within the limits.
        """
        head, data = self._show(Wanted(what="part", path=path), raw)
        return None if head.problem else Part(file_name=head.file_name, data=data)

    def show_html(self, raw: bytes) -> str:
        """A mail's HTML as a page without anything that acts or asks.

        Raises:
            ReadingFailedError: as ``take_part``.
        """
        return self._show(Wanted(what="html"), raw)[1].decode("utf-8", "replace")

    def draw_page(self, raw: bytes, path: str, page: int, side: int) -> Drawn:
        """One page of an attachment, drawn anew.

        Raises:
            ReadingFailedError: it cannot be drawn, or not within the limits; the text says why.
        """
        head, png = self._show(Wanted(what="page", path=path, page=page, side=side), raw)
        if head.problem or not png.startswith(PNG):
            raise ReadingFailedError(head.problem or "the answer is no picture")
        return Drawn(pages=head.pages, png=png)

    def _show(self, wanted: Wanted, raw: bytes) -> tuple[Head, bytes]:
        return self._threads.submit(
            self._answered, _BRING + wanted_bytes(wanted, raw), _LONGEST_SHOWN, parse_shown
        ).result()

    def _read(self, raw: bytes, received_at: datetime) -> Reading:
        return self._answered(request_bytes(raw, received_at), _LONGEST_ANSWER, _READING.validate_json)

    def _answered(self, request: bytes, most: int, parse: Callable[[bytes], _Answer]) -> _Answer:
        """What a child answers; one that fails in any way is replaced."""
        child = self._take_child()
        try:
            answer = self._ask(child, request, most)
        except OSError as problem:
            self._kill(child)
            raise ReadingFailedError(_why(problem)) from None
        if not answer.startswith(_READ):
            self._kill(child)
            raise ReadingFailedError(answer[1:].decode("utf-8", "replace")[:200])
        try:
            parsed = parse(answer[1:])
        except ValidationError as problem:
            self._kill(child)
            raise ReadingFailedError(f"the answer is no reading ({problem.error_count()} faults)") from None
        child.mails += 1
        if child.mails < _MAILS_PER_CHILD:
            self._idle.put(child)
        else:
            child.talk.close()
        return parsed

    def _ask(self, child: _Child, request: bytes, most: int) -> bytes:
        """One mail's answer; what the child asks to have seen on the way goes to the child that reads pictures."""
        answer = self._exchange(child, request)
        asked, pages = 0, 0
        while answer.startswith(_SEE):
            if asked == MOST_SEEN:
                raise ConnectionError
            sight = self._pictures.see(answer[1:], MOST_SEEN - pages)
            asked, pages = asked + 1, pages + len(sight.pages)
            answer = self._exchange(child, _SIGHT.dump_json(sight))
        if len(answer) > most:
            raise FrameTooLongError(f"a frame of {len(answer)} bytes, {most} at most")
        return answer

    def _exchange(self, child: _Child, request: bytes) -> bytes:
        until = time.monotonic() + _WALL_SECONDS
        child.talk.settimeout(_WALL_SECONDS)
        send_frame(child.talk, request)
        answer = receive_frame(child.talk, _LONGEST_SHOWN, until)
        if answer is None:
            raise ConnectionError
        return answer

    def _begin(self) -> None:
        with self._starting, suppress(NoReaderError):
            self._ensure_server()

    def _take_child(self) -> _Child:
        try:
            return self._idle.get_nowait()
        except Empty:
            with self._starting:
                return self._start_child()

    def _start_child(self) -> _Child:
        control = self._ensure_server()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(control, [b"c"], [theirs.fileno()])
                pid = int.from_bytes(control.recv(4), "big")
            except OSError:
                pid = 0
        if not pid:
            self._end_server()
            ours.close()
            raise NoReaderError("the process that reads mails has ended; it is started again")
        return _Child(pid=pid, talk=ours)

    def _ensure_server(self) -> socket.socket:
        if self._control is not None and self._server is not None and self._server.poll() is None:
            return self._control
        self._end_server()
        self._control, theirs = socket.socketpair()
        try:
            with theirs:
                self._server = _start_server(theirs.fileno())
            send_frame(self._control, self._rules)
            ready = self._control.recv(1)
        except OSError:
            ready = b""
        if not ready:
            self._end_server()
            raise NoReaderError("the process that reads mails does not start; run mailbot doctor")
        self._given_up = int(ready)
        return self._control

    def _end_server(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._server is not None:
            self._server.wait()
            self._server = None

    def _kill(self, child: _Child) -> None:
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
        child.talk.close()


def _start_server(talk_fd: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-I", "-c", _SERVER.format(path=sys.path, fd=talk_fd)],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[talk_fd],
    )


def _why(problem: OSError) -> str:
    match problem:
        case TimeoutError():
            return f"took longer than {_WALL_SECONDS:.0f} s"
        case ConnectionError():
            return "the child ended: it needed more than 60 s of computing, or more memory than a mail may"
        case _:
            return f"the child's answer was refused: {problem}"
