"""An IMAP server that says what a test tells it to, for what no decent server would say."""

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Thread

from tests.servers.processes import LOOPBACK

Answer = bytes | Callable[[str], bytes | None]
"""What follows a command, or a function of its arguments; ``None`` hangs up. ``%TAG`` stands for the command's tag."""

_COMMAND = re.compile(r"(\S+) ((?:UID )?\S+) ?(.*)")
_DECENT: Mapping[str, Answer] = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n%TAG OK done\r\n",
    "LOGIN": b"%TAG OK signed in\r\n",
    "SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] here\r\n* OK [UIDNEXT 4] next\r\n%TAG OK [READ-WRITE] open\r\n",
    "NOOP": b"%TAG OK done\r\n",
    "DONE": b"%TAG OK done\r\n",
    "LOGOUT": b"* BYE\r\n%TAG OK done\r\n",
}


class ScriptedImap:
    """Answers each command by its script, one connection after the other; hangs up on who is silent for long.

    Attributes:
        heard: every line that came, as verb and arguments; DONE as its own.
        connections: how many there were.
    """

    def __init__(
        self, script: Mapping[str, Answer], greeting: bytes, patience: float, tls: ssl.SSLContext | None
    ) -> None:
        """Listen."""
        self._script, self._greeting, self._patience, self._tls = {**_DECENT, **script}, greeting, patience, tls
        self.heard: list[tuple[str, str]] = []
        self.connections = 0
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def verbs(self) -> list[str]:
        """Give every verb that was heard."""
        return [verb for verb, _ in self.heard]

    def stop(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                self.connections += 1
                with suppress(OSError), link:
                    link.settimeout(self._patience)
                    link.sendall(self._greeting)
                    self._serve(link)

    def _serve(self, link: socket.socket) -> None:
        tag = ""
        with link.makefile("rb") as lines:
            while line := lines.readline().decode("latin-1").rstrip("\r\n"):
                command = _COMMAND.match(line)
                tag, verb, arguments = command.groups() if command else (tag, line, "")
                self.heard.append((verb, arguments))
                answer = self._script.get(verb, b"%TAG BAD unknown\r\n")
                said = answer(arguments) if callable(answer) else answer
                if said is None:
                    return
                link.sendall(said.replace(b"%TAG", tag.encode()))
                if verb == "STARTTLS" and self._tls is not None:
                    with self._tls.wrap_socket(link, server_side=True) as safe:
                        self._serve(safe)


@contextmanager
def scripted_imap(
    script: Mapping[str, Answer],
    greeting: bytes = b"* OK ready\r\n",
    patience: float = 20.0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[ScriptedImap]:
    """Run such a server.

    Args:
        script: what it answers to which command, beside the decent answers to the most usual ones.
        greeting: what it says first.
        patience: for how many seconds a client may be silent.
        tls: what it speaks after STARTTLS; without it, it goes on in the clear.
    """
    server = ScriptedImap(script, greeting, patience, tls)
    try:
        yield server
    finally:
        server.stop()
