"""A mail before and after parsing, and which sort of sender it came from."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MailKind(StrEnum):
    """Who or what wrote a mail. Source: CONTRACT.md, ``explain --json``; RELIABILITY.md, "Machine mail"."""

    CUSTOMER = "customer"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    BULK = "bulk"
    LOOP = "loop"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMail:
    """One message as the mailbox holds it (RFC 9051 §2.3).

    Attributes:
        uid: with ``uidvalidity``, mailbox and folder the message's only lasting name.
        received_at: INTERNALDATE; the mailbox's clock, never the Date header.
        size: RFC822.SIZE in bytes.
        data: the bytes as stored on the server; ``None`` where they were not fetched (too large, or refused).
    """

    uid: int
    uidvalidity: int
    received_at: datetime
    size: int
    data: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One part of a mail that is not its text.

    Attributes:
        path: place in the MIME tree, counted from 1 as IMAP does, such as ``"2"`` or ``"1.3"``.
        file_name: as the sender gave it, at most 120 printable characters; only ever shown, never a path.
        content_type: lower case, without parameters, such as ``application/pdf``.
        size: of the decoded content, in bytes.
        inline: a part of the text's layout (Content-Disposition inline or a Content-ID that the HTML shows).
        sha256: of the decoded content, hex.
        data: decoded content; empty where a limit held it back.
        held_back: which limit, or ``None``.
    """

    path: str
    file_name: str | None
    content_type: str
    size: int
    inline: bool
    sha256: str
    data: bytes
    held_back: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMail:
    """One message taken apart: valid Unicode without NUL everywhere, limits of RELIABILITY.md applied.

    Attributes:
        headers: every field in order, name as sent, value decoded (RFC 2047), unfolded, without control characters.
        message_id: the first one, angle brackets included; ``None`` is normal (RFC 5322 §3.6.4).
        in_reply_to, references: message ids as sent, angle brackets included, at most 50.
        subject: decoded; empty where there is none.
        sent_at: the Date header, which the sender chose; ``None`` where absent or unreadable.
        recipients: bare addresses of To, Cc, Delivered-To and X-Original-To, lower case.
        plain: the inline text/plain parts, decoded, LF line ends, otherwise untouched; ``None`` where there is none.
        html: likewise the inline text/html parts.
        enclosed_ids: Message-IDs of messages enclosed whole or as headers (forwards, delivery reports).
        content_key: SHA-256 (hex) of normalised Message-ID, Date, From, Subject and decoded part hashes (P1).
        holds_cards: something in it reads as a payment card number.
        defects: what was odd or beyond a limit, one short constant text each.
    """

    headers: tuple[tuple[str, str], ...]
    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    sent_at: datetime | None
    recipients: tuple[str, ...]
    plain: str | None
    html: str | None
    attachments: tuple[Attachment, ...]
    enclosed_ids: tuple[str, ...]
    content_key: str
    defects: tuple[str, ...]
    holds_cards: bool = False

    def values(self, name: str) -> tuple[str, ...]:
        """Values of every field of that name, in order; names compare without case."""
        wanted = name.lower()
        return tuple(value for field, value in self.headers if field.lower() == wanted)


class Verdict(StrEnum):
    """What the shop's own mail server found about the From domain (RFC 8601); ``CONFLICT``: it found two things."""

    PASS = "pass"  # noqa: S105 (the word of RFC 8601, no password)
    FAIL = "fail"
    NONE = "none"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderIdentity:
    """Who a mail says it is from, read strictly from its raw bytes, before any order is looked at.

    Attributes:
        address: the bare address, ASCII lower case; ``None`` where the From field is ambiguous.
        display_name: decoded, for people to see, never to compare.
        verdict: the DMARC verdict D of RELIABILITY.md, "Who is the sender".
        why: one sentence for ``explain``: which field said so, or what was wrong with it.
        flags: what a person should notice, such as ``display_name_holds_other_address``.
    """

    address: str | None
    display_name: str
    verdict: Verdict
    why: str
    flags: tuple[str, ...] = ()


class SenderGrade(StrEnum):
    """Rows of the sender table of RELIABILITY.md."""

    V3 = "V3"
    V2 = "V2"
    V1 = "V1"
    V0 = "V0"
    VX = "VX"
