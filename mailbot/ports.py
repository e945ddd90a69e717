"""The outside as mailbot sees it: what a mailbox, a mail server and an order source must be able to do."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailbot.model.book import BadOrder, BookedOrder
from mailbot.model.mail import RawMail
from mailbot.model.money import Money
from mailbot.model.refund import RefundOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One message of a folder before its bytes are fetched.

    Attributes:
        received_at: INTERNALDATE, aware.
        size: RFC822.SIZE in bytes.
    """

    uid: int
    received_at: datetime
    size: int


class Folder(Protocol):
    """An open folder of one mailbox (RFC 9051); every method may raise ``RetryableError`` when the link breaks."""

    @property
    def uidvalidity(self) -> int:
        """The folder's UIDVALIDITY; 0 where the server gives none."""

    def uids_after(self, uid: int) -> list[int]:
        """Every UID above ``uid``, ascending."""

    def list_messages(self, uids: Sequence[int]) -> dict[int, Listed]:
        """Size and date of these messages; those that vanished are left out."""

    def fetch(self, listed: Sequence[Listed]) -> Iterator[RawMail]:
        """The messages with their bytes, unchanged and not marked as seen; vanished ones are left out."""

    def fetch_header(self, listed: Listed) -> RawMail:
        """A message that is too large, with no more than its header block as ``data``."""

    def mark_stored(self, uids: Sequence[int]) -> None:
        """Hint to people that these messages are stored: move them or mark them as seen. May do nothing."""

    @property
    def can_wait(self) -> bool:
        """Whether the server has IDLE (RFC 2177)."""

    def wait(self, seconds: float) -> bool:
        """Wait for new mail by IDLE, at most so long; ``False`` at once where the server has no IDLE."""


class Mailbox(Protocol):
    """One account that customers write to."""

    @property
    def name(self) -> str:
        """The mailbox's name in the configuration."""

    @property
    def folder_name(self) -> str:
        """The folder's name on the server."""

    def open(self) -> AbstractContextManager[Folder]:
        """Sign in and select the folder.

        Raises:
            RetryableError: the server is not there now.
            PermanentError: it refuses the sign-in or does not know the folder.
        """

    def sent_ids(self, since: datetime) -> set[str]:
        """Message-IDs in the account's folder of sent mail (RFC 6154), of that day or later; none where it has none.

        Raises:
            RetryableError: the server is not there now.
            PermanentError: it refuses the sign-in.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message to hand over, and to whom; ``sender`` empty for the null reverse-path (RFC 5321 §4.5.5)."""

    sender: str
    recipient: str
    data: bytes


class Handover(Protocol):
    """A signed-in connection to the submission server."""

    def send(self, envelope: Envelope, before_dot: "Mark", after_dot: "Mark") -> None:
        """Hand over one message; returning means that the server took it.

        Args:
            envelope: what to send, to whom.
            before_dot: called when the whole message but the final dot is written.
            after_dot: called as soon as the server has answered 250 to the dot.

        Raises:
            RetryableError: refused for now (4xx), or the link broke before the final dot.
            PermanentError: refused for good (5xx).
            AmbiguousError: the dot was written and no answer came.
        """


class Mark(Protocol):
    """Writes down that a message has come so far on its way out."""

    def __call__(self) -> None:
        """Write it down now."""


class MailTransport(Protocol):
    """The shop's submission server."""

    def connect(self) -> AbstractContextManager[Handover]:
        """Connect and sign in once for many messages.

        Raises:
            RetryableError: the server is not there now.
            PermanentError: it refuses the sign-in.
        """


class OrderSource(Protocol):
    """The shop's own record of what it sold, such as its web shop's interface."""

    def changed_since(self, moment: datetime | None) -> Iterator[BookedOrder | BadOrder]:
        """Every paid order that changed since then, good or bad; all of them where ``moment`` is ``None``.

        Raises:
            RetryableError: the shop is not there now, or asks for patience.
            PermanentError: it refuses the key, or is no such shop.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureStanding:
    """How a payment stands at its provider, and whether one refund of it was made there.

    Attributes:
        left: what may still be refunded of it, in its own currency.
        disputed: the customer has opened a case or chargeback; no machine refunds such a payment.
        reference: of the refund that carries our key; ``None`` where there is none.
    """

    left: Money
    disputed: bool
    reference: str | None


class PaymentProvider(Protocol):
    """A payment service that can refund by itself; where there is none, people pay (P4)."""

    @property
    def name(self) -> str:
        """Its name, kept with every refund."""

    def look(self, order: RefundOrder) -> CaptureStanding:
        """Look the payment up, and our refund of it by its key. Changes nothing.

        Raises:
            RetryableError: the service is not there now.
        """

    def pay(self, order: RefundOrder) -> str:
        """Refund ``order.body()`` to the payment it came from; the same key never pays twice.

        Returns:
            The refund's reference.

        Raises:
            PermanentError: a clear and final refusal; anything else that is raised may mean that it was paid.
        """


class WebhookCaller(Protocol):
    """What calls web addresses of other systems."""

    def call(self, url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> None:
        """Post a body; ``private`` allows addresses that are not public, and no TLS.

        Raises:
            RetryableError: no answer, or none that says yes.
            PermanentError: the address may not be called, or wants no more calls.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One sign-in at an identity provider that a browser is sent to.

    Attributes:
        redirect: the console's address that the browser comes back to.
        state: comes back with the browser.
        nonce: comes back inside of the provider's signed word.
        verifier: proves that the code is used by who asked for it (RFC 7636).
    """

    redirect: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom an identity provider vouches for.

    Attributes:
        name: in lower case, as people are invited by.
        subject: the account at the provider, for good: a hash of its issuer and its number there.
    """

    name: str
    subject: str


class IdentityProvider(Protocol):
    """Where the shop's people sign in for all that they work with; where there is none, they have passwords."""

    def address(self, question: Question, now: datetime) -> str:
        """Where a browser is sent.

        Raises:
            RetryableError: the provider is not there now.
            PermanentError: it is no such provider.
        """

    def identify(self, question: Question, code: str, now: datetime) -> Identity:
        """Whom the code that a browser came back with stands for.

        Raises:
            RetryableError: the provider is not there now.
            PermanentError: it vouches for nobody, or not as it must.
        """

    def examine(self, now: datetime) -> str:
        """Try it without signing anybody in; says what was found.

        Raises:
            RetryableError: the provider is not there now.
            PermanentError: it is no such provider.
        """
