"""What a customer's bytes hold: headers, text, attachments, enclosed ids, all within limits (RFC 5322, 2045, 2231)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256

from mailbot.inbound.card_redaction import has_cards, masked_part
from mailbot.inbound.mime_bounds import HEADER_TOO_LONG, MESSAGE_TOO_LARGE, TOO_DEEP, TOO_MANY_PARTS
from mailbot.inbound.mime_content import (
    ATTACHMENT_TOO_LARGE,
    ATTACHMENTS_TOO_LARGE,
    HTML_TOO_LONG,
    TEXT_TOO_LONG,
    TOO_MANY_ATTACHMENTS,
    find_enclosed_ids,
    part_hash,
    read_attachments,
    read_html,
    read_plain,
    split_body,
)
from mailbot.inbound.mime_text import decode_words
from mailbot.inbound.mime_tree import FIELD_TOO_LONG, TOO_MANY_NESTED, parse_structure, walk_parts
from mailbot.model.card_numbers import mask_card_numbers
from mailbot.model.mail import InboundMail

TOO_MANY_FIELDS = "too_many_header_fields"
TOO_MANY_ADDRESSES = "too_many_addresses"
ADDRESS_FIELD_TOO_LONG = "address_field_too_long"
TOO_MANY_REFERENCES = "too_many_references"

PARTIAL = frozenset(
    {
        *(MESSAGE_TOO_LARGE, HEADER_TOO_LONG, FIELD_TOO_LONG, TOO_MANY_FIELDS, TOO_MANY_ADDRESSES, TOO_MANY_REFERENCES),
        ADDRESS_FIELD_TOO_LONG,
        *(TOO_DEEP, TOO_MANY_PARTS, TOO_MANY_NESTED, TEXT_TOO_LONG, HTML_TOO_LONG),
        *(TOO_MANY_ATTACHMENTS, ATTACHMENT_TOO_LARGE, ATTACHMENTS_TOO_LARGE),
    }
)
"""Defects that mean: a part of the mail lies beyond a limit and was not read."""

_MAX_FIELDS = 1_000
_MAX_ADDRESS_FIELD = 8 * 1024
_MAX_ADDRESSES = 100
_MAX_REFERENCES = 50
_MAX_DATE = 100
_FIRST_YEAR, _LAST_YEAR = 1970, 2999

_OWN_PREFIX, _OWN_MARK = "x-mailbot-", "x-mailbot-instance"
_RECIPIENTS = frozenset({"to", "cc", "delivered-to", "x-original-to"})
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FOLD = re.compile(r"[\r\n]+(?=[ \t])")
_MESSAGE_ID = re.compile(r"<([^<>]{1,998})>")
_QUOTED = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?$)')
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]\\@]{1,256}@[^\s<>,;:\"()\\@]{1,255}")
_BODY_START = re.compile(rb"\n\r?\n|\r\r")


def parse_mail(raw: bytes) -> InboundMail:
    """Take a message apart. Never raises, whatever the bytes are; ``defects`` says what was odd or left out.

    ``plain`` and ``html`` are the outer message's own text, cut at 200 * 1024 characters and 2,000 lines, and at
    256 * 1024 characters. A message enclosed in it is an attachment; what that one holds, its text too, follows
    under longer paths. Headers are decoded, not believed; of those with our own prefix only our mail's mark stays.

    Source: RELIABILITY.md, Limits, and P1 for the content key.
    """
    structure = parse_structure(raw)
    parts, defects = walk_parts(structure.root)
    body, attached = split_body(parts)
    charset = next((part.charset for part in body if part.charset), None)
    fields = tuple(
        (name, _shown(value, charset)) for name, value in structure.headers[:_MAX_FIELDS] if _is_foreign(name)
    )
    plain, html = read_plain(body), read_html(body)
    attachments = read_attachments(attached, html.text)
    recipients, references = _recipients(fields), _message_ids(fields, "references")
    defects = (
        *structure.defects,
        *((TOO_MANY_FIELDS,) if len(structure.headers) > _MAX_FIELDS else ()),
        *((TOO_MANY_ADDRESSES,) if len(recipients) > _MAX_ADDRESSES else ()),
        *((ADDRESS_FIELD_TOO_LONG,) if any(_is_overlong(name, value) for name, value in fields) else ()),
        *((TOO_MANY_REFERENCES,) if len(references) > _MAX_REFERENCES else ()),
        *defects,
        *plain.defects,
        *html.defects,
        *(attachment.held_back for attachment in attachments if attachment.held_back),
    )
    return InboundMail(
        headers=fields,
        message_id=next(iter(_message_ids(fields, "message-id")), None),
        in_reply_to=_message_ids(fields, "in-reply-to")[:_MAX_REFERENCES],
        references=references[-_MAX_REFERENCES:],
        subject=_first(fields, "subject"),
        sent_at=_moment(_first(fields, "date")),
        recipients=recipients[:_MAX_ADDRESSES],
        plain=plain.text,
        html=html.text,
        attachments=attachments,
        enclosed_ids=find_enclosed_ids(parts, plain.text),
        content_key=_content_key(
            fields, [part_hash(masked_part(part)) for part in parts], raw if PARTIAL.intersection(defects) else None
        ),
        defects=tuple(dict.fromkeys(defects)),
        holds_cards=has_cards(parts, fields),
    )


def _is_foreign(name: str) -> bool:
    lowered = name.lower()
    return lowered == _OWN_MARK or not lowered.startswith(_OWN_PREFIX)


def _shown(value: str, charset: str | None) -> str:
    """A field's value as people read it: unfolded, decoded, without control characters."""
    text = decode_words(_FOLD.sub("", value) if "\n" in value or "\r" in value else value, charset)
    return text.strip() if text.isprintable() else _CONTROL.sub(" ", text).strip()


