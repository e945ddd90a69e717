"""Stories of mail that no machine may answer: other machines' mail, doubtful senders, and rates that are used up."""

from email import message_from_bytes

import pytest

from mailbot.store.tables import CaseRow, ClockRow, MailRow, OutboxRow
from tests.journey.conftest import ShopBuilder
from tests.journey.life import cancelled, later
from tests.journey.mails import (
    CANCEL,
    JANE,
    MALLORY,
    QUESTION,
    RETURN_WITHOUT_INVOICE,
    SHOP,
    a_bounce,
    a_mail,
    an_invoice,
    an_order,
)
from tests.journey.shop import INSTANCE, Shop

MACHINES = {
    "automatic reply": (
        "auto_reply",
        a_mail(QUESTION, sender="a@a.example", fields={"Auto-Submitted": "auto-replied"}),
    ),
    "absence": ("auto_reply", a_mail(QUESTION, sender="b@a.example", subject="Out of Office: back on Monday")),
    "newsletter": ("bulk", a_mail(QUESTION, sender="c@a.example", fields={"List-Unsubscribe": "<mailto:x@a.example>"})),
    "bulk": ("bulk", a_mail(QUESTION, sender="d@a.example", fields={"Precedence": "bulk"})),
    "bounce of a stranger's mail": ("bounce", a_bounce("<someone@elsewhere.example>", hard=True)),
    "null sender": ("bounce", a_mail(QUESTION, sender="e@a.example", fields={"Return-Path": "<>"})),
    "our own address": ("loop", a_mail(QUESTION, sender=SHOP)),
    "our own mark": ("loop", a_mail(QUESTION, sender="f@a.example", fields={"X-Mailbot-Instance": INSTANCE})),
}


def test_machines_mail_is_filed_and_never_answered(shop_anywhere: Shop) -> None:
    shop = shop_anywhere
    assert shop.answers(*(raw for _, raw in MACHINES.values())) == []
    assert sorted((row.state, row.kind) for row in shop.rows(MailRow)) == sorted(
        ("filed", kind) for kind, _ in MACHINES.values()
    )
    assert shop.cases() == []


def test_our_own_letter_in_the_inbox_is_a_loop_whoever_sent_it_on(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    letter = shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0]
    came_back = a_mail(CANCEL, sender=JANE, message_id=letter.message_id, fields={"Auto-Submitted": "no"})
    assert shop.answers(came_back) == []
    assert [row.kind for row in shop.rows(MailRow)] == ["customer", "loop"]
    assert [case["state"] for case in shop.cases()] == ["refund_due"]


def test_an_absence_notice_of_a_case_s_customer_is_shown_on_the_case(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    letter = shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0]
    notice = a_mail(QUESTION, answers=letter.message_id, fields={"Auto-Submitted": "auto-replied"})
    assert shop.answers(notice) == []
    case = shop.case()
    assert (case["state"], case["history"][-1]["event"]) == ("refund_due", "machine_mail_filed")
    assert shop.clock_of("reply")["state"] == "met"


def test_a_hard_bounce_of_our_letter_gives_its_case_to_a_person_with_a_clock(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    letter = shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0]
    shop.clock.forward(minutes=2)
    assert shop.answers(a_bounce(letter.message_id, hard=True)) == []
    case = shop.case()
    assert len(shop.cases()) == 1
    assert (case["state"], case["escalation"]) == ("escalated", "bounced")
    assert [row.state for row in shop.rows(OutboxRow)] == ["failed"]
    assert [message["state"] for message in case["messages"] if message["direction"] == "out"] == ["failed"]
    assert shop.clock_of("reply")["state"] == "open"


def test_a_soft_bounce_of_our_letter_is_noted_on_its_case(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    letter = shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0]
    shop.clock.forward(minutes=2)
    assert shop.answers(a_bounce(letter.message_id, hard=False)) == []
    case = shop.case()
    assert (case["state"], case["history"][-1]["event"]) == ("refund_due", "delivery_reported")
    assert [row.state for row in shop.rows(OutboxRow)] == ["sent"]


DOUBTFUL = {
    "a no-reply address": a_mail(CANCEL, sender="no-reply@example.org", invoice=an_invoice()),
    "no wish for machines' answers": a_mail(
        CANCEL, sender=JANE, invoice=an_invoice(), fields={"X-Auto-Response-Suppress": "All"}
    ),
    "not to us": a_mail(
        CANCEL,
        sender="bcc@elsewhere.example",
        fields={"To": "someone@else.example", "Delivered-To": ""},
        invoice=an_invoice(),
    ),
    "a forged sender": a_mail(CANCEL, sender=MALLORY, dmarc="fail"),
    "two senders": a_mail(CANCEL, sender=f"{JANE}, {MALLORY}"),
    "an encoded address": a_mail(CANCEL, sender="=?utf-8?q?jane=40example=2Eorg?="),
}


