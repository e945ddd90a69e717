"""A message's bytes without payment card numbers: which bytes to replace, so that even the raw copy keeps none.

Text parts are masked under their transfer encoding, header fields and file names where they stand, enclosed messages
inside out. A PDF file or picture that was read and shows one goes whole: nothing inside it can be replaced. The edits
are made elsewhere, once it is known which numbers are orders' or invoices' and stay.
"""

import re
from base64 import b64encode, encodebytes
from binascii import b2a_qp, b2a_uu
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from html import unescape
from itertools import chain

from mailbot.inbound.mime_text import decode_words, find_codec
from mailbot.inbound.mime_transfer import decode_transfer
from mailbot.inbound.mime_tree import MAX_DEPTH, MimePart, Part, parse_structure, parts_below, walk_parts
from mailbot.model.card_numbers import find_card_numbers, mask_card_numbers
from mailbot.model.reading import RawEdit

_TAG = re.compile(r"<(?:/?([A-Za-z][A-Za-z0-9]{0,20})|[!?])[^<>]{0,4000}>")
_LONG_ENTITY = re.compile(r"&#[0-9A-Fa-fxX]{9,}+")
_TOKEN = re.compile(_TAG.pattern + r"|&#?[A-Za-z0-9]{1,12};|.", re.DOTALL)
_INLINE = frozenset({*"abius", "em", "strong", "span", "font", "small", "big", "sup", "sub", "code", "wbr", "tt"})
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"^([!-9;-~]{1,76})[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*+)", re.MULTILINE)
_NEVER_CARDS = re.compile(
    rb"message-id|in-reply-to|references|received|return-path|date|dkim-.*|arc-.*|authentication-.*|x-.*-id|list-.*"
    rb"|content-(?!disposition|type|description).*|mime-version|delivered-to|feedback-id",
    re.IGNORECASE,
)
_TEXTS = frozenset({"application/xml", "application/json", "application/octet-stream", "application/csv"})
_MOST_DEPTH = 5
_MOST_MARKUP = 1024 * 1024
_MOST_UNTYPED = 1024 * 1024
_MOST_EDITS = 200_000
_OCTETS_A_WORD = 42
_REMOVED = "[The body was removed: it held payment card numbers.]\r\n"
_FILE_REMOVED = b"[The file was removed: it showed payment card numbers.]\r\n"
_NO_FILES: Mapping[str, tuple[str, ...]] = {}


def find_edits(raw: bytes, files: Mapping[str, tuple[str, ...]] = _NO_FILES, depth: int = 0) -> tuple[RawEdit, ...]:
    """What to replace in a message so that it holds no card number; empty for nearly every mail.

    Where that would take too much, or does not take all of them out, the whole body goes.

    Args:
        raw: the message.
        files: SHA-256 of an attached file's content to the card numbers that it shows.
        depth: of the message among the messages that enclose it.
    """
    edits = tuple(sorted(_edits(raw, files, depth), key=lambda edit: edit.start))
    if not edits:
        return ()
    clean = apply_edits(raw, edits)
    if sum(len(edit.content) for edit in edits) <= _MOST_EDITS and not any(_edits(clean, files, depth)):
        return edits
    start = _header_end(raw, list(_leaves(parse_structure(raw).root)))
    body = RawEdit(numbers=(), start=start, end=len(raw), content=_REMOVED)
    return (*(edit for edit in edits if edit.end <= start), body)


def apply_edits(raw: bytes, edits: Sequence[RawEdit]) -> bytes:
    """The message with its edits made; they are in order and apart."""
    pieces, at = [], 0
    for edit in edits:
        pieces += [raw[at : edit.start], edit.content.encode("latin-1")]
        at = edit.end
    return b"".join([*pieces, raw[at:]])


def masked_part(part: Part) -> Part:
    """A part as it is without card numbers: two deliveries of a mail, one of them masked, are the same mail."""
    content = _masked(part.content, part.content_type, part.charset, _NO_FILES, 0)[0]
    return part if content is part.content else replace(part, content=content)


