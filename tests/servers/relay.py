"""A wire between a client and a server that a test can cut at a chosen byte."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from selectors import EVENT_READ, DefaultSelector
from threading import Event, Thread

from tests.servers.processes import LOOPBACK

_PIECE = 4096
_LOOK_SECONDS = 0.05


class Relay:
    """Passes bytes both ways until it is cut; then every connection breaks and nobody listens any more.

    Attributes:
        port: where the client connects instead.
    """

    def __init__(self, server_port: int) -> None:
        """Listen in front of the server at that port."""
        self._server_port = server_port
        self._answers_left: int | None = None
        self._is_cut = Event()
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut_after(self, answered: int) -> None:
        """Cut as soon as the server has answered so many bytes more; those are still passed on."""
        self._answers_left = answered

    def cut(self) -> None:
        """Cut now."""
        self._is_cut.set()
        self._thread.join()

    def _run(self) -> None:
        with DefaultSelector() as ready, ExitStack() as ends:
            ends.enter_context(self._listener)
            ready.register(self._listener, EVENT_READ)
            targets: dict[socket.socket, socket.socket] = {}
            servers: set[socket.socket] = set()
            while not self._is_cut.is_set():
                for key, _ in ready.select(_LOOK_SECONDS):
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    if source is self._listener:
                        client = ends.enter_context(source.accept()[0])
                        server = ends.enter_context(socket.create_connection((LOOPBACK, self._server_port)))
                        targets |= {client: server, server: client}
                        servers.add(server)
                        ready.register(client, EVENT_READ)
                        ready.register(server, EVENT_READ)
                    elif not self._pass_on(source, targets[source], is_answer=source in servers):
                        ready.unregister(source)

    def _pass_on(self, source: socket.socket, target: socket.socket, *, is_answer: bool) -> bool:
        with suppress(OSError):
            if piece := source.recv(_PIECE):
                if is_answer and self._answers_left is not None:
                    piece = piece[: self._answers_left]
                    self._answers_left -= len(piece)
                    if self._answers_left == 0:
                        self._is_cut.set()
                target.sendall(piece)
                return True
            target.shutdown(socket.SHUT_WR)
        return False


@contextmanager
def relay(server_port: int) -> Iterator[Relay]:
    """Stand between a client and the server at that port."""
    wire = Relay(server_port)
    try:
        yield wire
    finally:
        wire.cut()
