"""A wire to a real server that knows what is said on it, and breaks or holds a connection at a chosen point."""

import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from select import select
from threading import Event, Lock, Thread
from typing import Protocol

from tests.servers.processes import LOOPBACK

BEFORE, WITHIN, AFTER = "before", "within", "after"
RESET, CLOSE, STALL, PIECES = "reset", "close", "stall", "pieces"
GREETING, MESSAGE, DOT, PIECE = "greeting", "message", "dot", "piece"

_MOST = 65536
_LOOK_SECONDS = 0.2
_A_CUT = 5


class _OverError(Exception):
    """This connection has come to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What befalls one connection.

    Attributes:
        point: a verb of the client's, ``GREETING``, ``MESSAGE`` (an SMTP text), ``DOT`` or ``PIECE`` (of TLS).
        side: before the server hears of it, within its answer (or the text), after it was heard and answered, untold.
        deed: RST, FIN, nothing more passes and nothing closes, or every byte after goes in small pieces.
        turn: at the which time.
    """

    point: str
    side: str
    deed: str
    turn: int = 1


class Speech(Protocol):
    """What a client's bytes mean."""

    def cut(self, heard: bytearray) -> tuple[str, bytes] | None:
        """Take the first whole thing said off ``heard``, with its point's name; ``None`` until there is one."""

    def answered(self, said: bytes) -> None:
        """Hear the server."""

    @property
    def message_id(self) -> str:
        """Of the message whose dot was said last."""


class Lines:
    """IMAP: a verb follows a tag. Encrypted from STARTTLS on."""

    message_id = ""
    _place = 1

    def __init__(self) -> None:
        self._encrypted = self._asked = False

    def cut(self, heard: bytearray) -> tuple[str, bytes] | None:
        if self._encrypted:
            return (PIECE, _taken(heard, len(heard))) if heard else None
        end = heard.find(b"\n")
        return None if end < 0 else self._named(_taken(heard, end + 1))

    def _named(self, line: bytes) -> tuple[str, bytes]:
        words = line.decode("latin-1").upper().split()
        verb = words[min(self._place, len(words) - 1)] if words else ""
        if verb == "UID":
            verb = " ".join(words[1:3])
        self._asked = verb == "STARTTLS"
        return verb, line

    def answered(self, said: bytes) -> None:
        if self._asked:
            self._asked = False
            self._encrypted = b" OK" in said or said.startswith(b"220")


class Mail(Lines):
    """SMTP: a verb begins the line; after DATA comes the text up to its dot."""

    _place = 0

    def __init__(self) -> None:
        super().__init__()
        self.message_id = ""
        self._begun = self._asked_for_data = False
        self._text = bytearray()

    def cut(self, heard: bytearray) -> tuple[str, bytes] | None:
        if not self._begun or not heard:
            return super().cut(heard)
        whole = bytes(self._text + heard)
        end = whole.find(b"\r\n.\r\n")
        if end < 0:
            # The dot's own line may have come in part: it is kept back, as it is no part of the text.
            safe = whole.rfind(b"\r\n") + 2 if not whole.endswith(b"\r\n") else len(whole)
            safe -= len(self._text)
            if safe <= 0:
                return None
            text = _taken(heard, safe)
            self._text += text
            return MESSAGE, text
        left = end + 2 - len(self._text)
        if left > 0:
            text = _taken(heard, left)
            self._text += text
            return MESSAGE, text
        self.message_id = str(message_from_bytes(bytes(self._text))["Message-ID"])
        self._begun, self._text = False, bytearray()
        return DOT, _taken(heard, 3)

    def _named(self, line: bytes) -> tuple[str, bytes]:
        verb, line = super()._named(line)
        self._asked_for_data = verb == "DATA"
        return verb, line

    def answered(self, said: bytes) -> None:
        super().answered(said)
        if self._asked_for_data:
            self._asked_for_data = False
            self._begun = said.startswith(b"3")


class Queries:
    """PostgreSQL's protocol 3: a statement's first word is its point; the start and all else are ``other``."""

    message_id = ""

    def __init__(self) -> None:
        self._started = False

    def cut(self, heard: bytearray) -> tuple[str, bytes] | None:
        at = 1 if self._started else 0
        if len(heard) < at + 4:
            return None
        length = at + int.from_bytes(heard[at : at + 4], "big")
        if len(heard) < length:
            return None
        said = _taken(heard, length)
        if not self._started:
            self._started = said[4:8] == b"\0\3\0\0"
            return "other", said
        text = {b"Q": said[5:], b"P": said[5:].partition(b"\0")[2]}.get(said[:1], b"")
        words = text.split(maxsplit=1)
        return (words[0].rstrip(b"\0").decode("latin-1").upper() if words else "other"), said

    def answered(self, said: bytes) -> None:
        """It says nothing that changes how the client is heard."""


