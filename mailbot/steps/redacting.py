"""Keeping no payment card numbers: what was read, and the raw copy, lose them before anything else sees them."""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy.orm import Session

from mailbot.inbound.card_redaction import apply_edits
from mailbot.model.card_numbers import find_card_numbers, mask_card_numbers
from mailbot.model.reading import Body, OrderNumberCandidate, Reading, Span
from mailbot.store import mails, orders
from mailbot.store.mails import TakenMail
from mailbot.store.tables import MailRow


def redact(session: Session, mail: MailRow, taken: TakenMail, reading: Reading) -> Reading:
    """Take card numbers out of a mail's reading and of its raw bytes; orders' and invoices' numbers stay.

    Source: RELIABILITY.md, Limits, "Card numbers"; T16.
    """
    numbers = {card.digits for text in _texts(reading) for card in find_card_numbers(text)}
    numbers.update(number for edit in reading.edits for number in edit.numbers)
    if not numbers and not reading.edits:
        return reading
    spared = orders.find_known_digits(session, numbers)
    edits = [edit for edit in reading.edits if not edit.numbers or not spared.issuperset(edit.numbers)]
    if edits:
        mails.replace_raw(session, mail, apply_edits(taken.raw, edits))
    return masked(reading, spared)


def _texts(reading: Reading) -> Iterator[str]:
    yield from (reading.subject, reading.body.text, *reading.body.hidden, reading.identity.display_name)
    yield from (span.quote for span in (*reading.spans, *reading.follow_ups))
    yield from (attachment.file_name or "" for attachment in reading.attachments)
    yield from (invoice.number or "" for invoice in reading.invoices)


def masked(reading: Reading, spared: frozenset[str] = frozenset()) -> Reading:
    """A reading without card numbers; the digits in ``spared`` stay."""

    def mask(text: str) -> str:
        return mask_card_numbers(text, spared)

    body = replace(reading.body, text=mask(reading.body.text), hidden=tuple(map(mask, reading.body.hidden)))
    return replace(
        reading,
        edits=(),
        subject=mask(reading.subject),
        body=body,
        identity=replace(reading.identity, display_name=mask(reading.identity.display_name)),
        spans=tuple(_span(span, body, spared) for span in reading.spans),
        follow_ups=tuple(_span(span, body, spared) for span in reading.follow_ups),
        order_numbers=tuple(_number(number, spared) for number in reading.order_numbers),
        invoices=tuple(
            replace(
                invoice, number=invoice.number and mask(invoice.number), order_keys=tuple(map(mask, invoice.order_keys))
            )
            for invoice in reading.invoices
        ),
        attachments=tuple(
            replace(attachment, file_name=attachment.file_name and mask(attachment.file_name))
            for attachment in reading.attachments
        ),
    )


def _span(span: Span, body: Body, spared: frozenset[str]) -> Span:
    quote = body.text[span.start : span.end] if span.part == "body" else mask_card_numbers(span.quote, spared)
    return replace(span, quote=quote, value=mask_card_numbers(span.value, spared))


def _number(number: OrderNumberCandidate, spared: frozenset[str]) -> OrderNumberCandidate:
    return replace(
        number,
        number=mask_card_numbers(number.number, spared),
        key=mask_card_numbers(number.key, spared),
        quote=mask_card_numbers(number.quote, spared),
    )
