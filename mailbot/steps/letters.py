"""The letters that a case sends: values put together from decision, policy and configuration, then frozen as bytes."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mailbot.act.message import compose, new_message_id
from mailbot.act.plan import GENERIC, VERIFICATION
from mailbot.act.reply import Letter, Reply, Templates, write_reply
from mailbot.model.book import BookedOrder
from mailbot.model.case import ClockKind, Deadline
from mailbot.model.decision import Decision, Settlement
from mailbot.model.money import Money
from mailbot.policy.conditions import add_months
from mailbot.policy.table import Policy
from mailbot.settings import Settings
from mailbot.steps.pieces import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a letter is about.

    Attributes:
        language: the customer's, ISO 639-1; ``None`` where it is unknown.
        subject: of the customer's mail.
        reply_by: the reply limit, for letters that promise a person's answer; ``None`` where it has passed.
        started: the clock that the decision starts, or that a later letter reminds of.
        refund: what was or will be refunded, in letters that show no bill; ``paid_at`` when it was.
        status: of the case, for an answer about how it stands.
        inspection_note: what an operator found when returned goods came.
        pieces: of the order that it is about; empty: all of it.
        now: a window is said to have ended only if it has.
    """

    case_number: str
    language: str | None
    subject: str
    booked: BookedOrder | None
    decision: Decision | None
    settlement: Settlement | None
    reply_by: datetime | None
    started: Deadline | None
    now: datetime
    refund: Money | None = None
    paid_at: datetime | None = None
    status: str | None = None
    inspection_note: str | None = None
    pieces: tuple[Piece, ...] = ()


def write_letter(
    templates: Templates, settings: Settings, policy: Policy, template: str, occasion: Occasion, **own: str | None
) -> Reply:
    """Write one letter of ``make_letter``."""
    return write_reply(templates, make_letter(templates, settings, policy, template, occasion, **own))


def make_letter(
    templates: Templates, settings: Settings, policy: Policy, template: str, occasion: Occasion, **own: str | None
) -> Letter:
    """Put the values of one letter together.

    It is written in the customer's language if there are templates in it, else in the shop's. Letters to people who
    have not proved who they are hold nothing of the order and no word of their mail.

    Args:
        templates: all of them.
        settings: the shop's name, addresses and links.
        policy: clause texts and windows.
        template: its name.
        occasion: what it is about.
        **own: ``code`` and ``proof_url`` of a verification, ``text`` that a person wrote.

    Source: RELIABILITY.md, "Generic"; CONTRACT.md, templates by outcome.
    """
    language = templates.language_for(template, occasion.language, settings.shop.language)
    shop, unproven = settings.shop, template in {GENERIC, VERIFICATION}
    booked, decision, started = occasion.booked, occasion.decision, occasion.started
    received_on = None if decision is None else decision.received_on
    return Letter(
        template=template,
        language=language,
        shop_name=shop.name,
        support_address=shop.support_address,
        zone=shop.zone,
        policy_url=shop.policy_url,
        care_guide_url=shop.care_guide_url,
        faq_url=shop.faq_url,
        return_address=shop.return_address,
        case_number="" if unproven else occasion.case_number,
        subject="" if unproven else occasion.subject,
        customer_name=None if unproven or booked is None else booked.customer_name,
        order_number=None if unproven or booked is None else booked.order.number,
        missing=() if unproven or decision is None else decision.missing,
        clauses=() if unproven or decision is None else _clauses(decision, occasion.settlement, policy, language),
        settlement=None if unproven else occasion.settlement,
        refund=None if unproven else occasion.refund,
        paid_on=None if occasion.paid_at is None else occasion.paid_at.astimezone(shop.zone).date(),
        status=None if unproven else occasion.status,
        inspection_note=None if unproven else occasion.inspection_note,
        pieces=() if unproven else occasion.pieces,
        reply_by=None if unproven else occasion.reply_by,
        refund_by=started.limit_at if started and started.kind is ClockKind.REFUND else None,
        refund_within=policy.clocks[ClockKind.REFUND].limit,
        dispatch_by=_last_day(started, settings) if started and started.kind is ClockKind.DISPATCH else None,
        received_on=None if unproven else received_on,
        window_ended_on=None if unproven else _window_end(occasion, policy, shop.zone),
        code=own.get("code"),
        proof_url=own.get("proof_url"),
        text=own.get("text"),
    )


def _last_day(started: Deadline, settings: Settings) -> date:
    return started.limit_at.astimezone(settings.shop.zone).date() - timedelta(days=1)


def _clauses(decision: Decision, settlement: Settlement | None, policy: Policy, language: str) -> tuple[str, ...]:
    """The texts of the clauses cited; the one about the fee only to whom a fee was deducted."""
    free = settlement is not None and not settlement.transaction_fee.amount
    cited = [clause for clause in decision.clauses if not (free and clause == policy.fee.clause)]
    return tuple(policy.wording(clause, language) for clause in cited)


def _window_end(occasion: Occasion, policy: Policy, zone: ZoneInfo) -> date | None:
    """The last day of the window that the decision found passed; ``None`` where none has."""
    decision = occasion.decision
    if decision is None or decision.received_on is None:
        return None
    row = policy.row(decision.rule)
    if row is None:
        return None
    asked = {test.condition for test in row.tests}
    if "in_guarantee" in asked:
        end = add_months(decision.received_on, policy.terms.guarantee_months)
    else:
        end = decision.received_on + timedelta(days=policy.terms.return_days)
    return end if end < occasion.now.astimezone(zone).date() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A letter's final bytes, which never change again (I4)."""

    message_id: str
    sender: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """The mail that a letter answers."""

    message_id: str | None = None
    references: tuple[str, ...] = ()


def freeze(
    reply: Reply,
    settings: Settings,
    *,
    key: bytes,
    instance: str,
    case_number: str,
    to: str,
    thread: Thread,
    now: datetime,
    by_person: bool = False,
) -> Frozen:
    """Compose a letter's final bytes with its Message-ID, date and marks (RFC 3834, RFC 5322).

    Args:
        reply: the written letter.
        settings: who it is from.
        key: signs the Message-ID, so that our own mail is known again.
        instance: our mark.
        case_number: stands in the Message-ID, so that an answer finds its case.
        to: the one recipient.
        thread: what it answers; empty for a letter that begins a thread.
        now: its Date.
        by_person: a person wrote it, so it carries no marks of automatic mail.
    """
    nonce = secrets.token_hex(6)
    domain = settings.shop.support_address.partition("@")[2]
    message_id = new_message_id(key, case_number, nonce, domain)
    content = compose(
        reply,
        message_id=message_id,
        sent_at=now,
        from_name=settings.shop.name,
        from_address=settings.shop.support_address,
        to=to,
        in_reply_to=thread.message_id,
        references=thread.references,
        instance=instance,
        by_person=by_person,
    )
    return Frozen(message_id=message_id, sender=_bounces_to(settings.smtp.bounce_address, nonce), content=content)


def _bounces_to(bounce_address: str, nonce: str) -> str:
    """The envelope sender: a bounce address of this one message (VERP), or the null one. Source: RFC 3834 §3.3."""
    local, _, domain = bounce_address.partition("@")
    return f"{local}+{nonce}@{domain}" if bounce_address else ""
