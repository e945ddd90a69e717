"""What bytes a part held before it was wrapped for the journey (RFC 2045 §6, and uuencode)."""

import binascii
import quopri
import re

DAMAGED = "transfer_encoding_damaged"

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(byte for byte in range(256) if byte not in _BASE64)
_NOT_BASE64_NOR_SPACE = bytes(byte for byte in _NOT_BASE64 if byte not in b" \t\r\n")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\r\n]{1,255}\r?\n", re.MULTILINE)
_MOST_FOREIGN = 0.04
"""The share of bytes strange to base64 above which a part is plain text under a wrong label."""


def decode_transfer(octets: bytes, encoding: str) -> tuple[bytes, str | None]:
    """Undo a Content-Transfer-Encoding, keeping whatever can be kept of a damaged one.

    Args:
        octets: the part's body as it stands in the message.
        encoding: the field's token, lower case; an unknown one means that nothing was wrapped.

    Returns:
        The content, and ``DAMAGED`` or ``None``.
    """
    if encoding == "base64":
        return _decode_base64(octets)
    if encoding == "quoted-printable":
        return quopri.decodestring(octets), None
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        return _decode_uu(octets)
    return octets, None


def decode_base64_loosely(octets: bytes) -> tuple[bytes, bool]:
    """Decode base64 that may be padded in the middle, cut short, or mixed with other bytes.

    Returns:
        The content, and whether nothing had to be mended.
    """
    first, _, rest = octets.partition(b"=")
    pieces = [first] if _foreign(rest) else [first, *rest.split(b"=")]
    clean = [piece for piece in (piece.translate(None, _NOT_BASE64) for piece in pieces) if piece]
    whole = len(clean) <= 1 and not _foreign(octets)
    return b"".join(_decode_piece(piece) for piece in clean), whole


def _decode_piece(piece: bytes) -> bytes:
    piece = piece[:-1] if len(piece) % 4 == 1 else piece
    return binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))


def _decode_base64(octets: bytes) -> tuple[bytes, str | None]:
    if _foreign(octets) > len(octets) * _MOST_FOREIGN:
        return octets, DAMAGED
    content, whole = decode_base64_loosely(octets)
    return content, None if whole else DAMAGED


def _foreign(octets: bytes) -> int:
    """How many bytes have no place in base64; blanks between words betray plain text."""
    return len(octets) - len(octets.translate(None, _NOT_BASE64_NOR_SPACE)) + octets.strip().count(b" ")


def _decode_uu(octets: bytes) -> tuple[bytes, str | None]:
    begin = _UU_BEGIN.search(octets)
    if begin is None:
        return octets, DAMAGED
    content = bytearray()
    for line in octets[begin.end() :].splitlines():
        if line.strip() in {b"end", b"`", b""}:
            break
        try:
            content += binascii.a2b_uu(line)
        except binascii.Error:
            wanted = (((line[0] - 32) & 63) * 4 + 5) // 3  # encoders that pad the line with too much
            try:
                content += binascii.a2b_uu(line[:wanted])
            except binascii.Error:
                return bytes(content), DAMAGED
    return bytes(content), None
