"""Which parts a message has, in order, with their content: mail-parser's structure held to our limits.

The only module that knows the MIME library. Enclosed messages stay closed leaves whose bytes are kept
as they came; they are opened here, one after the other, never by recursion.
"""

import email
import re
from dataclasses import dataclass
from email.message import Message
from email.policy import Compat32
from typing import TypeVar

import mailparser

from mailbot.inbound.mime_bounds import TOO_DEEP, TOO_MANY_PARTS, bounded
from mailbot.inbound.mime_fields import ContentField, parse_content_field
from mailbot.inbound.mime_transfer import decode_transfer

FIELD_TOO_LONG = "header_field_too_long"
TOO_MANY_NESTED = "too_many_nested_messages"
NO_BOUNDARY = "boundary_missing"

_MAX_FIELD = 64 * 1024
_MAX_CONTENT_FIELD = 4 * 1024
"""Of fields that steer the parser, which reads their parameters several times over."""
MAX_DEPTH = 20
_MAX_PARTS = 200
_MAX_NESTED = 5

_ENCLOSED = frozenset({"message/rfc822", "message/global", "message/news"})
_BOUNDARY_LINE = re.compile(rb"^--(\S{1,70})[ \t]*\r?$", re.MULTILINE)
_Absent = TypeVar("_Absent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One leaf of the MIME tree.

    Attributes:
        path: as IMAP counts (RFC 9051 §6.4.5): ``"2"``, ``"1.3"``; inside an enclosed message below its path.
        enclosed: it belongs to an enclosed message, not to the outer one.
        content_id: lower case, without angle brackets.
        content: its transfer encoding undone.
        defects: what was odd about it.
    """

    path: str
    enclosed: bool
    content_type: str
    charset: str | None
    disposition: str
    file_name: str | None
    content_id: str | None
    content: bytes
    defects: tuple[str, ...]

    @property
    def is_message(self) -> bool:
        """Whether it is an enclosed message."""
        return self.content_type in _ENCLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A message as the library sees it.

    Attributes:
        headers: names and folded values in order; 8-bit bytes are lone surrogates.
        defects: which limits cut the message before it was parsed.
    """

    headers: tuple[tuple[str, str], ...]
    root: "MimePart"
    defects: tuple[str, ...]


class MimePart(Message):
    """The library's message, with fields read by our own grammar and enclosed messages left closed."""

    _payload: "list[MimePart] | str | None"

    def field(self, name: str) -> ContentField:
        """A Content-* field of this part; an absent one is empty."""
        value = next((value for key, value in self.raw_items() if key.lower() == name), "")
        return parse_content_field(value.replace("\r", "").replace("\n", ""))

    def get_content_type(self) -> str:
        """What the parser steers by; the parts of an enclosed message are none of its business."""
        stated = self.media_type
        return "application/octet-stream" if stated.startswith("message/") else stated

    @property
    def media_type(self) -> str:
        """The part's own type, ``text/plain`` where it is absent or unreadable (RFC 2045 §5.2)."""
        stated = self.field("content-type")
        if not stated.value:
            return self.get_default_type()
        return stated.content_type or "text/plain"

    @property
    def read_as(self) -> str:
        """The type that a leaf is read as: a multipart in which no part is found is text."""
        media_type = self.media_type
        return "text/plain" if media_type.startswith("multipart/") else media_type

    def get_boundary(self, failobj: _Absent | None = None) -> str | _Absent | None:  # type: ignore[override]  # no overloads
        """The boundary by our own grammar: the library's raises on some hostile parameters."""
        return self.field("content-type").parameters.get("boundary", "").rstrip() or failobj

    @property
    def octets(self) -> bytes:
        """The body as it stands in the message; empty for a multipart."""
        payload = self._payload
        return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""

    @property
    def children(self) -> list["MimePart"]:
        """The parts of a multipart; empty for a leaf."""
        return self._payload if isinstance(self._payload, list) else []


class _BoundedHeaders(Compat32):
    """The compat32 policy, which keeps values raw, with a limit to the length of each."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[: _most(name)]


def _most(name: str) -> int:
    return _MAX_CONTENT_FIELD if name.lower().startswith("content-") else _MAX_FIELD


class _Structure(mailparser.MailParser):  # type: ignore[misc]  # untyped base
    """mail-parser's message alone: its eager reading costs five times the parsing, and we read by ourselves."""

    def parse(self) -> "_Structure":
        return self


_POLICY = _BoundedHeaders()


def parse_structure(raw: bytes) -> Structure:
    """Parse a message within limits. Never raises; what is beyond a limit is cut off and named.

    Source: RELIABILITY.md, Limits.
    """
    cut, defects = bounded(raw)
    root: MimePart = _Structure(email.message_from_bytes(cut, MimePart, policy=_POLICY)).message
    headers = tuple((str(name), str(value)) for name, value in root.raw_items())
    return Structure(headers=headers, root=root, defects=defects)


def walk_parts(root: MimePart) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Every leaf in order, enclosed messages opened in place, and which limits were met on the way."""
    waiting = [_Visit(node=root, path="1", below="", depth=0, enclosed=False)]
    parts: list[Part] = []
    defects: list[str] = []
    seen = nested = 0
    while waiting:
        visit, seen = waiting.pop(), seen + 1
        if seen > _MAX_PARTS:
            defects.append(TOO_MANY_PARTS)
            break
        node = visit.node
        if any(len(value) >= _most(name) for name, value in node.raw_items()):
            defects.append(FIELD_TOO_LONG)
        if not node.children and node.get_content_maintype() == "multipart":
            defects.append(NO_BOUNDARY)
        below = parts_below(node)
        if below and visit.depth >= MAX_DEPTH:
            defects.append(TOO_DEEP)
        elif below:
            waiting += reversed(_children(visit, below))
        else:
            part = _leaf(node, visit)
            parts.append(part)
            defects += part.defects
            if part.is_message and nested < _MAX_NESTED and visit.depth < MAX_DEPTH:
                nested += 1
                inner = parse_structure(part.content)
                defects += inner.defects
                waiting.append(_inside(visit, inner.root))
            elif part.is_message:
                defects.append(TOO_MANY_NESTED)
    return tuple(parts), tuple(defects)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """One node still to be looked at: its path as a leaf, and what its children's paths begin with."""

    node: MimePart
    path: str
    below: str
    depth: int
    enclosed: bool


def _children(visit: _Visit, children: list[MimePart]) -> list[_Visit]:
    before = f"{visit.below}." if visit.below else ""
    paths = ((f"{before}{number}", child) for number, child in enumerate(children, start=1))
    return [
        _Visit(node=child, path=path, below=path, depth=visit.depth + 1, enclosed=visit.enclosed)
        for path, child in paths
    ]


def _inside(visit: _Visit, root: MimePart) -> _Visit:
    return _Visit(node=root, path=f"{visit.path}.1", below=visit.path, depth=visit.depth + 1, enclosed=True)


def _leaf(node: MimePart, visit: _Visit) -> Part:
    stated, disposition = node.field("content-type"), node.field("content-disposition")
    encoding = node.field("content-transfer-encoding").token
    content, defect = decode_transfer(node.octets, encoding)
    return Part(
        path=visit.path,
        enclosed=visit.enclosed,
        content_type=node.read_as,
        charset=stated.parameters.get("charset"),
        disposition=disposition.token,
        file_name=disposition.parameters.get("filename") or stated.parameters.get("name") or None,
        content_id=node.field("content-id").value.strip("<> ") or None,
        content=content,
        defects=(defect,) if defect else (),
    )


def parts_below(node: MimePart) -> list[MimePart]:
    """The parts of a multipart, also by a boundary that only its body uses, and behind its end; none for a leaf."""
    if not node.children and node.get_content_maintype() == "multipart":
        node = _found_boundary(node) or node
    return [*node.children, *_after_end(node)] if node.children else []


def _found_boundary(node: MimePart) -> MimePart | None:
    """The multipart read by the boundary that its body uses, where its header names none or another."""
    line = _BOUNDARY_LINE.search(node.octets[:_MAX_FIELD])
    found = _reparsed(node, line[1], node.octets) if line else None
    return found if found and found.children else None


def _after_end(node: MimePart) -> list[MimePart]:
    """Parts behind a multipart's closing line; two nested ones with the same boundary leave such."""
    boundary = str(node.get_boundary("")).encode("utf-8", "surrogateescape")
    epilogue = (node.epilogue or "").encode("utf-8", "surrogateescape")
    return _reparsed(node, boundary, epilogue).children if boundary and b"--" + boundary in epilogue else []


def _reparsed(node: MimePart, boundary: bytes, body: bytes) -> MimePart:
    quoted = boundary.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    head = b'Content-Type: %s; boundary="%s"\n\n' % (node.media_type.encode("utf-8", "surrogateescape"), quoted)
    return parse_structure(head + body).root
