"""Stories that the policy decides by itself: what the customer gets, what becomes due, which clocks run."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from mailbot.model.case import ClockKind
from mailbot.store.tables import ClockRow, OutboxRow, RefundRow
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import (
    CANCEL,
    DEFECT,
    DISPUTE,
    JANE,
    QUESTION,
    RETURN,
    RETURN_WITHOUT_INVOICE,
    SHOP,
    a_mail,
    an_invoice,
    an_order,
)
from tests.journey.shop import INSTANCE, MORNING, Letter, Shop


def has_marks_of_automatic_mail(letter: Letter) -> bool:
    """Whether machines know a letter as a machine's (RFC 3834) and its envelope can make no loop."""
    wanted = {
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "X-Mailbot-Instance": INSTANCE,
    }
    return {name: letter.message[name] for name in wanted} == wanted and letter.envelope.sender == ""


def bill_of(letter: Letter) -> list[str]:
    """The lines of a letter's bill."""
    return [line.strip() for line in letter.text.splitlines() if line.startswith("    ") and "$" in line]


def test_a_cancellation_is_approved_and_its_refund_due(shop_anywhere: Shop) -> None:
    shop = shop_anywhere
    shop.sells(an_order(shop.clock.now))
    shop.gets(a_mail(CANCEL, invoice=an_invoice(), subject="Cancel my order", message_id="<first@mail.example.org>"))
    assert shop.poll().sent == 1
    letter = shop.letter()
    case = shop.case()
    assert (case["state"], case["rule"], case["sender_grade"]) == ("refund_due", "cancel", "V2")
    assert case["refund"] == {"amount": "82.70", "currency": "USD", "state": "due"}
    due = {"due": "2026-03-11T15:00:00+00:00", "limit": "2026-03-12T15:00:00+00:00"}
    assert case["deadlines"] == [{"kind": "refund", **due, "state": "open"}, {"kind": "reply", **due, "state": "met"}]
    assert (letter.to, letter.message["To"], letter.message["Cc"], letter.message["Bcc"]) == (JANE, JANE, None, None)
    assert letter.subject == "Re: Cancel my order"
    assert letter.message["In-Reply-To"] == letter.message["References"] == "<first@mail.example.org>"
    assert parsedate_to_datetime(str(letter.message["Date"])) == MORNING
    assert has_marks_of_automatic_mail(letter)
    assert bill_of(letter) == [
        "Items         $80.00",
        "Shipping       $6.00",
        "PayPal fee    -$3.30",
        "Your refund   $82.70",
    ]
    assert all(amount in letter.html for amount in ("$80.00", "$6.00", "-$3.30", "$82.70"))
    assert "by Thursday, March 12, 2026 at" in letter.text
    assert [message["direction"] for message in case["messages"]] == ["in", "out"]
    assert case["messages"][1]["message_id"] == letter.message_id
    assert [row.approved_by for row in shop.rows(RefundRow)] == ["policy"]


def test_a_return_is_approved_and_its_dispatch_clock_runs(shop_anywhere: Shop) -> None:
    shop = shop_anywhere
    shop.sells(an_order(shop.clock.now, paid=9, delivered=4))
    letter = shop.answers(a_mail(RETURN, invoice=an_invoice()))[0]
    case = shop.case()
    assert (case["state"], case["rule"], case["refund"]) == ("return_approved", "return", None)
    assert shop.clock_of("dispatch") == {
        "kind": "dispatch",
        "due": "2026-03-15T04:00:00+00:00",
        "limit": "2026-03-18T04:00:00+00:00",
        "state": "open",
    }
    assert "by Tuesday, March 17, 2026" in letter.text
    assert "1 Mill Lane, Salem" in letter.text
    assert bill_of(letter) == ["Items         $80.00", "PayPal fee    -$3.30", "Your refund   $76.70"]
    assert has_marks_of_automatic_mail(letter)


def test_what_is_asked_for_may_come_later_and_the_first_day_counts(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6))
    question = shop.answers(a_mail(RETURN_WITHOUT_INVOICE, subject="Return"))[0]
    assert (shop.case()["state"], shop.case()["rule"]) == ("waiting_for_information", "evidence_missing")
    assert "invoice" in question.text
    assert "AW-10001" in question.text
    shop.clock.forward(days=3)
    answer = a_mail("Here is the invoice.", invoice=an_invoice(), subject="Re: Return", answers=question.message_id)
    letter = shop.answers(answer)[0]
    assert len(shop.cases()) == 1
    case = shop.case()
    assert (case["state"], case["rule"]) == ("return_approved", "return")
    assert case["requested_at"] == MORNING.isoformat()
    assert case["decisions"][-1]["facts"]["requested_at"] == MORNING.isoformat()
    assert "We have approved your return" in letter.text