@pytest.mark.parametrize("what", DOUBTFUL)
def test_a_doubtful_sender_gets_nothing_and_a_person_gets_the_mail(what: str, shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    assert shop.answers(DOUBTFUL[what]) == []
    case = shop.case()
    assert (case["state"], case["refund"], shop.rows(OutboxRow)) == ("escalated", None, [])
    assert shop.clock_of("reply")["state"] == "open"


def test_a_mail_whose_html_says_something_else_is_a_person_s(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    assert shop.answers(a_mail(CANCEL, html=f"<p>{RETURN_WITHOUT_INVOICE}</p>")) == []
    assert (shop.case()["state"], shop.case()["escalation"]) == ("escalated", "parts_differ")
    assert shop.clock_of("reply")["state"] == "open"


def test_a_forged_mail_with_an_invoice_makes_the_real_customer_be_asked(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    letters = shop.answers(a_mail(CANCEL, sender=JANE, dmarc="fail", invoice=an_invoice()))
    assert [(letter.to, letter.subject) for letter in letters] == [
        (JANE, "Please confirm your message to Aurelia & Wren")
    ]
    assert (shop.case()["sender_grade"], shop.case()["refund"]) == ("VX", None)


def test_a_verified_customer_gets_ten_letters_a_day_and_the_rest_go_to_people(shop: Shop) -> None:
    numbers = [f"AW-{at}" for at in range(10001, 10013)]
    shop.sells(*(an_order(shop.clock.now, number) for number in numbers))
    mails = [
        a_mail(CANCEL.replace("AW-10001", number), invoice=an_invoice(number), subject=number) for number in numbers
    ]
    assert len(shop.answers(*mails)) == 10
    left = [case for case in shop.cases() if case["escalation"] == "rate_limited"]
    assert [(case["state"], case["refund"]) for case in left] == [("escalated", None)] * 2
    shop.clock.forward(hours=24, minutes=1)
    shop.sells(an_order(shop.clock.now, "AW-10099"))
    another = a_mail(CANCEL.replace("AW-10001", "AW-10099"), invoice=an_invoice("AW-10099"))
    assert len(shop.answers(another)) == 1


def test_a_case_gets_five_letters_a_day(a_shop: ShopBuilder) -> None:
    shop = a_shop()
    letter = cancelled(shop)
    assert [len(later(shop, letter, "Where is my refund?")) for _ in range(6)] == [1, 1, 1, 1, 0, 0]
    assert shop.case()["state"] == "escalated"


def test_an_unproven_sender_gets_one_letter_a_case_and_two_in_all_a_day(shop: Shop) -> None:
    letter = shop.answers(a_mail(RETURN_WITHOUT_INVOICE, sender=MALLORY))[0]
    news = a_mail("The invoice!", sender=MALLORY, answers=letter.message_id, invoice=an_invoice("AW-77777"))
    assert shop.answers(news) == []
    assert [(case["rule"], case["escalation"]) for case in shop.cases()] == [("order_unknown", "rate_limited")]
    others = [a_mail(RETURN_WITHOUT_INVOICE, sender=MALLORY, subject=f"Case {number}") for number in (2, 3)]
    assert [letter.to for letter in shop.answers(*others)] == [MALLORY]
    shop.clock.forward(hours=24, minutes=1)
    later = [a_mail(RETURN_WITHOUT_INVOICE, sender=MALLORY, subject=f"Case {number}") for number in (4, 5, 6)]
    assert [letter.to for letter in shop.answers(*later)] == [MALLORY] * 2


def test_no_more_than_fifty_letters_an_hour_go_to_the_unproven(shop: Shop) -> None:
    flood = [a_mail(RETURN_WITHOUT_INVOICE, sender=f"victim{at}@elsewhere.example") for at in range(51)]
    assert len(shop.answers(*flood)) == 50
    assert [case["escalation"] for case in shop.cases() if case["state"] == "escalated"] == ["rate_limited"]
    shop.clock.forward(hours=1, minutes=1)
    assert len(shop.answers(a_mail(RETURN_WITHOUT_INVOICE, sender="victim99@elsewhere.example"))) == 1


def test_a_flooded_shop_still_answers_its_verified_customers(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    flood = [a_mail(RETURN_WITHOUT_INVOICE, sender=f"victim{at}@elsewhere.example") for at in range(50)]
    letters = shop.answers(*flood, a_mail(CANCEL, invoice=an_invoice()))
    assert (len(letters), letters[-1].to in {letter.to for letter in letters}) == (51, True)
    assert shop.case(51)["state"] == "refund_due"


def test_a_mail_without_content_is_a_person_s(shop: Shop) -> None:
    shop.gets(b"\r\n", b"\r\n\r\n\r\n")
    shop.poll()
    assert {row.state for row in shop.rows(MailRow)} <= {"parked", "duplicate"}
    assert [row.state for row in shop.rows(CaseRow)] == ["escalated"]
    assert len(shop.rows(ClockRow)) == 2


def test_the_letters_of_two_shops_know_each_other_as_machines(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    letter = shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0]
    message = message_from_bytes(letter.envelope.data)
    del message["X-Mailbot-Instance"], message["From"], message["To"], message["Message-ID"]
    message["From"], message["To"], message["Message-ID"] = "support@other.example", SHOP, "<theirs@other.example>"
    message["X-Mailbot-Instance"] = "another"
    assert shop.answers(message.as_bytes()) == []
    assert [row.kind for row in shop.rows(MailRow)] == ["customer", "auto_reply"]
