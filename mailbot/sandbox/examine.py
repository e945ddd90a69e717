"""One mail's bytes to all that is read out of it: inbound first, then understanding. Runs in the limited child only."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from mailbot.inbound.bounce import find_bounce, find_returned
from mailbot.inbound.card_redaction import find_edits
from mailbot.inbound.kind import classify
from mailbot.inbound.mime import PARTIAL, parse_mail
from mailbot.inbound.sender import read_identity
from mailbot.model.mail import InboundMail, MailKind
from mailbot.model.picture import Sight
from mailbot.model.reading import (
    ORDER_NUMBER_SLOW,
    PARTLY_READ,
    PARTS_DIFFER,
    AttachmentNote,
    Body,
    GoodsRow,
    OrderNumberCandidate,
    Reading,
    SegmentKind,
    Span,
)
from mailbot.sandbox.first_mail import first_request
from mailbot.sandbox.in_time import READERS, NumbersInTime
from mailbot.sandbox.rules import parse_request, parse_rules
from mailbot.sandbox.wire import DOCUMENT, PICTURE
from mailbot.understand.beside import Said, read_beside, says_otherwise
from mailbot.understand.body import new_stretches, read_body
from mailbot.understand.claim import ClaimReading, read_claim
from mailbot.understand.invoice import InvoiceFindings, goods_in, read_invoices
from mailbot.understand.invoice_files import FileKind
from mailbot.understand.language import detect_language
from mailbot.understand.lexicons import load_lexicons
from mailbot.understand.order_number import compile_order_numbers
from mailbot.understand.pieces import load_pieces

_READING: TypeAdapter[Reading] = TypeAdapter(Reading)
_MONTH_FIRST = ("America/", "US/")
_MOST_FILE_NAMES = 20
_MOST_NUMBERS = 200
_MOST_HIDDEN = 20
_MOST_QUOTE = 200

See = Callable[[bytes], Sight]
"""Has a file looked at by the child that reads pictures: one byte of kind, then the content."""


class Examiner:
    """Reads mails by one shop's rules."""

    def __init__(self, rules: bytes) -> None:
        self._rules = parse_rules(rules)
        self._zone = ZoneInfo(self._rules.timezone)
        self._order_numbers = compile_order_numbers(self._rules.order_number)
        self._lexicons = load_lexicons()
        self.sees_pictures = self._rules.sees_pictures

    def warm_up(self) -> None:
        """Read one mail that nobody sent, so that everything that reading loads is there."""
        load_pieces()
        self.examine(first_request(self._rules.language))

    def examine(self, request: bytes, see: See | None = None) -> bytes:
        """Read one mail; the answer is a ``Reading`` as JSON.

        Args:
            request: from ``request_bytes``.
            see: ``None`` where nobody reads pictures.
        """
        raw, received_at = parse_request(request)
        mail = parse_mail(raw)
        rules = self._rules
        sort = classify(mail, rules.own_addresses, rules.instance, rules.bounce_address)
        identity = read_identity(
            raw,
            rules.authserv_ids,
            trust_unnamed=rules.trust_unnamed_results,
            received_hosts=rules.received_hosts,
        )
        body = read_body(mail.plain, mail.html, READERS.page)
        kind = MailKind.UNREADABLE if _is_blank(mail) else sort.kind
        bounce = find_bounce(mail) if kind is MailKind.BOUNCE else None
        reading = Reading(
            kind=kind,
            kind_rule=sort.rule,
            why_kind=sort.why,
            no_auto_reply=sort.no_auto_reply,
            identity=identity,
            message_id=mail.message_id,
            in_reply_to=mail.in_reply_to,
            references=mail.references,
            enclosed_ids=mail.enclosed_ids,
            bounced_for_good=None if bounce is None else bounce.hard,
            address_dead=bounce is not None and bounce.dead,
            bounced_to=find_returned(mail, rules.bounce_address),
            subject=mail.subject,
            sent_at=mail.sent_at,
            content_key=mail.content_key,
            body=body,
            attachments=tuple(_noted(mail)),
            defects=(*mail.defects, *body.defects),
        )
        files: Mapping[str, tuple[str, ...]] = {}
        if kind is MailKind.CUSTOMER:
            reading, files = self._understood(reading, mail, received_at, see)
        if mail.holds_cards or files:
            reading = replace(reading, edits=find_edits(raw, files))
        return _READING.dump_json(reading)

    def _understood(
        self, reading: Reading, mail: InboundMail, received_at: datetime, see: See | None
    ) -> tuple[Reading, Mapping[str, tuple[str, ...]]]:
        """What a customer's mail claims, and with what proof; the card numbers that its papers show stand beside it."""
        body = reading.body
        look = None if see is None else partial(_see_file, see)
        order_numbers = NumbersInTime(self._order_numbers)
        found = read_invoices(mail.attachments, body.text, mail.html, order_numbers.keys, look, readers=READERS)
        goods = goods_in(found.invoices)
        language, stated = self._claim(mail.subject, body, received_at, goods)
        doubts, claim = stated.doubts, stated.claim
        numbers = tuple(islice(_numbers(order_numbers, mail, body, found), _MOST_NUMBERS + 1))
        if order_numbers.slow:
            doubts = (*doubts, ORDER_NUMBER_SLOW)
        if order_numbers.slow or PARTIAL.intersection(mail.defects) or body.defects or len(numbers) > _MOST_NUMBERS:
            doubts, claim = (*doubts, PARTLY_READ), replace(claim, reason_confidence=0.0)
        page = read_beside(mail.plain, mail.html, body, READERS.page)
        if page is not None:
            shown = self._claim(mail.subject, page, received_at, goods)[1]
            if says_otherwise(_said(stated, body, order_numbers), _said(shown, page, order_numbers)):
                doubts, claim = (*doubts, PARTS_DIFFER), replace(claim, reason_confidence=0.0)
        understood = replace(
            reading,
            language=stated.language or language,
            topic=stated.topic,
            claim=claim,
            spans=(*stated.spans, *(_span(number) for number in numbers), *_hidden(body)),
            order_numbers=numbers,
            invoices=found.invoices,
            part=stated.part,
            photos=found.photos,
            doubts=doubts,
            follow_ups=stated.follow_ups,
        )
        return understood, found.cards

    def _claim(
        self, subject: str, body: Body, received_at: datetime, goods: Sequence[GoodsRow]
    ) -> tuple[str | None, ClaimReading]:
        """The language of what is new in a body, and what that claims."""
        language = detect_language(" \n".join(body.text[start:end] for start, end in new_stretches(body)))
        return language, read_claim(
            subject,
            body,
            self._lexicons,
            language,
            asked_on=received_at.astimezone(self._zone).date(),
            day_first=not self._rules.timezone.startswith(_MONTH_FIRST),
            goods=goods,
        )


