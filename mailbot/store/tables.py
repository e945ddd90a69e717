"""The tables, as SQLAlchemy maps them; migrations/ makes them. Times are UTC, money is whole minor units."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Key = BigInteger().with_variant(Integer, "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """To the database: the same moment in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """From the database: aware, in UTC."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Root of the tables; names every constraint, so that migrations can."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime,
        int: BigInteger,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        bytes: LargeBinary,
        str: Text,
    }


def table_of(mapped: type[Base]) -> Table:
    """The table behind a class, for statements that change rows past the objects of a session."""
    table = mapped.__table__
    assert isinstance(table, Table)  # noqa: S101 (what SQLAlchemy does not say)
    return table


class InstanceRow(Base):
    """The one row that says which installation this is.

    ``message_key`` signs our Message-IDs; it is no password, and no order can be read with it.

    Attributes:
        epoch: how often mailbot was started on it, which a file beside it knows too.
        restored_at: when it was found to be a copy; mail from before goes to people.
    """

    __tablename__ = "instance"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    message_key: Mapped[bytes]
    created_at: Mapped[datetime]
    first_started_at: Mapped[datetime | None]
    epoch: Mapped[int] = mapped_column(server_default="0")
    restored_at: Mapped[datetime | None]


class LeaseRow(Base):
    """Who may poll a mailbox just now; ``token`` grows with each new holder and fences off the old one (P1)."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]
    token: Mapped[int]


