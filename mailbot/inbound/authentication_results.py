"""What an Authentication-Results field says, read to the letter of RFC 8601 §2.2."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_MAX_FIELD = 16 * 1024
_MAX_RESULTS = 100

_LEXEME = re.compile(r'"((?:[^"\\]++|\\.)*+)"|\(|;|[^"();]++')
_IN_COMMENT = re.compile(r"\\.|[()]|[^\\()]++")
_QUOTED = "\x01"
"""Stands in a statement's text for a quoted string, which is kept apart."""
_ID = re.compile(rf"\s*({_QUOTED}|[A-Za-z0-9._:\[\]-]++)(?:\s++(\d++))?\s*")
_NAME = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*+(?:\s*[./]\s*[A-Za-z0-9_-]++)?)\s*=\s*")
_VALUE = re.compile(rf"(?:{_QUOTED}[^\s{_QUOTED}]*+|[^\s{_QUOTED}]++)(?=\s|\Z)")
_STATEMENT = re.compile(r"\s*[A-Za-z][A-Za-z0-9_-]*+\s*(?:/\s*\d+\s*)?=")


class _UnreadableError(ValueError):
    """A field is no Authentication-Results field by any reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One method's result, such as ``dmarc=pass header.from=example.org``, all in lower case."""

    method: str
    value: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """One field: whose it is, and what it says.

    Attributes:
        server: the authserv-id, lower case; ``None`` where it names none, as Microsoft 365 does.
        results: ``None`` where the field cannot be read.
    """

    server: str | None
    results: tuple[Result, ...] | None


def parse_results(value: bytes) -> Findings:
    """Read one Authentication-Results field. Never raises; linear in its length."""
    try:
        statements = _statements(value)
    except _UnreadableError:
        return Findings(server=None, results=None)
    (first, quoted), rest = statements[0], statements[1:]
    named = _ID.fullmatch(first)
    if named is None:
        if not _STATEMENT.match(first):
            return Findings(server=_leading_id(first), results=None)
        return Findings(server=None, results=_results(statements))
    server = (quoted[0] if named[1] == _QUOTED else named[1]).lower()
    return Findings(server=server, results=_results(rest) if named[2] in {None, "1"} else None)


def read_receiver(value: bytes) -> str | None:
    """The host after ``by``, where exactly one is in its place (RFC 5321 §4.4); ``None`` otherwise."""
    try:
        statements = _statements(value)
    except _UnreadableError:
        return None
    words = statements[0][0].lower().split()
    place = {"from": 2, "by": 0}.get(words[0] if words else "")
    if place is None or words.count("by") != 1 or words[place : place + 1] != ["by"] or len(words) < place + 2:
        return None
    return words[place + 1].rstrip(".")


def _statements(value: bytes) -> list[tuple[str, list[str]]]:
    """What stands between the semicolons, comments taken out, quoted strings kept apart."""
    if len(value) > _MAX_FIELD or not value.isascii() or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
        raise _UnreadableError
    text, at = value.decode("ascii"), 0
    statements: list[tuple[str, list[str]]] = [("", [])]
    while at < len(text):
        lexeme = _LEXEME.match(text, at)
        if lexeme is None:
            raise _UnreadableError
        words, quoted = statements[-1]
        at = lexeme.end()
        if lexeme[0] == "(":
            at = _after_comment(text, at)
            statements[-1] = (words + " ", quoted)
        elif lexeme[0] == ";":
            statements.append(("", []))
        elif lexeme[1] is not None:
            quoted.append(re.sub(r"\\(.)", r"\1", lexeme[1]))
            statements[-1] = (words + _QUOTED, quoted)
        else:
            statements[-1] = (words + lexeme[0], quoted)
    return statements


def _after_comment(text: str, at: int) -> int:
    depth = 1
    while depth:
        piece = _IN_COMMENT.match(text, at)
        if piece is None:
            raise _UnreadableError
        depth += {"(": 1, ")": -1}.get(piece[0], 0)
        at = piece.end()
    return at


def _results(statements: Sequence[tuple[str, list[str]]]) -> tuple[Result, ...] | None:
    """The results of a field; ``None`` as soon as one of them cannot be read."""
    results: list[Result] = []
    for words, quoted in statements:
        if not words.strip() or words.strip().lower() == "none":
            continue
        pairs = _pairs(words, quoted)
        if not pairs or len(results) == _MAX_RESULTS:
            return None
        (method, value), *properties = pairs
        named = dict(properties)
        if "." in method or any(named[name] != other for name, other in properties):
            return None
        results.append(Result(method=method.partition("/")[0], value=value, properties=named))
    return tuple(results)


def _pairs(words: str, quoted: list[str]) -> list[tuple[str, str]] | None:
    pairs, at, strings = [], 0, iter(quoted)
    while words[at:].strip():
        name = _NAME.match(words, at)
        value = _VALUE.match(words, name.end()) if name else None
        if name is None or value is None:
            return None
        text = value[0].replace(_QUOTED, next(strings)) if _QUOTED in value[0] else value[0]
        pairs.append(("".join(name[1].split()).lower(), text.lower()))
        at = value.end()
    return pairs


def _leading_id(words: str) -> str | None:
    found = re.match(r"\s*([A-Za-z0-9._-]++)", words)
    return found[1].lower() if found else None
