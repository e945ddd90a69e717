"""The tables of the operators' desk: people, what they do and have done, and what they keep for themselves."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mailbot.store.tables import Base, Key


class UserRow(Base):
    """A person who may sign in to the console.

    Attributes:
        password_hash: Argon2id; ``None`` until the person has chosen one.
        code_sealed: the key of the authenticator (RFC 6238), encrypted; ``None`` until it is set up.
        code_key: the same as an earlier version kept it, in the clear; ``None`` once it is encrypted.
        code_step: the last step whose code was used, so that none is used twice.
        provider_subject: the account at the shop's identity provider that the person first came by, hashed.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str | None]
    code_key: Mapped[str | None] = mapped_column(String(64))
    code_sealed: Mapped[bytes | None]
    code_step: Mapped[int]
    provider_subject: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    @property
    def has_code(self) -> bool:
        """Whether the authenticator is set up."""
        return self.code_sealed is not None or self.code_key is not None


class SessionRow(Base):
    """A browser signed in to the console, or a one-time link that may become one; tokens are kept hashed.

    Attributes:
        user_id: whose it is; ``None`` for the link that makes the first admin.
        agent: what the browser calls itself, for the list of sessions.
    """

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    agent: Mapped[str | None]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SignInFailureRow(Base):
    """One failed sign-in, counted against the account and against the address that it came from."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (Index("ix_sign_in_failures_subject", "subject", "at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    subject: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class AuditRow(Base):
    """One thing that a person did or saw; rows are only ever added, and each holds the hash of the one before (I11)."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(48), index=True)
    subject: Mapped[str] = mapped_column(String(200))
    detail: Mapped[dict[str, Any]]
    before: Mapped[str] = mapped_column(String(64), unique=True)
    hash: Mapped[str] = mapped_column(String(64))


class OrderState(StrEnum):
    """Where something that a person ordered stands."""

    HELD = "held"
    DONE = "done"
    UNDONE = "undone"
    FAILED = "failed"


class HeldRow(Base):
    """Something that a person ordered and can take back until ``due_at``; one a case at a time.

    Attributes:
        seen: the case's last event when the person ordered it; what came after may make it stale.
        problem: why it could not be done.
    """

    __tablename__ = "held_actions"
    __table_args__ = (
        Index(
            "uq_held_actions_case",
            "case_id",
            unique=True,
            sqlite_where=text("state = 'held'"),
            postgresql_where=text("state = 'held'"),
        ),
        Index("ix_held_actions_work", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    actor: Mapped[str] = mapped_column(String(120))
    verb: Mapped[str] = mapped_column(String(24))
    details: Mapped[dict[str, Any]]
    seen: Mapped[int]
    state: Mapped[str] = mapped_column(String(8))
    ordered_at: Mapped[datetime]
    due_at: Mapped[datetime]
    problem: Mapped[str | None]


class SavedViewRow(Base):
    """A view of the queue that somebody keeps by a name: the query part of its address."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("owner", "name"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    owner: Mapped[str] = mapped_column(String(120))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str]


class ApiTokenRow(Base):
    """A token for scripts, kept hashed, with the role whose grants it has."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class WebhookMarkRow(Base):
    """How far a webhook has been told of what happened, and the last event from before it came into being."""

    __tablename__ = "webhook_marks"

    hook: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[int]
    born_after: Mapped[int]


class WebhookCallState(StrEnum):
    """Where a call stands."""

    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"


class WebhookCallRow(Base):
    """One call of a webhook, its body frozen; made again until it is answered, so that it may be heard twice.

    Attributes:
        key: what it tells of; the same is never queued twice for one hook.
        attempts: counted before each try, with ``due_at`` of the next one, so that a crash repeats it.
    """

    __tablename__ = "webhook_calls"
    __table_args__ = (UniqueConstraint("hook", "key"), Index("ix_webhook_calls_work", "state", "due_at"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    hook: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64))
    event: Mapped[str] = mapped_column(String(32))
    body: Mapped[str]
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    problem: Mapped[str | None]