def test_a_later_mail_of_the_same_customer_about_the_same_order_needs_no_thread(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6))
    shop.answers(a_mail(RETURN_WITHOUT_INVOICE))
    shop.clock.forward(days=3)
    shop.answers(a_mail("The invoice for AW-10001 is attached.", subject="Invoice", invoice=an_invoice()))
    assert [case["rule"] for case in shop.cases()] == ["return"]
    assert shop.case()["requested_at"] == MORNING.isoformat()


@pytest.mark.parametrize("in_thread", [True, False], ids=["as an answer", "as a fresh mail"])
def test_who_forgot_the_order_number_asked_on_the_first_day_too(shop: Shop, *, in_thread: bool) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6))
    forgot = RETURN_WITHOUT_INVOICE.replace(" AW-10001", "")
    generic = shop.answers(a_mail(forgot, subject="Return"))[0]
    shop.clock.forward(days=3)
    shop.answers(
        a_mail(RETURN, subject="Return", invoice=an_invoice(), answers=generic.message_id if in_thread else None)
    )
    assert "return_window_passed" not in [case["rule"] for case in shop.cases()]


def test_an_acknowledgement_keeps_no_promise(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6))
    shop.answers(a_mail(DEFECT, invoice=an_invoice()))
    assert shop.case()["decisions"][-1]["decision"]["proposal"]["outcome"] == "refund"
    states = []
    for _ in range(3):
        states.append(shop.clock_of("reply")["state"])
        shop.clock.forward(hours=24)
    assert states == ["open", "due_soon", "breached"]


ROWS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "already_refunded": ("declined", RETURN, {"paid": 12, "delivered": 6, "refunded": "86.00", "status": "refunded"}),
    "customer_damage": (
        "declined",
        "I dropped the ring from order AW-10001 on the floor and it broke. I would like a refund. Invoice attached.",
        {"paid": 12, "delivered": 6},
    ),
    "guarantee_expired": ("declined", DEFECT, {"paid": 200, "delivered": 190}),
    "not_yet_received": ("declined", RETURN, {"paid": 8, "status": "shipped", "shipped_at": "2026-03-04T15:00:00Z"}),
    "natural_variation": (
        "declined",
        "The colour of my order AW-10001 differs from the photos. I want to return it for a refund. Invoice attached.",
        {"paid": 30, "delivered": 20},
    ),
    "ring_opening": (
        "declined",
        "When I adjusted the size of the ring from AW-10001, its opening got deformed. I want a refund. Invoice.",
        {"paid": 30, "delivered": 20},
    ),
    "return_window_passed": ("declined", RETURN, {"paid": 30, "delivered": 20}),
    "used_or_altered": (
        "declined",
        RETURN.replace("It is unused and in its original box.", "I have worn it twice."),
        {"paid": 9, "delivered": 4},
    ),
    "no_original_box": (
        "declined",
        RETURN.replace("It is unused and in its original box.", "I threw the box away."),
        {"paid": 9, "delivered": 4},
    ),
    "dispute": ("escalated", DISPUTE, {"paid": 12, "delivered": 6}),
    "quality_review": ("escalated", DEFECT, {"paid": 12, "delivered": 6}),
    "cancel_late": ("escalated", CANCEL, {"paid": 5}),
    "order_cancelled": ("escalated", CANCEL, {"status": "cancelled"}),
    "fee_unknown": ("escalated", CANCEL, {"transaction_fee": None}),
    "other_remedy": (
        "escalated",
        "I want to exchange my order AW-10001 for another size. Invoice attached.",
        {"paid": 9, "delivered": 4},
    ),
    "logistics_review": (
        "escalated",
        "I never received my order AW-10001. I want my money back. Invoice attached.",
        {"paid": 30, "status": "shipped", "shipped_at": "2026-02-10T15:00:00Z"},
    ),
    "approval_required": (
        "escalated",
        CANCEL,
        {
            "captured": "706.00",
            "lines": [{"sku": "R-1", "quantity": 1, "unit_price": "700.00", "discount": "0.00", "tax": "0.00"}],
        },
    ),
}


