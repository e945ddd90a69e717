"""What the parts of a message are for: its own text, attachments, or traces of other messages."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from mailbot.inbound.mime_text import decode_octets
from mailbot.inbound.mime_tree import Part
from mailbot.model.mail import Attachment

TOO_MANY_ATTACHMENTS = "too_many_attachments"
ATTACHMENT_TOO_LARGE = "attachment_too_large"
ATTACHMENTS_TOO_LARGE = "attachments_too_large"
TEXT_TOO_LONG = "text_too_long"
HTML_TOO_LONG = "html_too_long"

_MAX_ATTACHMENTS = 20
_MAX_ATTACHMENT = 15 * 1024 * 1024
_MAX_ATTACHED = 40 * 1024 * 1024
_MAX_TEXT = 200 * 1024
_MAX_TEXT_LINES = 2_000
_MAX_HTML = 256 * 1024
_MAX_FILE_NAME = 120
_MAX_ENCLOSED_IDS = 50
_MAX_HEADERS = 64 * 1024
_WIDEST = 4
"""Bytes that one character takes at most."""

_HEADER_END = re.compile(rb"\n\r?\n|\r\r")
_SHOWN_ID = re.compile(r"cid:([^\s\"'<>)]{1,250})")
_META_CHARSET = re.compile(rb"charset\s{0,10}=\s{0,10}[\"']?([a-z0-9_:.-]{1,40})", re.IGNORECASE)
_ENCLOSED_ID = re.compile(
    r"^[ \t>|:]{0,20}(?:X-)?(?:Original-)?Message-ID[ \t]{0,10}:\s{0,10}<([!-;=?-~\s]{1,998})>",
    re.MULTILINE | re.IGNORECASE,
)
_REPORTS = frozenset(
    {
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global-headers",
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The message's own text of one type; ``None`` where it has none but blanks."""

    text: str | None
    defects: tuple[str, ...]


def split_body(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """Tell the parts that are the message's own text from those that are attached, as text of enclosed messages is.

    A text with a file name is the body only where nothing stands before it: some programs name even that,
    and others attach text files as inline.
    """
    body: list[Part] = []
    attached: list[Part] = []
    for part in parts:
        named = part.file_name is not None and bool(body or attached or part.enclosed)
        if named or part.content_type not in {"text/plain", "text/html"} or part.disposition == "attachment":
            attached.append(part)
        else:
            (attached if part.enclosed else body).append(part)
    return body, attached


def read_plain(body: Sequence[Part]) -> Text:
    """The text/plain parts joined, with LF line ends."""
    text, defects = _joined(body, "text/plain", _MAX_TEXT)
    if text is None:
        return Text(text=None, defects=defects)
    lines = text.split("\n", _MAX_TEXT_LINES)
    if len(lines) > _MAX_TEXT_LINES or len(text) > _MAX_TEXT:
        text, defects = "\n".join(lines[:_MAX_TEXT_LINES])[:_MAX_TEXT], (*defects, TEXT_TOO_LONG)
    return Text(text=text, defects=defects)


def read_html(body: Sequence[Part]) -> Text:
    """The text/html parts joined, with LF line ends."""
    text, defects = _joined(body, "text/html", _MAX_HTML)
    if text is not None and len(text) > _MAX_HTML:
        text, defects = text[:_MAX_HTML], (*defects, HTML_TOO_LONG)
    return Text(text=text, defects=defects)


def read_attachments(attached: Sequence[Part], html: str | None) -> tuple[Attachment, ...]:
    """Attachments in order; those beyond a limit without their content.

    Args:
        attached: the parts that are not the message's own text.
        html: that text, which may show some of them.
    """
    shown = frozenset(_SHOWN_ID.findall(html.lower())) if html else frozenset[str]()
    attachments, total = [], 0
    for number, part in enumerate(attached, start=1):
        held_back = _held_back(number, len(part.content), total)
        total += 0 if held_back else len(part.content)
        attachments.append(
            Attachment(
                path=part.path,
                file_name=_shown_name(part.file_name),
                content_type=part.content_type,
                size=len(part.content),
                inline=part.disposition == "inline" or part.content_id in shown,
                sha256=sha256(part.content).hexdigest(),
                data=b"" if held_back else part.content,
                held_back=held_back,
            )
        )
    return tuple(attachments)


def find_enclosed_ids(parts: Sequence[Part], plain: str | None) -> tuple[str, ...]:
    """Message-IDs of messages that came with this one: enclosed, reported on, or pasted with their headers."""
    sources = [_header_text(part) for part in parts if part.is_message or part.content_type in _REPORTS]
    if plain is not None and "message-id" in plain.lower():
        sources.append(plain)
    found = ("".join(match.split()) for source in sources for match in _ENCLOSED_ID.findall(source))
    return tuple(dict.fromkeys(f"<{message_id}>" for message_id in found))[:_MAX_ENCLOSED_IDS]


def part_hash(part: Part) -> str:
    """SHA-256 (hex) of a part's content, equal for texts whose line ends changed on the way."""
    content = part.content
    if part.content_type.startswith(("text/", "message/")):
        content = content.replace(b"\r\n", b"\n").rstrip()
    return sha256(content).hexdigest()


def _joined(body: Sequence[Part], content_type: str, limit: int) -> tuple[str | None, tuple[str, ...]]:
    texts, defects = [], []
    for part in body:
        if part.content_type == content_type:
            text, defect = _decoded(part, limit)
            texts += [text] if text.strip() else []
            defects += [defect] if defect else []
    if not texts:
        return None, ()
    return "\n".join(texts), tuple(defects)


def _decoded(part: Part, limit: int) -> tuple[str, str | None]:
    octets = part.content[: (limit + 1) * _WIDEST]
    charset = part.charset
    if charset is None and part.content_type == "text/html":
        named = _META_CHARSET.search(octets, 0, 2048)
        charset = named[1].decode("ascii") if named else None
    text, defect = decode_octets(octets, charset)
    return text.replace("\r\n", "\n").replace("\r", "\n"), defect


def _held_back(number: int, size: int, total: int) -> str | None:
    if number > _MAX_ATTACHMENTS:
        return TOO_MANY_ATTACHMENTS
    if size > _MAX_ATTACHMENT:
        return ATTACHMENT_TOO_LARGE
    return ATTACHMENTS_TOO_LARGE if total + size > _MAX_ATTACHED else None


def _shown_name(name: str | None) -> str | None:
    if name is None:
        return None
    if not (name.isascii() and name.isprintable()):
        name = "".join(" " if letter in "\t\r\n" else letter for letter in name)
        name = "".join(letter for letter in name if unicodedata.category(letter) not in {"Cc", "Cf"})
    return " ".join(name.split())[:_MAX_FILE_NAME] or None


def _header_text(part: Part) -> str:
    octets = part.content[:_MAX_HEADERS]
    if part.is_message:
        end = _HEADER_END.search(octets)
        octets = octets[: end.end()] if end else octets
    return octets.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