@dataclass(slots=True)
class Wire:
    """Passes bytes to a server at a port; each connection meets the fate that ``fate`` gives it.

    Attributes:
        strips: neither side learns of the other's STARTTLS.
        slips_in: what somebody puts behind the server's consent to STARTTLS.
        struck: what befell connections: point, side and deed.
        doubted: messages whose connection ended after their dot was said, before the client could show that it heard.
        heard: everything that clients said unencrypted, by point.
    """

    server_port: int
    speech: Callable[[], Speech]
    fate: Callable[[], Fault | None] = lambda: None
    strips: bool = False
    slips_in: bytes = b""
    connections: int = 0
    struck: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    doubted: Counter[str] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)
    port: int = 0
    lock: Lock = field(default_factory=Lock)
    stopping: Event = field(default_factory=Event)

    def listen(self, listener: socket.socket) -> None:
        """Accept until the listener is closed."""
        with suppress(OSError):
            while not self.stopping.is_set():
                if not select([listener], [], [], _LOOK_SECONDS)[0]:
                    continue
                client = listener.accept()[0]
                self.connections += 1
                Thread(target=_Connection(self, client, self.fate()).run, daemon=True).start()


class _Connection:
    def __init__(self, wire: Wire, client: socket.socket, fault: Fault | None) -> None:
        self._wire, self._client, self._fault = wire, client, fault
        self._speech = wire.speech()
        self._turns = fault.turn if fault else 0
        self._in_pieces = False
        self._in_doubt = ""
        self._point = GREETING
        self._due = self._is_due(GREETING)

    def _is_due(self, point: str) -> bool:
        """Whether the fault is to strike at this point now."""
        if self._fault is None or self._fault.point != point:
            return False
        self._turns -= 1
        return self._turns == 0

    def run(self) -> None:
        """Carry bytes until one side has enough, or the fault strikes."""
        with suppress(OSError, _OverError), self._client as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with socket.create_connection((LOOPBACK, self._wire.server_port)) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._server = server
                if self._due and self._fault and self._fault.side == BEFORE:
                    self._strike()
                self._carry(server)
        if self._in_doubt:
            with self._wire.lock:
                self._wire.doubted[self._in_doubt] += 1

    def _carry(self, server: socket.socket) -> None:
        heard = bytearray()
        while not self._wire.stopping.is_set():
            ready = select([self._client, server], [], [], _LOOK_SECONDS)[0]
            if self._client in ready:
                piece = self._client.recv(_MOST)
                if not piece:
                    return
                heard += piece
                while (said := self._speech.cut(heard)) is not None:
                    self._pass_on(*said)
            if server in ready:
                answer = server.recv(_MOST)
                if not answer:
                    return
                self._answer(answer)

    def _pass_on(self, point: str, said: bytes) -> None:
        self._point = point
        self._in_doubt = self._speech.message_id if point == DOT else ""
        with self._wire.lock:
            self._wire.heard[point] += 1
        fault = self._fault
        self._due = self._is_due(point)
        if fault is not None and self._due:
            if fault.deed == PIECES or fault.side == BEFORE:
                self._strike()
            elif fault.side == WITHIN and point == MESSAGE:
                self._send(self._server, said[: len(said) // 2])
                self._strike()
        if point == "STARTTLS" and self._wire.strips:
            self._speech.answered(b"")
            refused = b"502 no such command\r\n" if said.startswith(b"START") else said.split()[0] + b" BAD no\r\n"
            self._send(self._client, refused)
            return
        self._send(self._server, said)

    def _answer(self, said: bytes) -> None:
        self._speech.answered(said)
        if self._wire.strips:
            said = said.replace(b"STARTTLS", b"STOPTLS")
        if self._point == "STARTTLS":
            said += self._wire.slips_in
            self._point = ""
        if self._due and self._fault is not None and self._fault.deed != PIECES:
            if self._fault.side == WITHIN:
                self._send(self._client, said[: max(1, len(said) // 2)])
            self._strike()
        self._send(self._client, said)

    def _send(self, to: socket.socket, said: bytes) -> None:
        if not self._in_pieces:
            to.sendall(said)
            return
        for at in range(0, len(said), _A_CUT):
            to.sendall(said[at : at + _A_CUT])

    def _strike(self) -> None:
        assert self._fault is not None
        self._due = False
        with self._wire.lock:
            self._wire.struck[self._fault.point, self._fault.side, self._fault.deed] += 1
        match self._fault.deed:
            case "pieces":
                self._in_pieces = True
                return
            case "reset":
                for end in (self._client, self._server):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "close":
                self._client.shutdown(socket.SHUT_WR)
            case "stall":
                while not self._wire.stopping.is_set():
                    if select([self._client], [], [], _LOOK_SECONDS)[0] and not self._client.recv(_MOST):
                        break
        raise _OverError


def _taken(heard: bytearray, size: int) -> bytes:
    taken = bytes(heard[:size])
    del heard[:size]
    return taken


@contextmanager
def wire(server_port: int, speech: Callable[[], Speech]) -> Iterator[Wire]:
    """Stand between clients and the server at that port."""
    line = Wire(server_port, speech)
    with socket.create_server((LOOPBACK, 0), backlog=64) as listener:
        line.port = listener.getsockname()[1]
        thread = Thread(target=line.listen, args=(listener,), daemon=True)
        thread.start()
        try:
            yield line
        finally:
            line.stopping.set()
            thread.join()