@pytest.fixture
def one_customer_a_row(shop: Shop) -> Shop:
    """Give a shop in which one customer has written for each row, and all were worked on in one pass."""
    for at, (_, text, changes) in enumerate(ROWS.values(), 10001):
        number, customer = f"AW-{at}", f"customer{at}@example.org"
        shop.sells(an_order(shop.clock.now, number, customer=customer, **changes))
        invoice = an_invoice(number, changes.get("captured", "86.00"))
        shop.gets(a_mail(text.replace("AW-10001", number), sender=customer, invoice=invoice))
    shop.poll()
    return shop


def test_each_row_of_the_policy_comes_to_its_end(one_customer_a_row: Shop) -> None:
    shop = one_customer_a_row
    became = {case["rule"]: (case["state"], case["refund"]) for case in shop.cases()}
    assert became == {rule: (state, None) for rule, (state, *_) in ROWS.items()}
    assert {row.template for row in shop.rows(OutboxRow)} == {"received"} | {
        f"declined_{rule}" for rule, (state, *_) in ROWS.items() if state == "declined"
    }
    by_order = {case["order_number"]: case for case in shop.cases()}
    letters = {letter.to: letter for letter in shop.letters()}
    assert len(letters) == len(ROWS)
    for at, (state, *_) in enumerate(ROWS.values(), 10001):
        letter = letters[f"customer{at}@example.org"]
        promise = [deadline["state"] for deadline in by_order[f"AW-{at}"]["deadlines"]]
        assert promise == ["met" if state == "declined" else "open"]
        assert f"AW-{at}" in letter.text
        assert ("You will have that answer by Thursday, March 12, 2026" in letter.text) == (state == "escalated")
        assert has_marks_of_automatic_mail(letter)
        assert "$" not in letter.text


def test_another_topic_stays_unanswered_and_waits_for_a_person(shop: Shop) -> None:
    assert shop.answers(a_mail(QUESTION)) == []
    case = shop.case()
    assert (case["state"], case["escalation"], case["decisions"]) == ("escalated", "other_topic", [])
    assert shop.clock_of("reply")["state"] == "open"


@pytest.mark.parametrize(
    "text", ["Thank you! Are your rings made of real silver?", CANCEL], ids=["a question", "the request again"]
)
def test_a_mail_after_the_decision_goes_to_a_person(text: str, shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    letter = shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0]
    shop.clock.forward(hours=3)
    assert shop.answers(a_mail(text, answers=letter.message_id)) == []
    case = shop.case()
    assert (case["state"], case["escalation"], case["refund"]["state"]) == ("escalated", "follow_up", "due")
    assert len(shop.rows(RefundRow)) == 1
    replies = [row for row in shop.rows(ClockRow) if row.kind == ClockKind.REPLY]
    assert [(row.round, row.met_at is None) for row in replies] == [(1, False), (1, False), (2, True), (2, True)]
    assert shop.clock_of("reply")["limit"] == datetime(2026, 3, 12, 18, tzinfo=UTC).isoformat()


def test_a_mail_that_changes_nothing_is_not_answered_twice(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=9, delivered=4))
    question = shop.answers(a_mail(RETURN_WITHOUT_INVOICE))[0]
    shop.clock.forward(hours=3)
    assert shop.answers(a_mail("I would like to return it.", answers=question.message_id)) == []
    case = shop.case()
    assert (case["state"], case["escalation"]) == ("escalated", "follow_up")
    assert [event["event"] for event in case["history"]] == ["decided", "customer_wrote", "escalated"]


def test_two_requests_for_one_order_never_owe_more_than_was_paid(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, transaction_fee="0.00"))
    shop.answers(a_mail(CANCEL, invoice=an_invoice()))
    other_case = a_mail(CANCEL, invoice=an_invoice(), sender="jane@example.org", answers="<nothing@of.ours>")
    shop.answers(other_case)
    assert [row.amount_minor for row in shop.rows(RefundRow)] == [8600]


def test_a_bounce_address_makes_each_envelope_sender_its_own(
    a_shop: ShopBuilder, servers: tuple[str, str, str]
) -> None:
    shop = a_shop(*servers, bounce_address="bounce@shop.example")
    shop.sells(an_order(shop.clock.now), an_order(shop.clock.now, "AW-10002"))
    letters = shop.answers(
        a_mail(CANCEL, invoice=an_invoice()),
        a_mail(CANCEL.replace("AW-10001", "AW-10002"), invoice=an_invoice("AW-10002")),
    )
    senders = {letter.envelope.sender for letter in letters}
    assert len(senders) == 2
    assert all(sender.startswith("bounce+") and sender.endswith("@shop.example") for sender in senders)