def has_cards(parts: Sequence[Part], header: Sequence[tuple[str, str]]) -> bool:
    """Whether any part or field reads as holding a card number."""
    fields = (value for name, value in header if not _NEVER_CARDS.fullmatch(name.encode("ascii", "replace")))
    return any(find_card_numbers(value) for value in fields) or any(
        masked_part(part) is not part or (part.file_name and find_card_numbers(part.file_name)) for part in parts
    )


def _edits(raw: bytes, files: Mapping[str, tuple[str, ...]], depth: int) -> Iterator[RawEdit]:
    """Edits of the header, of the leaves in order, and of what lies between them."""
    leaves = list(_leaves(parse_structure(raw).root))
    at = _header_end(raw, leaves)
    yield from _header_edits(raw[:at])
    for leaf in leaves:
        octets = leaf.octets
        start = raw.find(octets, at) if octets else -1
        if start < 0:
            numbers = _masked(*_read(leaf), files, depth)[1] if octets else ()
            if numbers:  # it was cut or mended before it was read: nobody can say where they stand
                yield RawEdit(numbers=numbers, start=at, end=len(raw), content=_REMOVED)
                return
            continue
        yield from _header_edits(raw[at:start], at)
        yield from _leaf_edits(leaf, octets, start, files, depth)
        at = start + len(octets)
    yield from _header_edits(raw[at:], at)


def _header_end(raw: bytes, leaves: Sequence[MimePart]) -> int:
    """Where the header ends: with an empty line, or where the body begins without one (after what is no field)."""
    end = _HEADER_END.search(raw)
    at = end.end() if end else len(raw)
    first = next((leaf.octets for leaf in leaves if leaf.octets), b"")
    if not first or raw.find(first, at) >= 0:
        return at
    begins = raw.rfind(first) if len(leaves) == 1 else raw.find(first)
    if begins < 0:
        begins = raw.find(first.splitlines()[0])
    return at if begins < 0 else min(at, begins)


def _leaves(root: MimePart) -> Iterator[MimePart]:
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        below = parts_below(node) if depth < MAX_DEPTH else node.children
        waiting += ((part, depth + 1) for part in reversed(below))
        if not below:
            yield node


def _read(leaf: MimePart) -> tuple[bytes, str, str | None]:
    """A leaf's content, its type and its charset."""
    content, _ = decode_transfer(leaf.octets, leaf.field("content-transfer-encoding").token)
    return content, leaf.read_as, leaf.field("content-type").parameters.get("charset")


def _leaf_edits(
    leaf: MimePart, octets: bytes, start: int, files: Mapping[str, tuple[str, ...]], depth: int
) -> Iterator[RawEdit]:
    content, media_type, charset = _read(leaf)
    masked, numbers = _masked(content, media_type, charset, files, depth)
    if masked is not content:
        wrapped = _wrapped(masked, leaf.field("content-transfer-encoding").token)
        yield RawEdit(numbers=numbers, start=start, end=start + len(octets), content=wrapped.decode("latin-1"))