class FolderRow(Base):
    """One life of an IMAP folder: a UIDVALIDITY, and how far it has been read."""

    __tablename__ = "folders"
    __table_args__ = (UniqueConstraint("mailbox", "folder", "uidvalidity"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    mailbox: Mapped[str] = mapped_column(String(64))
    folder: Mapped[str] = mapped_column(String(255))
    uidvalidity: Mapped[int]
    last_uid: Mapped[int]
    high_water_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    polled_at: Mapped[datetime | None]
    swept_at: Mapped[datetime | None]


class RawMailRow(Base):
    """The bytes of a mail, zstd-compressed, kept once by their SHA-256."""

    __tablename__ = "raw_mails"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int]
    content: Mapped[bytes]


class MailState(StrEnum):
    """Where a stored mail stands; the first three are still to be worked on."""

    FETCH_FAILED = "fetch_failed"
    STORED = "stored"
    PROCESSING = "processing"
    HANDLED = "handled"
    FILED = "filed"
    DUPLICATE = "duplicate"
    PARKED = "parked"


class MailRow(Base):
    """One message of one folder life: exactly one row for each UID that the server ever listed (I1).

    Attributes:
        held: why no machine may act on it (archive, other life of the folder, Message-ID conflict); shown to people.
        attempts: tries to fetch it, then to process it; counted before each try (I2).
        reading: what was read out of it, as JSON text.
        marked_at: when the server was told; only a hint to people.
    """

    __tablename__ = "mails"
    __table_args__ = (
        UniqueConstraint("mailbox", "folder", "uidvalidity", "uid"),
        Index("ix_mails_work", "state", "id"),
        Index(
            "ix_mails_unmarked",
            *("mailbox", "folder", "uidvalidity", "uid"),
            sqlite_where=text("marked_at IS NULL AND sha256 IS NOT NULL"),
            postgresql_where=text("marked_at IS NULL AND sha256 IS NOT NULL"),
        ),
        Index(
            "uq_mails_content_key",
            "content_key",
            unique=True,
            sqlite_where=text("content_key IS NOT NULL AND duplicate_of IS NULL"),
            postgresql_where=text("content_key IS NOT NULL AND duplicate_of IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    mailbox: Mapped[str] = mapped_column(String(64))
    folder: Mapped[str] = mapped_column(String(255))
    uidvalidity: Mapped[int]
    uid: Mapped[int]
    received_at: Mapped[datetime]
    stored_at: Mapped[datetime]
    size: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(String(64), ForeignKey("raw_mails.sha256"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    next_try_at: Mapped[datetime | None]
    taken_by: Mapped[str | None]
    problem: Mapped[str | None]
    held: Mapped[str | None]
    kind: Mapped[str | None] = mapped_column(String(16))
    content_key: Mapped[str | None] = mapped_column(String(64))
    duplicate_of: Mapped[int | None] = mapped_column(ForeignKey("mails.id"))
    message_id: Mapped[str | None] = mapped_column(index=True)
    sender: Mapped[str | None]
    reading: Mapped[str | None]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    marked_at: Mapped[datetime | None]


_IS_LIVE = "state NOT IN ('declined', 'refunded', 'expired', 'closed')"


class CaseRow(Base):
    """One customer's request from its first mail on; its number is ``RF-`` and the id in six digits.

    Attributes:
        version: grows with every change; a stale page or a second worker is refused by it.
        customer: the strict address that the case corresponds with; ``None`` where it was ambiguous.
        history_head: hash of its newest event.
        requested_at: when the first mail that asked for something arrived.
        stood: the state that a case left when it was escalated, to go back to once a person has answered.
        assigned_to: the person whose it is.
        tracking: the parcel's number, as the customer gave it.
        sum_minor: what the present decision gives back or proposes to; ``None`` where it is not known.
        snoozed_until: nobody needs to look at it before, unless a promise is due.
        merged_into: the case that its mails and promises went to; nothing is done on it any more.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_state", "state", "id"),
        Index(
            "ix_cases_live",
            "id",
            sqlite_where=text(_IS_LIVE),
            postgresql_where=text(_IS_LIVE),
            postgresql_include=["state", "assigned_to", "snoozed_until", "escalation", "language"],
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(32))
    topic: Mapped[str | None] = mapped_column(String(32))
    customer: Mapped[str | None] = mapped_column(index=True)
    order_number: Mapped[str | None]
    order_key: Mapped[str | None] = mapped_column(index=True)
    language: Mapped[str | None] = mapped_column(String(16))
    subject: Mapped[str]
    requested_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(String(32))
    rule: Mapped[str | None] = mapped_column(String(64))
    escalation: Mapped[str | None] = mapped_column(String(64))
    grade: Mapped[str | None] = mapped_column(String(2))
    stood: Mapped[str | None] = mapped_column(String(32))
    assigned_to: Mapped[str | None] = mapped_column(String(120), index=True)
    tracking: Mapped[str | None] = mapped_column(String(64))
    sum_minor: Mapped[int | None]
    sum_currency: Mapped[str | None] = mapped_column(String(3))
    snoozed_until: Mapped[datetime | None]
    merged_into: Mapped[int | None] = mapped_column(index=True)
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    history_head: Mapped[str] = mapped_column(String(64), server_default="")


class CaseEventRow(Base):
    """One thing that happened to a case; rows are only ever added, which triggers hold (I11).

    Attributes:
        actor: ``mailbot``, ``customer``, or a person's name.
        hash: of this event and of all before it in its case.
    """

    __tablename__ = "case_events"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(48))
    from_state: Mapped[str | None] = mapped_column(String(32))
    to_state: Mapped[str | None] = mapped_column(String(32))
    detail: Mapped[dict[str, Any]]
    hash: Mapped[str] = mapped_column(String(64), server_default="")


class PolicyRow(Base):
    """A policy that has decided something, whole, so that any decision can be made again."""

    __tablename__ = "policies"

    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[str]
    timezone: Mapped[str] = mapped_column(String(64))
    first_used_at: Mapped[datetime]


class DecisionRow(Base):
    """One decision with all that it was made of (I7)."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    mail_id: Mapped[int] = mapped_column(ForeignKey("mails.id"))
    decided_at: Mapped[datetime]
    policy_version: Mapped[str] = mapped_column(String(64), ForeignKey("policies.version"))
    facts: Mapped[dict[str, Any]]
    decision: Mapped[dict[str, Any]]
    trace: Mapped[list[Any]]
    sender_why: Mapped[str]


class ClockRow(Base):
    """One level (due or limit) of one clock of a case; fires at most once (I9).

    Attributes:
        round: the first reply clock of a case is 1, the next one that a later mail starts is 2.
    """

    __tablename__ = "clocks"
    __table_args__ = (
        UniqueConstraint("case_id", "kind", "round", "level"),
        Index(
            "ix_clocks_running", "due_at", sqlite_where=text("met_at IS NULL"), postgresql_where=text("met_at IS NULL")
        ),
        Index(
            "ix_clocks_next",
            *("case_id", "level", "due_at"),
            sqlite_where=text("met_at IS NULL"),
            postgresql_where=text("met_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str] = mapped_column(String(16))
    round: Mapped[int]
    level: Mapped[str] = mapped_column(String(8))
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    fired_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]


class RefundRow(Base):
    """An intent: money that a decision made due, to go back to the payment it came from (P4, I6-I8).

    Attributes:
        attempt: 1, and one more for each intent of the same decision that was cancelled before.
        key: fixed idempotency key; ``body`` the frozen order to pay, the same bytes at every try.
        approved_by: ``policy`` or the person who approved it; ``second_approver`` another person, above the limit.
        held_for: why it may not be paid now; ``None`` unless it is held.
        looks: how often an unknown one was looked up in vain; ``look_at`` when it is looked up next.
        reference: of the payment, as the person who paid confirmed it; no two refunds share one.
    """

    __tablename__ = "refunds"
    __table_args__ = (UniqueConstraint("case_id", "decision_id", "attempt"), Index("ix_refunds_state", "state", "id"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"))
    attempt: Mapped[int]
    order_key: Mapped[str] = mapped_column(index=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    provider: Mapped[str] = mapped_column(String(32))
    body: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(32))
    approved_by: Mapped[str] = mapped_column(String(120))
    approved_at: Mapped[datetime]
    second_approver: Mapped[str | None] = mapped_column(String(120))
    held_for: Mapped[str | None] = mapped_column(String(64))
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[str | None] = mapped_column(String(120))
    looks: Mapped[int]
    look_at: Mapped[datetime | None]
    reference: Mapped[str | None] = mapped_column(String(120), unique=True)
    paid_at: Mapped[datetime | None]


class KillSwitchRow(Base):
    """The one row that stops refunds and automatic mail while ``frozen_at`` is set."""

    __tablename__ = "kill_switch"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    frozen_at: Mapped[datetime | None]
    frozen_by: Mapped[str | None] = mapped_column(String(120))
    reason: Mapped[str | None]


class OutboxState(StrEnum):
    """Where a message on its way out stands (P3)."""

    DRAFT = "draft"
    QUEUED = "queued"
    SENDING = "sending"
    AMBIGUOUS = "ambiguous"
    SENT = "sent"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class OutboxRow(Base):
    """One frozen message: its final bytes, written in the transaction that decided it (I4, P3).

    Attributes:
        purpose: what it is for, unique, so that nothing is said twice.
        answers: sending it keeps the promise of a reply.
        automatic: no person wrote or released it; counts against the rates of I10.
        attempts: tries, counted before each; ``resent`` that its one copy after doubt was used up.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_work", "state", "due_at"),
        Index("ix_outbox_recipient", "recipient", "created_at"),
        Index("ix_outbox_template", "template", "created_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(120), unique=True)
    template: Mapped[str] = mapped_column(String(64))
    grade: Mapped[str | None] = mapped_column(String(2))
    recipient: Mapped[str]
    sender: Mapped[str]
    message_id: Mapped[str] = mapped_column(unique=True)
    content: Mapped[bytes]
    automatic: Mapped[bool]
    answers: Mapped[bool]
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    resent: Mapped[bool]
    due_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    taken_by: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    problem: Mapped[str | None]


class ProofRow(Base):
    """One question to an order's address on file whether a mail was its own; code and link are kept hashed.

    ``link_hash`` is ``None`` where the shop has no public address for the link to lead to.
    """

    __tablename__ = "proofs"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    order_key: Mapped[str] = mapped_column(index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    link_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int]
    used_at: Mapped[datetime | None]


class SilencedRow(Base):
    """An address, lower case, that no machine writes to any more; a person may lift that."""

    __tablename__ = "silenced"

    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    why: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]


class OrderRow(Base):
    """One sale as the shop's book has it; ``key`` is its number as numbers are compared.

    Attributes:
        ours_seen_minor: how much of ``refunded_minor`` are refunds of ours that the book has caught up with.
    """

    __tablename__ = "orders"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    number: Mapped[str] = mapped_column(String(200))
    customer_name: Mapped[str | None]
    customer_email: Mapped[str | None] = mapped_column(index=True)
    invoice_number: Mapped[str | None]
    status: Mapped[str] = mapped_column(String(16))
    paid_at: Mapped[datetime]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    currency: Mapped[str] = mapped_column(String(3))
    shipping_minor: Mapped[int]
    captured_minor: Mapped[int]
    refunded_minor: Mapped[int]
    ours_seen_minor: Mapped[int] = mapped_column(server_default="0")
    payment_method: Mapped[str] = mapped_column(String(200))
    transaction_fee_minor: Mapped[int | None]
    dispute_open: Mapped[bool]
    lines: Mapped[list[Any]]
    imported_at: Mapped[datetime]


class OrderSyncRow(Base):
    """How far the book follows a shop: ``synced_at`` is when the last whole synchronisation began."""

    __tablename__ = "order_syncs"

    source: Mapped[str] = mapped_column(String(255), primary_key=True)
    synced_at: Mapped[datetime]


class ExpiryRow(Base):
    """How long a certificate or a sign-in is good for, as it was seen last."""

    __tablename__ = "expiries"

    what: Mapped[str] = mapped_column(String(320), primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime]


class OAuthTokenRow(Base):
    """The sign-in of one mailbox at its provider: the refresh token, encrypted by a key outside the database."""

    __tablename__ = "oauth_tokens"

    mailbox: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[bytes]
    stored_at: Mapped[datetime]
