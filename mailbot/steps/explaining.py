"""A dry run of one mail: what would be understood, decided and replied, and why. Changes nothing.

Source: CONTRACT.md, "``explain --json``: one object a mail".
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailbot.act.deadlines import start_clock
from mailbot.act.plan import VERIFICATION
from mailbot.inbound.sender import Proof, prove_sender
from mailbot.model.book import BookedOrder
from mailbot.model.case import ClockKind
from mailbot.model.forms import claim_form, decision_form, facts_form, trace_form
from mailbot.model.mail import MailKind
from mailbot.model.reading import InvoiceReading, Reading, Span, Topic
from mailbot.steps.app import Judgement
from mailbot.steps.consider import Considered, consider, gather
from mailbot.steps.letters import Occasion, write_letter
from mailbot.steps.pieces import called
from mailbot.steps.redacting import masked
from mailbot.understand.order_number import choose_order

SEVERAL_ORDERS = "several_orders"
_CASE_NUMBER = "RF-000000"
_CODE = "XXXXXXXX"

Lookup = Callable[[Collection[str]], dict[str, BookedOrder]]
"""Finds the orders that the book has among these keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One mail as the bot would handle it; ``None`` where the mail does not come so far.

    Attributes:
        form: the JSON object of CONTRACT.md.
        considered: what was decided.
    """

    form: dict[str, Any]
    considered: Considered | None


def explain(judgement: Judgement, name: str, reading: Reading, arrived_at: datetime, lookup: Lookup) -> Explained:
    """Explain one mail that has been read.

    Args:
        judgement: what it is decided by.
        name: the file's, for the output.
        reading: what the limited child read.
        arrived_at: when it arrived.
        lookup: the order book.
    """
    form = _blank(name, reading.kind)
    form |= {"kind_why": reading.why_kind, "language": reading.language}
    form |= {"doubts": list(reading.doubts), "defects": list(reading.defects)}
    gathered = gather([reading], reading)
    if reading.kind is not MailKind.CUSTOMER or gathered is None:
        proof = prove_sender(reading.identity, None)
        form["sender"] = _sender_form(proof, reading)
        return Explained(form=form, considered=None)
    found = lookup({candidate.key for candidate in reading.order_numbers})
    known = {key: booked.customer_email for key, booked in found.items()}
    choice = choose_order(reading.order_numbers, known, reading.identity.address)
    booked = None if choice.key is None else found.get(choice.key)
    if choice.ambiguous:
        form["doubts"].append(SEVERAL_ORDERS)
    policy = judgement.policy_for(booked)
    considered = consider(gathered, booked, policy, given_number=choice.given, requested_at=arrived_at)
    facts = considered.facts
    form |= {
        "topic": gathered.topic.value,
        "order_number": facts.evidence.order_number,
        "invoice": _invoice_form(facts.evidence.invoice.value, considered.invoice),
        "sender": _sender_form(considered.proof, reading),
        "claim": claim_form(replace(gathered.claim, lines=facts.claim.lines)),
        "evidence": [_span_form(span) for span in masked(reading, _digits(found)).spans],
    }
    if gathered.topic is not Topic.REFUND_REQUEST:
        return Explained(form=form, considered=None)
    form |= {
        "facts": facts_form(facts),
        "decision": decision_form(considered.answered.decision),
        "trace": trace_form(considered.answered.trace),
        **_letters(judgement, considered, reading, booked, arrived_at),
    }
    return Explained(form=form, considered=considered)


def unreadable(name: str, problem: str) -> Explained:
    """A mail that could not be read within the limits: a person gets it."""
    return Explained(form=_blank(name, MailKind.UNREADABLE) | {"defects": [problem]}, considered=None)


def _blank(name: str, kind: MailKind) -> dict[str, Any]:
    nothing = ("topic", "language", "order_number", "invoice", "sender", "claim")
    undecided = ("facts", "decision", "trace", "reply", "verification")
    return {
        "file": name,
        "kind": kind.value,
        "kind_why": None,
        **dict.fromkeys(nothing),
        "evidence": [],
        **dict.fromkeys(undecided),
        "doubts": [],
        "defects": [],
    }


def _digits(found: dict[str, BookedOrder]) -> frozenset[str]:
    """The digits of known orders' and invoices' numbers, which are no card numbers however they look."""
    numbers = [*found, *(booked.invoice_number or "" for booked in found.values())]
    return frozenset("".join(filter(str.isdigit, number)) for number in numbers)


def _sender_form(proof: Proof, reading: Reading) -> dict[str, Any]:
    """Who wrote, why that is or is not proven, and what about the name a person should notice."""
    return {"status": proof.status.value, "why": proof.why, "flags": list(reading.identity.flags)}


def _invoice_form(status: str, invoice: InvoiceReading | None) -> dict[str, Any]:
    return {
        "status": status,
        "number": invoice and invoice.number,
        "amount": None if invoice is None or invoice.amount is None else f"{invoice.amount:f}",
        "currency": invoice and invoice.currency,
        "source": None if invoice is None else invoice.source.value,
    }


def _span_form(span: Span) -> dict[str, Any]:
    return {
        "fact": span.fact,
        "value": span.value,
        "part": span.part,
        "start": span.start,
        "end": span.end,
        "quote": span.quote,
    }


def _letters(
    judgement: Judgement, considered: Considered, reading: Reading, booked: BookedOrder | None, now: datetime
) -> dict[str, Any]:
    plan, decision = considered.plan, considered.answered.decision
    policy, zone = judgement.policy_for(booked), judgement.settings.shop.zone
    clocks = policy.clocks
    occasion = Occasion(
        case_number=_CASE_NUMBER,
        language=reading.language,
        subject=reading.subject,
        booked=booked,
        decision=decision,
        settlement=decision.settlement,
        reply_by=start_clock(ClockKind.REPLY, clocks[ClockKind.REPLY], now, zone).limit_at,
        pieces=() if booked is None else called(considered.facts.claim.lines, [reading], booked.order),
        started=None if plan.clock is None else start_clock(plan.clock, clocks[plan.clock], now, zone),
        now=now,
    )

    def letter(template: str | None, to: str | None, code: str | None) -> dict[str, str] | None:
        if template is None or to is None:
            return None
        reply = write_letter(judgement.templates, judgement.settings, policy, template, occasion, code=code)
        return {
            "template": template,
            "language": reply.language,
            "to": to,
            "subject": reply.subject,
            "text": reply.text,
        }

    return {
        "reply": letter(plan.reply, plan.reply_to, None),
        "verification": letter(VERIFICATION, plan.verification_to, _CODE),
    }
