"""Are the reply templates whole? Every reply in every language, its values, and whether sample cases can be written."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from mailbot.act.columns import width_of
from mailbot.act.letter import Letter
from mailbot.act.phrases import MISSING, STATUS
from mailbot.act.reply import write_reply
from mailbot.act.templates import FALLBACK, NAMES, Templates
from mailbot.errors import MailbotError
from mailbot.model.decision import ReturnPostage, Settlement
from mailbot.model.money import Money

_MOST_COLUMNS = 78
_ZONE = ZoneInfo("America/New_York")
_MONEY = Money.rounded(Decimal("76.70"), "USD")
_NONE = Money.rounded(Decimal(0), "USD")


def check_templates(templates: Templates, replies: Collection[str] = (), language: str = FALLBACK) -> tuple[str, ...]:
    """Everything that a person should mend, one line each; empty is good.

    Args:
        templates: as loaded.
        replies: names in use beside those that every mailbot has, such as those that the policy's rows name.
        language: the shop's own.
    """
    absent = [] if language in templates.languages else [f"{language}: has no templates; see [shop] language"]
    return *absent, *templates.check(replies), *_unwritable(templates, NAMES | frozenset(replies))


def _unwritable(templates: Templates, names: Collection[str]) -> Iterator[str]:
    """Sample letters that cannot be written, or whose lines are wider than a mail's should be (RFC 5322 §2.1.1)."""
    for code, language in sorted(templates.languages.items()):
        for name in sorted(names & language.templates.keys()):
            for letter in _samples(name, code):
                try:
                    reply = write_reply(templates, letter)
                except MailbotError as problem:
                    yield f"{code}/{name}.txt: {problem}"
                    break
                wide = next((line for line in reply.text.splitlines() if width_of(line) > _MOST_COLUMNS), None)
                if wide is not None:
                    yield f"{code}/{name}.txt: a line of more than {_MOST_COLUMNS} columns: {wide[:40]}..."
                    break


def _samples(name: str, language: str) -> Iterator[Letter]:
    """A letter that has all there is to say, and for each state of a case and kind of postage the one that tells it."""
    full = Letter(
        template=name,
        language=language,
        shop_name="Aurelia & Wren",
        support_address="support@shop.example",
        zone=_ZONE,
        policy_url="https://shop.example/returns",
        care_guide_url="https://shop.example/care",
        faq_url="https://shop.example/faq",
        return_address="Aurelia & Wren\n14 Mill Lane\nBrooklyn, NY 11201",
        case_number="RF-000123",
        subject="AW-10231",
        customer_name="Jane Doe",
        order_number="AW-10231",
        missing=MISSING,
        clauses=("Within 7 days of receipt you can request a return.",),
        settlement=Settlement(
            items=_MONEY,
            outbound_shipping=_NONE,
            transaction_fee=_NONE,
            already_refunded=_NONE,
            cap_adjustment=_NONE,
            refund=_MONEY,
            return_postage=ReturnPostage.CUSTOMER,
        ),
        reply_by=datetime(2026, 3, 12, 14, 30, tzinfo=UTC),
        refund_by=datetime(2026, 3, 11, 14, 30, tzinfo=UTC),
        refund_within=timedelta(hours=48),
        dispatch_by=date(2026, 3, 17),
        received_on=date(2026, 3, 6),
        window_ended_on=date(2026, 3, 13),
        paid_on=date(2026, 3, 11),
        status="refunded",
        inspection_note="The clasp is bent.",
        code="K7QMWX3F",
        text="We have found your parcel.",
    )
    for status in STATUS:
        yield replace(full, status=status)
    yield replace(
        full, customer_name=None, order_number=None, received_on=None, window_ended_on=None, return_address=""
    )
