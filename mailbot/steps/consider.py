"""From what a case's mails say to what should happen, with no database and no clock: gather, decide, plan."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.act.plan import Plan, Sender, plan
from mailbot.inbound.sender import Proof, prove_sender
from mailbot.model.book import BookedOrder
from mailbot.model.facts import Claim, Evidence, Facts, InvoiceStatus, Order, Reason, Remedy
from mailbot.model.mail import SenderIdentity, Verdict
from mailbot.model.money import Money
from mailbot.model.reading import ClaimedPiece, InvoiceReading, OrderNumberCandidate, Reading, Topic
from mailbot.policy.decide import Answered, decide
from mailbot.policy.table import Policy
from mailbot.understand.claim_lines import find_lines
from mailbot.understand.invoice_status import weigh_invoices, weigh_without_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What all mails of a case say together.

    Attributes:
        topic: of the case: a request stays one, whatever later mails are about.
        names_part: a mail speaks of one item, so that the claim may be about a part of the order.
        part: the pieces of the invoice that it is about, where they are certain.
        no_auto_reply: of the latest mail (rule A4).
    """

    topic: Topic
    claim: Claim
    order_numbers: tuple[OrderNumberCandidate, ...]
    invoices: tuple[InvoiceReading, ...]
    photos: int
    names_part: bool
    part: tuple[ClaimedPiece, ...]
    identity: SenderIdentity
    no_auto_reply: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """What should happen, and all that it was made of.

    Attributes:
        invoice: the reading that ``facts.evidence.invoice`` speaks of; ``None`` where none came.
    """

    facts: Facts
    proof: Proof
    answered: Answered
    plan: Plan
    invoice: InvoiceReading | None


def gather(readings: Sequence[Reading], newest: Reading) -> Gathered | None:
    """Put together what a case's mails say: a later mail adds to the claim.

    A reason that a later mail changes is not believed: its confidence becomes 0, so that a person decides.

    Args:
        readings: of all mails that count, oldest first.
        newest: of the mail that is answered; one that came late is not the last of ``readings``.

    Returns:
        ``None`` where no mail states a claim.
    """
    claims = [reading.claim for reading in readings if reading.claim is not None]
    if not claims:
        return None
    claim = claims[0]
    for later in claims[1:]:
        claim = _joined(claim, later)
    return Gathered(
        topic=max((reading.topic or Topic.OTHER for reading in readings), key=_is_request),
        claim=claim,
        order_numbers=tuple(number for reading in readings for number in reading.order_numbers),
        invoices=tuple(invoice for reading in readings for invoice in reading.invoices),
        photos=sum(reading.photos for reading in readings),
        names_part=any(span.fact == "lines" for reading in readings for span in reading.spans),
        part=_part(readings),
        identity=newest.identity,
        no_auto_reply=newest.no_auto_reply,
    )


def _part(readings: Sequence[Reading]) -> tuple[ClaimedPiece, ...]:
    """The part that the claim is about, if the one mail that asks for anything says so and no other speaks of one."""
    asking = [reading for reading in readings if reading.topic is Topic.REFUND_REQUEST]
    speaking = [reading for reading in readings if any(span.fact == "lines" for span in reading.spans)]
    return asking[0].part if len(asking) == 1 and speaking == asking else ()


def _is_request(topic: Topic) -> bool:
    return topic is Topic.REFUND_REQUEST


def _joined(earlier: Claim, later: Claim) -> Claim:
    if Reason.UNSPECIFIED in {earlier.reason, later.reason}:
        surer = earlier if later.reason is Reason.UNSPECIFIED else later
        reason, confidence = surer.reason, surer.reason_confidence
    else:
        reason = later.reason
        agree = earlier.reason is later.reason
        confidence = max(earlier.reason_confidence, later.reason_confidence) if agree else 0.0
    return Claim(
        reason=reason,
        reason_confidence=confidence,
        wants=earlier.wants if later.wants is Remedy.UNSPECIFIED else later.wants,
        item_used=_later(earlier.item_used, later.item_used),
        item_altered=_later(earlier.item_altered, later.item_altered),
        original_box=_later(earlier.original_box, later.original_box),
        received_on=later.received_on or earlier.received_on,
        repurchased=_later(earlier.repurchased, later.repurchased),
        mentions_dispute=earlier.mentions_dispute or later.mentions_dispute,
        lines=later.lines or earlier.lines,
    )


def _later(earlier: bool | None, later: bool | None) -> bool | None:  # noqa: FBT001 (facts, no switches)
    return earlier if later is None else later


def consider(
    gathered: Gathered,
    booked: BookedOrder | None,
    policy: Policy,
    *,
    given_number: str | None,
    requested_at: datetime,
    promised: Money | None = None,
    proof_used: bool = False,
) -> Considered:
    """Decide about a case and plan what follows.

    Args:
        gathered: what its mails say.
        booked: the order that they are about, if the book has it.
        policy: the shop's.
        given_number: the order number as given, known or not.
        requested_at: when the first mail of the case that asked for something arrived.
        promised: what other cases have promised of this order and the book does not show yet.
        proof_used: the sender has answered with the code that only the order's address was sent.
    """
    order = None if booked is None else less_promised(booked, promised)
    proof = prove_sender(gathered.identity, None if booked is None else booked.customer_email, proof_used=proof_used)
    status, invoice = _weighed(gathered.invoices, booked)
    facts = Facts(
        requested_at=requested_at,
        claim=_certain(gathered, order, invoice if status is InvoiceStatus.MATCHED else None),
        evidence=Evidence(
            order_number=given_number if booked is None else booked.order.number,
            invoice=status,
            photos=gathered.photos,
        ),
        sender=proof.status,
        order=order,
    )
    answered = decide(facts, policy)
    sender = Sender(
        grade=proof.grade,
        address=None if gathered.identity.verdict is Verdict.CONFLICT else gathered.identity.address,
        order_address=None if booked is None else booked.customer_email,
        invoice_came=status is not InvoiceStatus.ABSENT,
        no_auto_reply=gathered.no_auto_reply,
    )
    return Considered(
        facts=facts,
        proof=proof,
        answered=answered,
        plan=plan(answered.decision, answered.reply, sender),
        invoice=invoice,
    )


def _certain(gathered: Gathered, order: Order | None, invoice: InvoiceReading | None) -> Claim:
    """The claim with its lines; not believed where it may be about a part of the order that is not certain.

    Nor where something of the order went back before: nobody knows for which of its lines.

    Args:
        gathered: what the mails say.
        order: as the book has it, less what is promised.
        invoice: the one that is the order's; ``None`` where none came.
    """
    several = order is not None and sum(line.quantity for line in order.lines) > 1
    if order is None or not (gathered.names_part and several) or gathered.claim.lines:
        return gathered.claim
    goods = () if invoice is None or order.refunded.amount else invoice.goods
    lines = find_lines(gathered.part, goods, order) if gathered.part and goods else None
    return replace(gathered.claim, lines=lines) if lines else replace(gathered.claim, reason_confidence=0.0)


def _weighed(
    invoices: tuple[InvoiceReading, ...], booked: BookedOrder | None
) -> tuple[InvoiceStatus, InvoiceReading | None]:
    if booked is None:
        return weigh_without_order(invoices), invoices[0] if invoices else None
    return weigh_invoices(invoices, booked.order, booked.invoice_number)


def less_promised(booked: BookedOrder, promised: Money | None) -> Order:
    """The order as if what is promised of it had gone back already, so that no money goes twice (I6)."""
    order = booked.order
    return order if promised is None else replace(order, refunded=order.refunded + promised)