def _first(fields: Sequence[tuple[str, str]], wanted: str) -> str:
    return next((value for name, value in fields if name.lower() == wanted), "")


def _message_ids(fields: Sequence[tuple[str, str]], wanted: str) -> tuple[str, ...]:
    """Ids of every field of that name: what stands in angle brackets, else the words of a field without any."""
    ids: list[str] = []
    for name, value in fields:
        if name.lower() == wanted:
            bracketed = ["".join(found.split()) for found in _MESSAGE_ID.findall(value)]
            ids += [f"<{found}>" for found in bracketed if found] or value.split()
    return tuple(ids)


def _recipients(fields: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Bare addresses, one more than allowed at most, so that the limit shows."""
    found: dict[str, None] = {}
    for name, value in fields:
        if name.lower() in _RECIPIENTS and "@" in value:
            for address in _ADDRESS.findall(_QUOTED.sub(" ", value[:_MAX_ADDRESS_FIELD])):
                found[address.lower()] = None
    return tuple(found)


def _is_overlong(name: str, value: str) -> bool:
    return name.lower() in _RECIPIENTS | {"from", "reply-to"} and len(value) > _MAX_ADDRESS_FIELD


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text[:_MAX_DATE])
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _content_key(fields: Sequence[tuple[str, str]], hashes: Sequence[str], unread: bytes | None) -> str:
    """What makes two deliveries the same mail: trace fields and transfer encodings do not count.

    Args:
        fields: decoded headers.
        hashes: of every part's decoded content.
        unread: the raw message where not all of it was read; its body then counts as well.
    """
    words = [
        mask_card_numbers(" ".join(_first(fields, name).split())) for name in ("message-id", "date", "from", "subject")
    ]
    body = []
    if unread is not None:
        start = _BODY_START.search(unread)
        body = [sha256(unread[start.end() if start else 0 :]).hexdigest()]
    return sha256("\0".join([*words, *hashes, *body]).encode()).hexdigest()
