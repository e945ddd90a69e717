"""A message's header fields byte by byte, with everything about them that two programs could read differently.

Who a mail is from is decided on these bytes alone: forgeries live from parsers that mend what they read
(Chen, Paxson, Jiang: "Composition Kills", 2020).
"""

import re
from dataclasses import dataclass

_MAX_BLOCK = 256 * 1024
_MAX_FIELDS = 1_000
_MAX_FIELD = 64 * 1024

_END = re.compile(rb"\r?\n\r?\n")
_NAME = re.compile(rb"[!-9;-~]{1,76}")
_ENVELOPE_LINE = re.compile(rb"From [^\s:]{1,320} +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [^\r\n]{1,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderLines:
    """The header of a message.

    Attributes:
        fields: lower-case name, and value without its line breaks, in order.
        fault: the first thing that makes the block ambiguous; ``None`` where every program reads the same fields.
    """

    fields: tuple[tuple[str, bytes], ...]
    fault: str | None

    def values(self, name: str) -> list[bytes]:
        """Values of every field of that lower-case name, in order."""
        return [value for field, value in self.fields if field == name]


def split_header(raw: bytes) -> HeaderLines:
    """Split the header of a message into its fields. Never raises.

    Source: RFC 5322 §2.2, without its obsolete forms; RELIABILITY.md, Who is the sender.
    """
    end = _END.search(raw, 0, _MAX_BLOCK)
    if end is None and len(raw) > _MAX_BLOCK:
        return HeaderLines(fields=(), fault="the header block is too long")
    block = raw[: end.start()] if end else raw.rstrip(b"\r\n")
    if raw.startswith((b"\n", b"\r\n")):
        block = b""
    fault = "a NUL in the header" if b"\0" in block else None
    lines = [line.removesuffix(b"\r") for line in block.split(b"\n")] if block else []
    if lines and _ENVELOPE_LINE.fullmatch(lines[0]):
        del lines[0]
    fields: list[tuple[str, bytes]] = []
    for line in lines:
        fault = fault or _fault(line, first=not fields)
        if fields and line.startswith((b" ", b"\t")):
            name, before = fields[-1]
            fields[-1] = (name, before + line)
        else:
            start, _, value = line.partition(b":")
            fields.append((start.decode("latin-1").lower(), value))
    if len(fields) > _MAX_FIELDS:
        fault = fault or "too many header fields"
    if any(len(value) > _MAX_FIELD for _, value in fields):
        fault = fault or "a header field is too long"
    return HeaderLines(fields=tuple(fields[:_MAX_FIELDS]), fault=fault)


def _fault(line: bytes, *, first: bool) -> str | None:
    if b"\r" in line:
        return "a bare CR in the header"
    if line.startswith((b" ", b"\t")):
        if first:
            return "a continuation line before the first field"
        return None if line.strip() else "a blank continuation line in the header"
    name, colon, _ = line.partition(b":")
    if colon and name.rstrip(b" \t") != name:
        return "a space before a colon in the header"
    return None if colon and _NAME.fullmatch(name) else "a line that is no field in the header"