def test_the_second_mail_of_a_pass_is_decided_after_the_first(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    shop.gets(a_mail(CANCEL, invoice=an_invoice()), a_mail(CANCEL, invoice=an_invoice(), subject="Once more"))
    shop.poll()
    assert [letter.to for letter in shop.letters()] == [JANE]
    assert [(case["rule"], case["escalation"]) for case in shop.cases()] == [("cancel", "follow_up")]


def test_every_fact_of_a_decision_is_kept_and_decides_the_same_again(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    shop.answers(a_mail(CANCEL, invoice=an_invoice()))
    decision: dict[str, Any] = shop.case()["decisions"][0]
    assert decision["facts"]["sender"] == "verified"
    assert decision["sender_why"] == f"dmarc=pass for shop customer {JANE}"
    assert next(step["rule"] for step in decision["trace"] if step["met"]) == "cancel"
    assert shop.case()["customer"] == JANE != SHOP


RING_AND_NECKLACE = [
    {"sku": "R-925-07", "quantity": 1, "unit_price": "80.00", "discount": "0.00", "tax": "0.00"},
    {"sku": "N-PRL-42", "quantity": 1, "unit_price": "120.00", "discount": "0.00", "tax": "0.00"},
]
ONLY_THE_RING = (
    "Hello,\n\nfrom my order AW-10001 I would like to return only the ring for a refund, I changed my mind. It is "
    "unused and in its original box. I'm keeping the necklace. The invoice is attached.\n\nJane"
)
PART_INVOICE = (
    "Aurelia & Wren\nInvoice INV-10001\nOrder AW-10001\n\nSilver ring   1   $80.00   $80.00\n"
    "Pearl necklace   1   $120.00   $120.00\nShipping   $6.00\nTotal paid   $206.00\n"
)


def sells_ring_and_necklace(shop: Shop, **changes: Any) -> None:
    shop.sells(an_order(shop.clock.now, paid=6, delivered=2, captured="206.00", lines=RING_AND_NECKLACE, **changes))


def test_the_return_of_a_part_is_approved_for_its_price_and_the_letter_names_it(shop: Shop) -> None:
    sells_ring_and_necklace(shop)
    shop.gets(a_mail(ONLY_THE_RING, invoice=PART_INVOICE))
    assert shop.poll().sent == 1
    case, letter = shop.case(), shop.letter()
    assert (case["state"], case["rule"]) == ("return_approved", "return")
    assert case["decisions"][-1]["facts"]["claim"]["lines"] == [{"sku": "R-925-07", "quantity": 1}]
    assert case["decisions"][-1]["decision"]["settlement"]["refund"] == "80.00"
    assert bill_of(letter) == ["Items         $80.00", "Your refund   $80.00"]
    assert "This is about a part of your order:\n\n- 1 \u00d7 Silver ring (R-925-07)\n" in letter.text
    for words in (letter.text, letter.html):
        assert "This is about a part of your order:" in words
        assert "Silver ring (" in words
        assert "necklace" not in words


def test_a_part_is_not_given_back_twice(shop: Shop) -> None:
    sells_ring_and_necklace(shop, refunded="80.00")
    shop.gets(a_mail(ONLY_THE_RING, invoice=PART_INVOICE))
    shop.poll()
    assert (shop.case()["state"], shop.case()["refund"]) == ("escalated", None)


@pytest.mark.parametrize(
    ("text", "invoice"),
    [
        pytest.param(ONLY_THE_RING, PART_INVOICE.replace("Silver ring", "Silver brooch"), id="not on the invoice"),
        pytest.param(ONLY_THE_RING, PART_INVOICE.replace("$80.00", "$70.00"), id="another price than the order's"),
        pytest.param(
            ONLY_THE_RING.replace("I'm keeping the necklace", "The necklace please exchange for a longer one"),
            PART_INVOICE,
            id="two wishes",
        ),
    ],
)
def test_a_part_that_is_not_certain_is_left_to_people(shop: Shop, text: str, invoice: str) -> None:
    sells_ring_and_necklace(shop)
    shop.gets(a_mail(text, invoice=invoice))
    shop.poll()
    case = shop.case()
    assert case["state"] == "escalated"
    assert case["refund"] is None
