"""Frames between a parent and its limited child: four bytes of length, then so many bytes."""

import socket
import time

PICTURE, DOCUMENT = b"i", b"d"
"""What the child that reads pictures is to look at."""

_LENGTH = 4


class FrameTooLongError(OSError):
    """The other side announces more than it may send."""


def send_frame(talk: socket.socket, content: bytes) -> None:
    """Send one frame whole.

    Raises:
        OSError: the other side is gone, or did not take it in time.
    """
    talk.sendall(len(content).to_bytes(_LENGTH, "big") + content)


def receive_frame(talk: socket.socket, most: int, until: float | None = None) -> bytes | None:
    """The next frame whole, or ``None`` where the other side has ended.

    Args:
        talk: the connection.
        most: bytes that the other side may send.
        until: ``time.monotonic()`` at which patience ends; ``None``: never.

    Raises:
        FrameTooLongError: it is longer than ``most`` bytes.
        TimeoutError: it did not come whole in time.
        OSError: the other side is gone in the middle of a frame.
    """
    head = _receive(talk, _LENGTH, until)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if length > most:
        raise FrameTooLongError(f"a frame of {length} bytes, {most} at most")
    content = _receive(talk, length, until)
    if len(content) < length:
        raise ConnectionError("the other side ended in the middle of a frame")
    return content


def _receive(talk: socket.socket, length: int, until: float | None) -> bytes:
    content = bytearray()
    while len(content) < length:
        if until is not None:
            talk.settimeout(max(until - time.monotonic(), 0.001))
        piece = talk.recv(min(length - len(content), 1 << 20))
        if not piece:
            break
        content += piece
    return bytes(content)