def _see_file(see: See, kind: FileKind, data: bytes) -> Sight:
    return see((DOCUMENT if kind is FileKind.PDF else PICTURE) + data)


def _numbers(
    order_numbers: NumbersInTime, mail: InboundMail, body: Body, found: InvoiceFindings
) -> Iterator[OrderNumberCandidate]:
    """Order numbers of the whole mail: what the customer wrote, what is quoted, what came with it."""
    yield from order_numbers.find(mail.subject, "subject")
    yield from _numbers_in(body, order_numbers)
    for paper in found.texts:
        yield from order_numbers.find(paper.text, f"attachment:{paper.path}")
    for attachment in mail.attachments[:_MOST_FILE_NAMES]:
        if attachment.file_name:
            yield from order_numbers.find(attachment.file_name, "file_name")


def _numbers_in(body: Body, order_numbers: NumbersInTime) -> tuple[OrderNumberCandidate, ...]:
    quoted = [(part.start, part.end) for part in body.segments if part.kind is not SegmentKind.NEW]
    return order_numbers.find(body.text, "body", quoted)


def _said(claim: ClaimReading, body: Body, order_numbers: NumbersInTime) -> Said:
    new = {number.key for number in _numbers_in(body, order_numbers) if not number.quoted}
    return Said(claim=claim, order_keys=new)


def _span(number: OrderNumberCandidate) -> Span:
    return Span(
        fact="order_number_quoted" if number.quoted else "order_number",
        value=number.number,
        part=number.part,
        start=number.start,
        end=number.end,
        quote=number.quote,
    )


def _hidden(body: Body) -> Iterator[Span]:
    """What a reader of the HTML does not see, for people to know of; it is never read as a claim."""
    for number, text in enumerate(body.hidden[:_MOST_HIDDEN], start=1):
        quote = text[:_MOST_QUOTE]
        yield Span(fact="hidden_text", value="not_read", part=f"hidden:{number}", start=0, end=len(quote), quote=quote)


def _is_blank(mail: InboundMail) -> bool:
    return not (mail.headers or mail.plain or mail.html or mail.attachments)


def _noted(mail: InboundMail) -> Iterator[AttachmentNote]:
    for part in mail.attachments:
        yield AttachmentNote(
            path=part.path,
            file_name=part.file_name,
            content_type=part.content_type,
            size=part.size,
            sha256=part.sha256,
            held_back=part.held_back,
        )
