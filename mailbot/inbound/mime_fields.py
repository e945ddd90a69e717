"""What a Content-Type or Content-Disposition field says, broken ones included (RFC 2045 §5.1, RFC 2231)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from mailbot.inbound.mime_text import decode_octets, decode_words

_NAME = re.compile(r'[;\s]*+([^\s=;"]++)\s*+(=?)\s*+')
_QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*+)(?:"|\\?$)', re.DOTALL)
_PLAIN = re.compile(r"[^;]*+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTINUED = re.compile(r"([^*]{1,60})\*(?:(\d{1,3})(\*)?)?")
_TYPE = re.compile(r"([!#-'*+.0-9^-~-]{1,100}/[!#-'*+.0-9^-~-]{1,100})(?![!-~])")
_TOKEN = re.compile(r"[^\s;,()\"]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentField:
    """One structured field.

    Attributes:
        value: what stands before the first parameter, lower case; empty where there is none.
        parameters: by lower-case name, decoded.
    """

    value: str
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def token(self) -> str:
        """The value without comments and trailing junk."""
        found = _TOKEN.search(self.value)
        return found[0] if found else ""

    @property
    def content_type(self) -> str | None:
        """The value as a media type; ``None`` where it is none."""
        found = _TYPE.match(self.value)
        return found[1] if found else None


def parse_content_field(text: str) -> ContentField:
    """Take a field's value apart. Never raises; linear in the field's length.

    Args:
        text: the value as the email package keeps it, folded, 8-bit bytes as lone surrogates.
    """
    head, semicolon, rest = text.partition(";")
    return ContentField(
        value=head.strip().lower(), parameters=_joined(_pairs(rest)) if semicolon else MappingProxyType({})
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs, at = [], 0
    while at < len(text):
        name = _NAME.match(text, at)
        if name is None:
            at += 1
            continue
        at = name.end()
        if name[2]:
            value, at = _value(text, at)
            pairs.append((name[1].lower(), value))
    return pairs


def _value(text: str, at: int) -> tuple[str, int]:
    quoted = _QUOTED.match(text, at)
    if quoted:
        return _ESCAPE.sub(_unescaped, quoted[1]), quoted.end()
    end = _PLAIN.match(text, at).end()  # type: ignore[union-attr]  # the pattern matches the empty text too
    return text[at:end].strip(), end


def _unescaped(escape: re.Match[str]) -> str:
    # Windows paths arrive unescaped: only what has to be escaped loses its backslash.
    return escape[1] if escape[1] in '"\\' else escape[0]


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for name, value in pairs:
        continued = _CONTINUED.fullmatch(name)
        if continued is None:
            plain.setdefault(name, decode_words(value))
        else:
            encoded = continued[2] is None or bool(continued[3])
            pieces.setdefault(continued[1], []).append((int(continued[2] or 0), encoded, value))
    return plain | {name: _continued(sorted(parts, key=lambda part: part[0])) for name, parts in pieces.items()}


def _continued(parts: list[tuple[int, bool, str]]) -> str:
    charset, first = None, parts[0]
    if first[1] and first[2].count("'") > 1:
        charset, _, rest = first[2].split("'", 2)
        parts = [(first[0], True, rest), *parts[1:]]
    octets = b"".join(
        unquote_to_bytes(value.encode("utf-8", "surrogateescape"))
        if encoded
        else value.encode("utf-8", "surrogateescape")
        for _, encoded, value in parts
    )
    text, _ = decode_octets(octets, charset)
    return decode_words(text)
