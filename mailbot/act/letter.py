"""What a letter is made of: typed values before it is written, blocks of words once it is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from mailbot.errors import PermanentError
from mailbot.model.decision import Settlement
from mailbot.model.money import Money


class LetterError(PermanentError):
    """A letter lacks what its template says; a person must see to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Everything that a reply may mention, as typed values; ``None`` and empty mean that there is nothing to mention.

    Attributes:
        template: name of the reply, such as ``return_approved``.
        language: ISO 639-1; a language without templates is answered in English.
        zone: the shop's; times are given in it.
        return_address: where returned goods go, lines set apart by line feeds; empty: the parcel's sender.
        subject: the customer's, decoded; may hold anything.
        missing: what the customer has yet to send: ``order_number``, ``invoice``.
        clauses: texts of the policy's clauses, not their ids.
        pieces: of the order that the letter is about, how many and what each is called; empty: all of it.
        refund: what was or will be refunded, in letters that show no bill.
        reply_by: until when a person answers; ``None`` promises no time.
        refund_by: until when an approved refund is made.
        refund_within: how long after accepting returned goods the refund is made, at most.
        dispatch_by: the last day for sending goods back (C14).
        paid_on: when a refund was paid.
        status: of the case, for an answer about how it stands.
        inspection_note: what was found when returned goods were inspected, in an operator's words.
        window_ended_on: the last day of the window that has passed.
        code: of a verification mail.
        proof_url: the link in it that proves the same; ``None`` where there is no page for it.
        text: an operator's own words.
    """

    template: str
    language: str
    shop_name: str
    support_address: str
    zone: ZoneInfo
    policy_url: str
    care_guide_url: str
    faq_url: str
    return_address: str
    case_number: str
    subject: str
    customer_name: str | None = None
    order_number: str | None = None
    missing: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    settlement: Settlement | None = None
    pieces: tuple[tuple[int, str], ...] = ()
    refund: Money | None = None
    reply_by: datetime | None = None
    refund_by: datetime | None = None
    refund_within: timedelta | None = None
    dispatch_by: date | None = None
    received_on: date | None = None
    window_ended_on: date | None = None
    paid_on: date | None = None
    status: str | None = None
    inspection_note: str | None = None
    code: str | None = None
    proof_url: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        """Refuse a time without a zone."""
        for moment in (self.reply_by, self.refund_by):
            if moment is not None and moment.tzinfo is None:
                raise LetterError(f"{moment} has no time zone")


class BlockKind(StrEnum):
    """How a stretch of a reply is set."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEMS = "items"
    CLAUSES = "clauses"
    BILL = "bill"
    ADDRESS = "address"
    CODE = "code"
    LINKS = "links"
    CLOSING = "closing"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a reply, cleaned and worded, but set neither as text nor as HTML yet.

    Attributes:
        rows: a bill's label and sum, the total last; a link's label and address.
    """

    kind: BlockKind
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
