"""A reply as the bytes that go out: headers, both texts, and the marks by which machines know a machine.

Source: RFC 5322 §3.6.4, RFC 2046 §5.1.4, RFC 3834 §3.1; RELIABILITY.md, "Machine mail" and Limits, last paragraph.
"""

import re
from base64 import b32encode, b64encode
from binascii import b2a_qp
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from textwrap import wrap

from mailbot.act.phrases import clean
from mailbot.act.reply import Reply
from mailbot.errors import PermanentError, shown

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", re.ASCII)
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>", re.ASCII)
_OWN_ID = re.compile(r"<([A-Za-z0-9-]+\.[A-Za-z0-9]+)\.([a-z2-7]{20})@[^@<>\s]+>", re.ASCII)
_PRINTABLE = re.compile(r"[ -~]*(?:\n [ -~]+)*", re.ASCII)
_MOST_ADDRESS = 254
_MOST_ID = 250
_MOST_REFERENCES = 50
_MOST_LINE = 900
_COLUMNS = 76
_OCTETS_A_WORD = 42


class UnsafeHeaderError(PermanentError):
    """A header field cannot be written as asked, so the message is not sent."""

    def __init__(self, name: str, value: str) -> None:
        """Keep field and value apart."""
        self.name, self.value = name, value
        super().__init__(f"header {name}: cannot be written from {shown(value)}")


class _PrintableHeaders(EmailPolicy):
    """Takes printable ASCII as we fold it and refuses all else; parsing each field again would cost 1 ms a message."""

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        if not _PRINTABLE.fullmatch(value):
            raise UnsafeHeaderError(name, value)
        return name, value

    def header_fetch_parse(self, _: str, value: str) -> str:
        return value

    def header_max_count(self, name: str) -> int | None:
        return _most_of(name)


@cache
def _most_of(name: str) -> int | None:
    """How many fields of a name a message may have; each time that it is asked, the library makes a class to tell."""
    most: int | None = EmailPolicy().header_max_count(name)
    return most


_POLICY = _PrintableHeaders(linesep="\r\n", refold_source="none", cte_type="7bit")


def compose(
    reply: Reply,
    *,
    message_id: str,
    sent_at: datetime,
    from_name: str,
    from_address: str,
    to: str,
    in_reply_to: str | None,
    references: Sequence[str],
    instance: str,
    by_person: bool = False,
) -> bytes:
    """The whole message, CRLF line ends, 7-bit; the same arguments give the same bytes.

    Args:
        reply: subject, text and HTML.
        message_id: of this message, angle brackets included.
        sent_at: the Date field, aware.
        from_name: shown beside the address; empty for none.
        from_address: the shop's, bare.
        to: the one recipient, bare.
        in_reply_to: Message-ID of the mail that is answered; ``None`` or ill-formed: left out.
        references: that mail's own references; ill-formed ones are left out.
        instance: this installation's id, by which it knows its own mail.
        by_person: a person wrote or released it: it carries no marks of automatic mail.

    Raises:
        UnsafeHeaderError: an address or id is none, or a value cannot stand in a header.
    """
    if not _is_id(message_id):
        raise UnsafeHeaderError("Message-ID", message_id)
    parent = [in_reply_to] if in_reply_to is not None and _is_id(in_reply_to) else []
    thread = _thread([*filter(_is_id, references), *parent])
    message = EmailMessage(policy=_POLICY)
    message["From"] = _mailbox("From", from_name, from_address)
    message["To"] = _mailbox("To", "", to)
    message["Subject"] = _unstructured(clean(reply.subject))
    message["Date"] = format_datetime(sent_at)
    message["Message-ID"] = message_id
    if parent:
        message["In-Reply-To"] = parent[0]
    if thread:
        message["References"] = "\n ".join(thread)
    if not by_person:
        message["Auto-Submitted"] = "auto-replied"
        message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message["X-Mailbot-Instance"] = instance
    message["MIME-Version"] = "1.0"
    boundary = sha256(message_id.encode()).hexdigest()[:24]
    message["Content-Type"] = f'multipart/alternative; boundary="=_{boundary}"'
    message.attach(_part("plain", reply.text))
    message.attach(_part("html", reply.html))
    return message.as_bytes()


def new_message_id(key: bytes, case_number: str, nonce: str, domain: str) -> str:
    """A Message-ID by which an answer finds its case, and which only this installation can make.

    Args:
        key: the installation's secret.
        case_number: letters, digits and hyphens, such as ``RF-000123``.
        nonce: letters and digits, different for each message of a case.
        domain: of the shop's address.
    """
    token = f"{case_number}.{nonce}"
    return f"<{token}.{_signature(key, token)}@{domain}>"


def is_own_message_id(key: bytes, message_id: str) -> bool:
    """Tell whether ``new_message_id`` made it with this key, whatever its domain."""
    match = _OWN_ID.fullmatch(message_id) if len(message_id) <= _MOST_ID else None
    return match is not None and compare_digest(_signature(key, match[1]), match[2])


def _signature(key: bytes, token: str) -> str:
    """100 bits of HMAC-SHA256, base32, lower case."""
    return b32encode(hmac_digest(key, token.encode(), sha256))[:20].decode("ascii").lower()


def _is_id(message_id: str) -> bool:
    return len(message_id) <= _MOST_ID and "=?" not in message_id and bool(_MESSAGE_ID.fullmatch(message_id))


def _thread(ids: Sequence[str]) -> list[str]:
    """Each id once, at its last place; of a long thread the first and the latest (RFC 5322 §3.6.4 asks for no more)."""
    unique = list(dict.fromkeys(reversed(ids)))[::-1]
    return unique if len(unique) <= _MOST_REFERENCES else [unique[0], *unique[1 - _MOST_REFERENCES :]]


def _mailbox(field: str, name: str, address: str) -> str:
    if len(address) > _MOST_ADDRESS or "=?" in address or not _ADDRESS.fullmatch(address):
        raise UnsafeHeaderError(field, address)
    name = clean(name)
    if not name:
        return address
    if not name.isascii() or "=?" in name:
        return f"{_encoded(name)}\n <{address}>"
    quoted = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{quoted}" <{address}>'


def _unstructured(text: str) -> str:
    if text.isascii() and "=?" not in text:
        return "\n ".join(wrap(text, _COLUMNS - len("Subject: "), break_long_words=False, break_on_hyphens=False))
    return _encoded(text)


def _encoded(text: str) -> str:
    """Encoded words of at most 75 characters that split no character (RFC 2047 §2, §5)."""
    return "\n ".join(f"=?utf-8?b?{b64encode(octets).decode('ascii')}?=" for octets in _octets(text))


def _octets(text: str) -> Iterator[bytes]:
    word = b""
    for sign in text:
        octets = sign.encode()
        if len(word) + len(octets) > _OCTETS_A_WORD:
            yield word
            word = b""
        word += octets
    yield word


def _part(subtype: str, content: str) -> EmailMessage:
    part = EmailMessage(policy=_POLICY)
    part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    if content.isascii() and max(map(len, content.split("\n"))) <= _MOST_LINE:
        part["Content-Transfer-Encoding"] = "7bit"
        part.set_payload(content)
    else:
        part["Content-Transfer-Encoding"] = "quoted-printable"
        part.set_payload(b2a_qp(content.encode()).decode("ascii"))
    return part
