"""Whether a PDF may be opened at all: how much its streams unpack to, and how deep its objects lie."""

import re
import zlib

from mailbot.understand.unreadable import UnreadableError

_MOST_A_STREAM = 32 * 1024 * 1024
_MOST_IN_ALL = 100 * 1024 * 1024
_MOST_LAYERS = 10
_DEEPEST = 100
_MOST_BRACKETS = 2_000_000
_MOST_TRIED = 4
"""Times the file's own length that is looked at, since what is no packed stream is looked at again."""
_PIECE = 64 * 1024

_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_BRACKET = re.compile(rb"<<|>>|[\[\]]")
_OPENING = {b"<<", b"["}


def check_bounds(data: bytes) -> None:
    """Unpack every Flate stream once, layer by layer, and keep none of it; other filters unpack to pictures.

    Limits: 32 MB a stream, 100 MB in all, depth 100 (RELIABILITY.md, Limits). What hides its streams by encryption,
    or packs them otherwise, meets the memory limit of the process that reads it.

    Raises:
        UnreadableError: the file is beyond a limit.
    """
    at = total = tried = 0
    outside: list[bytes] = []
    while (found := _STREAM.search(data, at)) is not None:
        outside.append(data[at : found.start()])
        packed = memoryview(data)[found.end() :]
        unpacked, length = _unpacked(packed) if _is_packed(packed) else (b"", 0)
        tried += length
        for _ in range(_MOST_LAYERS):
            total += len(unpacked)
            if len(unpacked) > _MOST_A_STREAM or total > _MOST_IN_ALL:
                raise UnreadableError("the PDF unpacks to too much")
            if not _is_packed(unpacked):
                break
            unpacked, _ = _unpacked(memoryview(unpacked))
        else:
            raise UnreadableError("the PDF is packed too many times")
        if tried > _MOST_TRIED * len(data):
            raise UnreadableError("the PDF's streams are damaged")
        at = found.end() + (length if unpacked else 0)
    outside.append(data[at:])
    _check_depth(b"".join(outside))


def _unpacked(packed: memoryview) -> tuple[bytes, int]:
    """What a stream unpacks to, a byte more than it may at most, and how many bytes it takes; nothing if it is none."""
    inflate, pieces, size, at = zlib.decompressobj(), [], 0, 0
    try:
        while (inflate.unconsumed_tail or at < len(packed)) and not inflate.eof and size <= _MOST_A_STREAM:
            piece = inflate.unconsumed_tail or packed[at : at + _PIECE]
            at += 0 if inflate.unconsumed_tail else len(piece)
            pieces.append(inflate.decompress(piece, _MOST_A_STREAM + 1 - size))
            size += len(pieces[-1])
    except zlib.error:
        pass
    return b"".join(pieces), at - len(inflate.unused_data)


def _is_packed(data: bytes | memoryview) -> bool:
    """Whether this begins as zlib does (RFC 1950 §2.2)."""
    return len(data) > 1 and data[0] == 0x78 and int.from_bytes(data[:2], "big") % 31 == 0  # noqa: PLR2004 (RFC 1950)


def _check_depth(outside: bytes) -> None:
    depth = 0
    for number, bracket in enumerate(_BRACKET.finditer(outside)):
        depth = depth + 1 if bracket[0] in _OPENING else max(0, depth - 1)
        if depth > _DEEPEST or number > _MOST_BRACKETS:
            raise UnreadableError("the PDF's objects lie too deep")
