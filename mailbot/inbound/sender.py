"""Who a mail says it is from, what the shop's own server found out about that, and what it proves for an order."""

from collections.abc import Collection
from dataclasses import dataclass

from mailbot.inbound.authentication import find_verdict, trusted_names
from mailbot.inbound.from_field import find_author
from mailbot.inbound.header_lines import split_header
from mailbot.model.facts import SenderStatus
from mailbot.model.mail import SenderGrade, SenderIdentity, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A row of the sender table: what may be told to whom.

    Attributes:
        why: for ``explain``, such as ``dmarc=pass for shop customer jane@example.org``.
    """

    grade: SenderGrade
    status: SenderStatus
    why: str


def read_identity(
    raw: bytes, authserv_ids: Collection[str], *, trust_unnamed: bool, received_hosts: Collection[str]
) -> SenderIdentity:
    """Read the sender from a message's raw bytes, no library between. Never raises.

    Args:
        raw: the message as the mailbox holds it.
        authserv_ids: names under which the shop's mail server writes its findings (RFC 8601 §2.5).
        trust_unnamed: believe the topmost such field if it names no server, as Microsoft 365 writes it.
        received_hosts: patterns of further hosts on the shop's side, as they stamp ``Received`` (``*.shop.example``).

    Source: RELIABILITY.md, Who is the sender.
    """
    header = split_header(raw)
    author = find_author(header)
    if author.address is None:
        return SenderIdentity(
            address=None, display_name=author.display_name, verdict=Verdict.UNKNOWN, why=author.fault or ""
        )
    domain = author.address.rpartition("@")[2]
    trust = trusted_names(authserv_ids, received_hosts, unnamed=trust_unnamed)
    verdict, why = find_verdict(header, domain, trust)
    return SenderIdentity(
        address=author.address, display_name=author.display_name, verdict=verdict, why=why, flags=author.flags
    )


def prove_sender(identity: SenderIdentity, order_address: str | None, *, proof_used: bool = False) -> Proof:
    """Say how far a sender proved to be an order's customer.

    Args:
        identity: of the mail.
        order_address: the customer's address in the order book; ``None`` where no order is known.
        proof_used: whether the secret that went to that address came back.

    Source: RELIABILITY.md, the sender table; addresses compare without ASCII case, nothing else is folded.
    """
    sender, verdict = identity.address, identity.verdict
    if proof_used:
        return Proof(
            grade=SenderGrade.V3, status=SenderStatus.VERIFIED, why="proved by the mail to the order's address"
        )
    if sender is None or verdict in {Verdict.FAIL, Verdict.CONFLICT}:
        who = f" for {sender}" if sender else ""
        return Proof(grade=SenderGrade.VX, status=SenderStatus.UNVERIFIED, why=f"{identity.why}{who}")
    if order_address is None:
        return Proof(
            grade=SenderGrade.V0,
            status=SenderStatus.UNVERIFIED,
            why=f"{identity.why} for {sender}, who has no order here",
        )
    if not _is_same(sender, order_address):
        return Proof(grade=SenderGrade.V0, status=SenderStatus.MISMATCHED, why=f"{sender} is not the order's address")
    if verdict is Verdict.PASS:
        return Proof(
            grade=SenderGrade.V2, status=SenderStatus.VERIFIED, why=f"{identity.why} for shop customer {sender}"
        )
    return Proof(grade=SenderGrade.V1, status=SenderStatus.UNVERIFIED, why=f"{identity.why} for {sender}")


def _is_same(sender: str, order_address: str) -> bool:
    return order_address.isascii() and sender == order_address.strip().lower()
