"""How much of a message is parsed: cut where a hostile one would take too long, its broken header lines mended."""

import re

HEADER_TOO_LONG = "header_block_too_long"
HEADER_DAMAGED = "header_damaged"
MESSAGE_TOO_LARGE = "message_too_large"
TOO_DEEP = "mime_too_deep"
TOO_MANY_PARTS = "too_many_parts"

_MAX_RAW = 50 * 1024 * 1024
_MAX_HEADER_BLOCK = 256 * 1024
_MAX_LINES = 1_000_000
_MAX_DASHED_LINES = 5_000
_MAX_BOUNDARIES = 50
"""Each open boundary is compared with every line that follows."""

_HEADER_END = re.compile(rb"\n\r?\n|\r\r")
_DASHED_LINE = re.compile(rb"[\r\n]--")
_BOUNDARY = re.compile(rb"boundary[\s*0-9]*+=", re.IGNORECASE)
_SPACE_BEFORE_COLON = re.compile(rb"^([!-9;-~]{1,76})[ \t]{1,20}:", re.MULTILINE)
_JUNK_LINE = re.compile(
    rb"^(?!\AFrom |[!-9;-~]{1,76}:)[^\s][^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*+\r?\n(?=(?:%s):)"
    % rb"received|return-path|from|sender|to|cc|reply-to|subject|date|message-id|mime-version|content-[a-z-]{2,30}",
    re.MULTILINE | re.IGNORECASE,
)
"""A line that is no field, with fields behind it: the library would take all that follows for the body."""


def bounded(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The message cut where parsing it would take too long, and why."""
    end = _HEADER_END.search(raw, 0, _MAX_HEADER_BLOCK)
    if len(raw) > _MAX_RAW:
        return raw[: end.end() if end else _MAX_HEADER_BLOCK], (MESSAGE_TOO_LARGE,)
    if end is None and len(raw) > _MAX_HEADER_BLOCK:
        return raw[:_MAX_HEADER_BLOCK], (HEADER_TOO_LONG,)
    if end is not None:
        head = raw[: end.start()]
        mended = _JUNK_LINE.sub(b"", _SPACE_BEFORE_COLON.sub(rb"\1:", head))
        if mended != head:
            cut, defects = _cut(mended + raw[end.start() :])
            return cut, (*defects, HEADER_DAMAGED)
    return _cut(raw)


def _cut(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    defects: tuple[str, ...] = ()
    if raw.count(b"\n") + raw.count(b"\r") > 2 * _MAX_LINES:
        raw, defects = raw[:_MAX_LINES], (MESSAGE_TOO_LARGE,)
    if raw.count(b"\n--") + raw.count(b"\r--") > _MAX_DASHED_LINES:
        raw, defects = _before(raw, _DASHED_LINE, _MAX_DASHED_LINES), (*defects, TOO_MANY_PARTS)
    if raw.lower().count(b"boundary") > _MAX_BOUNDARIES:
        shorter = _before(raw, _BOUNDARY, _MAX_BOUNDARIES)
        raw, defects = shorter, (*defects, TOO_DEEP) if len(shorter) < len(raw) else defects
    return raw, defects


def _before(raw: bytes, pattern: re.Pattern[bytes], count: int) -> bytes:
    """The bytes before the first match past ``count`` of them."""
    for number, match in enumerate(pattern.finditer(raw)):
        if number == count:
            return raw[: match.start()]
    return raw