def _wrapped(content: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return encodebytes(content).replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        return b2a_qp(content, istext=True)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        lines = (b2a_uu(content[at : at + 45]) for at in range(0, len(content), 45))
        return b"begin 644 masked\n" + b"".join(lines) + b"`\nend\n"
    return content


def _masked(
    content: bytes, content_type: str, charset: str | None, files: Mapping[str, tuple[str, ...]], depth: int
) -> tuple[bytes, tuple[str, ...]]:
    """A part's content without card numbers, and which there were; the very same object where there were none."""
    shown = files.get(sha256(content).hexdigest()) if files else None
    if shown is not None:
        return _FILE_REMOVED, shown
    if content_type.startswith("message/"):
        if depth >= _MOST_DEPTH:
            numbers = _numbers_within(content, files)
            return (_REMOVED.encode(), numbers) if numbers else (content, ())
        edits = find_edits(content, files, depth + 1)
        return (apply_edits(content, edits), _numbers(edits)) if edits else (content, ())
    markup = content_type.endswith(("html", "xml"))
    typed = content_type.startswith("text/") or markup
    if not typed and not (content_type in _TEXTS and len(content) <= _MOST_UNTYPED):
        return content, ()
    codec = _codec_of(content, charset)
    text = content.decode(codec)
    masked, numbers = _mask_markup(text) if markup else _mask_plain(text)
    return (masked.encode(codec), numbers) if numbers else (content, ())


def _numbers_within(message: bytes, files: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What a message shows, and those that it encloses, however deep they lie."""
    leaves = (part for part in walk_parts(parse_structure(message).root)[0] if not part.is_message)
    found = (_masked(leaf.content, leaf.content_type, leaf.charset, files, 0)[1] for leaf in leaves)
    return (*_mask_plain(message.decode("latin-1"))[1], *chain.from_iterable(found))


def _codec_of(content: bytes, charset: str | None) -> str:
    """A codec that gives the very bytes back; Latin-1 does for every content."""
    for codec in filter(None, (find_codec(charset) if charset else None, "utf-8")):
        try:
            if content.decode(codec).encode(codec) == content:
                return codec
        except UnicodeError:
            continue
    return "latin-1"


def _mask_plain(text: str) -> tuple[str, tuple[str, ...]]:
    numbers = tuple(card.digits for card in find_card_numbers(text))
    return (mask_card_numbers(text), numbers) if numbers else (text, ())


def _mask_markup(source: str) -> tuple[str, tuple[str, ...]]:
    """Markup with the digits of card numbers masked that its reader sees, whatever tags and entities are between."""
    if len(source) > _MOST_MARKUP:
        return _mask_plain(source)
    shown = unescape(_LONG_ENTITY.sub("", _TAG.sub(lambda tag: "" if _is_inline(tag[1]) else "\n", source)))
    if not find_card_numbers(shown) and not find_card_numbers(source):
        return source, ()
    tokens = [(token[0], token[1]) for token in _TOKEN.finditer(source)]
    pieces: list[list[int]] = []
    seen: list[str] = []
    for place, (token, tag) in enumerate(tokens):
        text = unescape(token) if token.startswith("&") else token
        if token.startswith("<") and len(token) > 1:
            text = "" if _is_inline(tag) else "\n"
        seen.append(text)
        pieces += [[place]] * len(text)
    shown = "".join(seen)
    masked = mask_card_numbers(shown)
    signs = [token for token, _ in tokens]
    for before, after, piece in zip(shown, masked, pieces, strict=True):
        if before != after:
            signs[piece[0]] = after
    return mask_card_numbers("".join(signs)), tuple(card.digits for card in find_card_numbers(shown + "\n" + source))


def _is_inline(tag: str | None) -> bool:
    return tag is None or tag.lower() in _INLINE


def _header_edits(block: bytes, at: int = 0) -> Iterator[RawEdit]:
    """Edits of the fields of a header block, or of whatever stands between two parts."""
    for field in _FIELD.finditer(block):
        value = field[2]
        if _NEVER_CARDS.fullmatch(field[1]):
            continue
        plain = value.decode("latin-1")
        masked, numbers = _mask_plain(plain)
        if not numbers and (b"=?" in value or not value.isascii()):
            shown = decode_words(value.decode("ascii", "surrogateescape").replace("\r", "").replace("\n", ""))
            shown, numbers = _mask_plain(shown)
            masked = " " + _words(shown.strip())
        if numbers:
            start = at + field.start(2)
            yield RawEdit(numbers=numbers, start=start, end=start + len(value), content=masked)
    if not _FIELD.search(block):
        plain = block.decode("latin-1")
        masked, numbers = _mask_plain(plain)
        if numbers:
            yield RawEdit(numbers=numbers, start=at, end=at + len(block), content=masked)


def _words(text: str) -> str:
    """A field's text as encoded words (RFC 2047), a line each."""
    octets, words = b"", []
    for sign in text:
        if len(octets) + len(sign.encode()) > _OCTETS_A_WORD:
            words.append(octets)
            octets = b""
        octets += sign.encode("utf-8", "replace")
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in [*words, octets])


def _numbers(edits: Sequence[RawEdit]) -> tuple[str, ...]:
    return tuple(number for edit in edits for number in edit.numbers)
