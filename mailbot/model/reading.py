"""What was read out of one mail: the whole answer of the limited child, and nothing that it did not read."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from mailbot.model.facts import Claim
from mailbot.model.mail import MailKind, SenderIdentity

PARTLY_READ = "partly_read"
"""The doubt of a mail that goes beyond a limit, so that a part of it was not read."""
PARTS_DIFFER = "parts_differ"
"""The doubt of a mail whose HTML says something else than its text."""
HOLDING = frozenset({PARTLY_READ, PARTS_DIFFER})
"""Doubts that leave a mail to people whatever else it says."""
ORDER_NUMBER_SLOW = "order_number_slow"
"""The doubt of a mail in which the shop's own pattern for order numbers ran out of time."""


class Topic(StrEnum):
    """What a customer writes about. Source: CONTRACT.md, ``topic``."""

    REFUND_REQUEST = "refund_request"
    OTHER = "other"


class SegmentKind(StrEnum):
    """Who wrote a stretch of a mail's text, and what for."""

    NEW = "new"
    QUOTE = "quote"
    SIGNATURE = "signature"


class FollowUp(StrEnum):
    """What a mail says about a case that is already running; the fact of a span in ``Reading.follow_ups``."""

    WITHDRAWAL = "withdrawal"
    REFUND_STATUS = "refund_status"
    ORDER_STATUS = "order_status"
    RETURN_SENT = "return_sent"
    TRACKING_NUMBER = "tracking_number"
    ACKNOWLEDGEMENT = "acknowledgement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One stretch of the body text, ``text[start:end]``; a body's segments follow one another without a gap."""

    kind: SegmentKind
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The text of a mail as a person reads it, with what is new set apart; nothing is thrown away.

    Attributes:
        text: at most 200 KB; every span with part ``"body"`` points into it.
        segments: cover all of ``text`` in order.
        hidden: HTML text that a reader does not see; shown to people, never read as a claim.
        defects: which limits cut or coarsened the text, one constant text each.
    """

    text: str
    segments: tuple[Segment, ...]
    hidden: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where one fact was read.

    Attributes:
        fact: a field of the claim or of the evidence, such as ``reason``.
        value: as in the JSON form, written as text.
        part: ``"body"``, ``"subject"``, ``"file_name"``, or ``"attachment:<path>"``.
        start, end: characters of that part's text; ``quote`` is that stretch.
    """

    fact: str
    value: str
    part: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNumberCandidate:
    """One place of the mail that looks like one of the shop's order numbers.

    Attributes:
        number: as the shop would write it; ``key`` is how it compares (no case, spaces, hyphens).
        part, start, end, quote: as in ``Span``.
        quoted: it stands in text that the customer did not write now; it never decides.
    """

    number: str
    key: str
    part: str
    start: int
    end: int
    quote: str
    quoted: bool


class InvoiceSource(StrEnum):
    """What an invoice was read from."""

    PDF = "pdf"
    IMAGE = "image"
    XML = "xml"
    HTML = "html"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsRow:
    """One row of an invoice that sells something.

    Attributes:
        text: what the row calls it, with the article number where it has one.
        quantity: how many pieces; ``None`` where that is not certain.
        amounts: the prices in it, in the invoice's currency.
    """

    text: str
    quantity: int | None
    amounts: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedPiece:
    """So many pieces of one row of the enclosed invoice that the claim is about."""

    row: GoodsRow
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceReading:
    """One document that is, or may be, an invoice.

    Attributes:
        unreadable: why nothing could be read out of it; ``None`` where something was.
        number, amount, currency, issued_on: as printed; ``None`` where not found.
        amount: the gross total.
        order_keys: order numbers that it names, as keys.
        credit_note: a credit note, delivery note or the like: no proof of purchase.
        attachment: its path in the mail; ``None`` where it stands in the mail's own text.
        goods: what it sells, row by row; empty where no rows could be told.
    """

    source: InvoiceSource
    attachment: str | None
    unreadable: str | None
    number: str | None
    amount: Decimal | None
    currency: str | None
    issued_on: date | None
    order_keys: tuple[str, ...]
    credit_note: bool
    goods: tuple[GoodsRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentNote:
    """An attachment without its content: what the record keeps of it."""

    path: str
    file_name: str | None
    content_type: str
    size: int
    sha256: str
    held_back: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEdit:
    """Bytes of the raw mail to replace because they hold card numbers; never stored.

    Attributes:
        numbers: the card numbers in them; empty where the whole body goes.
        content: what takes their place, one character a byte.
    """

    numbers: tuple[str, ...]
    start: int
    end: int
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One mail as read.

    Attributes:
        kind_rule: which machine-mail rule said so (``A1`` to ``A5``); ``None`` for an ordinary customer's mail.
        no_auto_reply: a person wrote it, but no machine may answer (rule A4).
        why_kind: what in the mail says so.
        enclosed_ids: ids of enclosed messages; a bounce names the mail that bounced here.
        bounced_for_good: whether a bounce says that delivery failed for good; ``None`` where it does not say.
        address_dead: it also says, or lets no other reason show, that nobody reads mail to the address.
        edits: how the raw copy loses its card numbers; empty once that is done.
        bounced_to: our own envelope sender of one message (VERP) that this mail was sent to.
        language: ISO 639-1, or ``None`` where the text is too short to tell.
        claim, topic: ``None`` for all but customers' mail.
        part: the pieces of the invoice that the claim is about; empty: the whole order, or a part that the words do
            not settle (then a span ``lines`` says that there is one).
        doubts: what keeps a machine from deciding, one short constant text each.
        photos: pictures that came and are not part of the layout.
        follow_ups: what it says about a case that is running, as ``FollowUp`` names it, each with its words; the value
            of a ``tracking_number`` is the number without spaces, of all others ``"true"``. Whether there is such a
            case is not the reader's matter.
    """

    kind: MailKind
    kind_rule: str | None
    why_kind: str
    no_auto_reply: bool
    identity: SenderIdentity
    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    enclosed_ids: tuple[str, ...]
    bounced_for_good: bool | None
    subject: str
    sent_at: datetime | None
    content_key: str
    body: Body
    attachments: tuple[AttachmentNote, ...]
    defects: tuple[str, ...]
    language: str | None = None
    topic: Topic | None = None
    claim: Claim | None = None
    spans: tuple[Span, ...] = ()
    order_numbers: tuple[OrderNumberCandidate, ...] = ()
    invoices: tuple[InvoiceReading, ...] = ()
    part: tuple[ClaimedPiece, ...] = ()
    doubts: tuple[str, ...] = ()
    photos: int = 0
    follow_ups: tuple[Span, ...] = ()
    address_dead: bool = False
    bounced_to: str | None = None
    edits: tuple[RawEdit, ...] = ()

    def says(self, follow_up: FollowUp) -> bool:
        """Whether the mail says this about its case."""
        return any(span.fact == follow_up for span in self.follow_ups)
