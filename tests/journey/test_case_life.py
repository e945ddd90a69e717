"""Stories from the first mail to the closed case: goods that come back, money that goes, and the mails between."""

from typing import Any

import pytest

from mailbot import operators
from mailbot.model.facts import ClaimLine
from mailbot.operators import Inspection, NotPossibleError, Verdict
from mailbot.operators.changes import Change
from mailbot.store.tables import OutboxRow, RefundRow
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import CANCEL, DEFECT, JANE, MALLORY, RETURN, a_mail, an_invoice, an_order
from tests.journey.shop import Letter, Shop

TWO_RINGS = [
    {"sku": "R-1", "quantity": 2, "unit_price": "30.00", "discount": "0.00", "tax": "0.00"},
    {"sku": "N-1", "quantity": 1, "unit_price": "20.00", "discount": "0.00", "tax": "0.00"},
]
WORN = Inspection(verdict=Verdict.REFUSED, rule="used_or_altered", note="The band is scratched.", photos=2)
WHOLE = Inspection(verdict=Verdict.ACCEPTED, photos=1)


@pytest.fixture
def small(a_shop: ShopBuilder) -> Shop:
    """Give a shop on the parts of this process alone."""
    return a_shop()


def cancelled(shop: Shop) -> Letter:
    """Bring a case to the refund that is due, and give the letter that says so."""
    shop.sells(an_order(shop.clock.now))
    return shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0]


def approved_return(shop: Shop, **changes: Any) -> Letter:
    """Bring a case to the approved return, and give the letter that says so."""
    shop.sells(an_order(shop.clock.now, paid=9, delivered=4, **changes))
    return shop.answers(a_mail(RETURN, invoice=an_invoice()))[0]


def words(letter: Letter) -> str:
    """The text of a letter without its line breaks."""
    return " ".join(letter.text.split())


def later(shop: Shop, letter: Letter, text: str, **options: Any) -> list[Letter]:
    """Let the customer answer a letter, and give what came back."""
    return shop.answers(a_mail(text, answers=letter.message_id, subject="Re: My order", **options))


def paid(shop: Shop, reference: str = "5TX-1", number: int = 1) -> Letter:
    """Pay a case's refund by hand, and give the letter that tells the customer."""
    assert [order.case_number for order in operators.pay_refunds(shop.app, "mia")] == [f"RF-00000{number}"]
    operators.confirm_refund(shop.app, str(number), "mia", reference)
    shop.poll()
    return shop.letter()


def states(shop: Shop, number: int = 1) -> list[str]:
    """Every state that a case has been in, in order."""
    return [event["to"] for event in shop.case(number)["history"] if event["to"]]


def test_a_cancellation_ends_with_the_money_and_a_closed_case(shop: Shop) -> None:
    cancelled(shop)
    shop.clock.forward(hours=5)
    letter = paid(shop)
    assert (letter.to, letter.subject) == (JANE, "Re: My order")
    assert "We have paid your refund of $82.70 for order AW-10001." in words(letter)
    case = shop.case()
    assert case["refund"] == {"amount": "82.70", "currency": "USD", "state": "paid"}
    assert {deadline["state"] for deadline in case["deadlines"]} == {"met"}
    shop.clock.forward(days=14)
    shop.poll()
    assert states(shop) == ["refund_due", "refunded", "closed"]
    assert [event["actor"] for event in shop.case()["history"]] == ["policy", "mia", "mia", "mailbot"]
    assert shop.case()["history"][-1]["why"] == "quiet for 14 days"


def test_an_accepted_return_starts_the_refund_clock_with_the_settlement_of_the_policy(shop: Shop) -> None:
    letter = approved_return(shop)
    shop.clock.forward(days=2)
    sent = later(shop, letter, "I posted the parcel today. Tracking number: RR123456789GB")[0]
    assert "Thank you for telling us that the parcel for order AW-10001 is on its way." in words(sent)
    assert (shop.case()["state"], shop.case()["tracking"]) == ("goods_on_the_way", "RR123456789GB")
    assert shop.clock_of("dispatch")["state"] == "met"
    assert shop.clock_of("reply")["state"] == "met"
    shop.clock.forward(days=8)
    operators.receive(shop.app, "1", "mia", WHOLE)
    shop.poll()
    accepted = shop.letter()
    assert "has passed our inspection. We are refunding" in words(accepted)
    assert "by Sunday, March 22, 2026 at" in words(accepted)
    assert shop.clock_of("refund")["limit"] == "2026-03-22T15:00:00+00:00"
    assert shop.case()["refund"] == {"amount": "76.70", "currency": "USD", "state": "due"}
    paid(shop)
    operators.close(shop.app, "1", "mia", "done")
    assert states(shop) == ["return_approved", "goods_on_the_way", "received", "refund_due", "refunded", "closed"]


@pytest.mark.parametrize("rule", ["used_or_altered", "no_original_box"])
def test_a_refused_return_is_declined_with_what_was_found(rule: str, shop: Shop) -> None:
    approved_return(shop)
    shop.clock.forward(days=6)
    operators.receive(shop.app, "1", "mia", Inspection(verdict=Verdict.LATER))
    assert shop.case()["state"] == "received"
    operators.receive(
        shop.app, "1", "mia", Inspection(verdict=Verdict.REFUSED, rule=rule, note="The band is scratched.")
    )
    shop.poll()
    letter = shop.letters()[-1]
    assert "What we found when we inspected your parcel: The band is scratched." in words(letter)
    assert [row.template for row in shop.rows(OutboxRow)][-1] == f"declined_{rule}"
    assert (states(shop), shop.rows(RefundRow)) == (["return_approved", "received", "declined"], [])


def test_a_return_that_never_comes_is_reminded_of_once_and_expires_after_its_last_day(shop: Shop) -> None:
    approved_return(shop)
    shop.clock.forward(days=4)
    shop.poll()
    assert shop.letters() == []
    shop.clock.forward(hours=14)  # day 5 has begun in the shop
    for _ in range(3):
        shop.poll()
        shop.clock.forward(hours=1)
    reminder = shop.letter()
    assert "Please hand the parcel over for dispatch by Tuesday, March 17, 2026." in words(reminder)
    shop.clock.forward(days=2)  # still the last day
    shop.poll()
    assert shop.case()["state"] == "return_approved"
    shop.clock.forward(days=1)
    for _ in range(2):
        shop.poll()
    assert "the approval has ended" in words(shop.letter())
    assert states(shop) == ["return_approved", "expired"]
    shop.clock.forward(days=14)
    shop.poll()
    assert states(shop)[-1] == "closed"
    assert shop.rows(RefundRow) == []


def test_a_tracking_number_of_the_last_day_keeps_a_return_from_expiring(small: Shop) -> None:
    letter = approved_return(small)
    small.clock.forward(days=7, hours=10)
    small.gets(a_mail("The tracking number is RR123456789GB", answers=letter.message_id))
    small.clock.forward(hours=10)
    small.poll()
    assert small.case()["state"] == "goods_on_the_way"


def test_a_part_of_a_return_is_refunded_line_by_line(shop: Shop) -> None:
    approved_return(shop, lines=TWO_RINGS)
    shop.clock.forward(days=6)
    part = Inspection(
        verdict=Verdict.PARTLY,
        lines=(ClaimLine(sku="R-1", quantity=1), ClaimLine(sku="N-1", quantity=1)),
        note="One ring was worn.",
    )
    operators.receive(shop.app, "1", "mia", part)
    shop.poll()
    letter = shop.letters()[-1]
    assert "What we found when we inspected it: One ring was worn." in words(letter)
    assert "refunding $50.00 for that part" in words(letter)
    assert shop.case()["refund"]["amount"] == "50.00"
    facts = shop.case()["decisions"][-1]["facts"]
    assert facts["claim"]["lines"] == [{"sku": "R-1", "quantity": 1}, {"sku": "N-1", "quantity": 1}]


@pytest.mark.parametrize(
    "inspection",
    [
        Inspection(verdict=Verdict.PARTLY, note="One was worn."),
        Inspection(verdict=Verdict.PARTLY, lines=(ClaimLine(sku="R-1", quantity=1),)),
        Inspection(verdict=Verdict.ACCEPTED, lines=(ClaimLine(sku="R-1", quantity=1),)),
        Inspection(verdict=Verdict.REFUSED, rule="quality_review"),
    ],
    ids=["no lines", "no note", "lines of the whole", "a row that declines nothing"],
)
def test_an_inspection_that_is_half_told_changes_nothing(inspection: Inspection, small: Shop) -> None:
    approved_return(small, lines=TWO_RINGS)
    with pytest.raises(NotPossibleError):
        operators.receive(small.app, "1", "mia", inspection)
    assert small.case()["state"] == "return_approved"


def test_no_goods_are_taken_in_where_no_return_is_under_way(small: Shop) -> None:
    cancelled(small)
    with pytest.raises(NotPossibleError, match="no return is under way"):
        operators.receive(small.app, "1", "mia", WHOLE)


def test_a_quality_claim_is_approved_by_a_person_and_paid(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6))
    shop.answers(a_mail(DEFECT, invoice=an_invoice()))
    operators.approve(shop.app, "1", "ann")
    shop.poll()
    assert "We are sorry that something went wrong" in words(shop.letter())
    assert "$86.00" in words(paid(shop))
    assert states(shop) == ["escalated", "refund_due", "refunded"]
    assert [row.approved_by for row in shop.rows(RefundRow)] == ["ann"]


def test_who_asked_on_day_6_and_sent_the_invoice_on_day_9_asked_on_day_6(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6))
    question = shop.answers(a_mail(RETURN.replace(" The invoice is attached.", "")))[0]
    shop.clock.forward(days=3)
    letter = later(shop, question, "Here is the invoice.", invoice=an_invoice())[0]
    assert "We have approved your return" in words(letter)
    operators.receive(shop.app, "1", "mia", WHOLE)
    shop.poll()
    shop.letters()
    paid(shop)
    assert states(shop) == ["waiting_for_information", "return_approved", "received", "refund_due", "refunded"]


def test_a_dispute_after_the_approval_holds_the_money_and_calls_a_person(shop: Shop) -> None:
    letter = cancelled(shop)
    shop.clock.forward(hours=3)
    answer = later(shop, letter, "I have opened a PayPal case about order AW-10001.")[0]
    assert "A person will read it and answer you." in words(answer)
    case = shop.case()
    assert (case["state"], case["escalation"], case["refund"]["state"]) == ("escalated", "dispute", "held")
    assert operators.pay_refunds(shop.app, "mia") == []
    operators.reply(shop.app, "1", "mia", "Please close the case at PayPal, we refund you at once.")
    assert shop.case()["state"] == "escalated"
    operators.release_refund(shop.app, "1", "mia")
    assert [str(order.amount) for order in operators.pay_refunds(shop.app, "mia")] == ["82.70"]


def test_a_dispute_that_the_book_shows_holds_the_money_too(small: Shop) -> None:
    cancelled(small)
    small.sells(an_order(small.clock.now, dispute_open=True))
    assert operators.pay_refunds(small.app, "mia") == []
    small.poll()
    case = small.case()
    assert (case["state"], case["escalation"], case["refund"]["state"]) == ("escalated", "dispute", "held")


def test_a_refund_that_the_book_shows_as_made_is_not_made_again(shop: Shop) -> None:
    cancelled(shop)
    shop.clock.forward(hours=2)
    shop.sells(an_order(shop.clock.now, refunded="82.70"))
    shop.poll()
    assert "We have paid your refund of $82.70" in words(shop.letter())
    assert (shop.case()["state"], shop.case()["refund"]["state"]) == ("refunded", "paid_elsewhere")
    assert operators.pay_refunds(shop.app, "mia") == []
    operators.confirm_refund(shop.app, "1", "mia", "5TX-1")
    shop.poll()
    assert (shop.letters(), shop.case()["refund"]["state"]) == ([], "paid")


def test_another_refund_in_the_book_holds_ours_for_a_person(small: Shop) -> None:
    cancelled(small)
    small.sells(an_order(small.clock.now, refunded="20.00"))
    small.poll()
    case = small.case()
    assert (case["state"], case["escalation"], case["refund"]["state"]) == ("escalated", "refunded_elsewhere", "held")
    assert operators.pay_refunds(small.app, "mia") == []


def test_what_was_paid_counts_until_the_book_has_caught_up(small: Shop) -> None:
    cancelled(small)
    paid(small)
    small.clock.forward(hours=1)
    small.sells(an_order(small.clock.now))  # an import that lags behind
    small.answers(a_mail(CANCEL, invoice=an_invoice(), subject="Once more", sender=JANE))
    assert [row.amount_minor for row in small.rows(RefundRow)] == [8270]


def test_the_same_reference_pays_one_refund_only(small: Shop) -> None:
    small.sells(an_order(small.clock.now), an_order(small.clock.now, "AW-10002"))
    second = CANCEL.replace("AW-10001", "AW-10002")
    small.answers(a_mail(CANCEL, invoice=an_invoice()), a_mail(second, invoice=an_invoice("AW-10002")))
    operators.confirm_refund(small.app, "1", "mia", "5TX-1")
    with pytest.raises(operators.RefundError, match="used before"):
        operators.confirm_refund(small.app, "2", "mia", "5TX-1")
    with pytest.raises(operators.RefundError, match="no such refund"):
        operators.confirm_refund(small.app, "1", "mia", "5TX-2")


def test_a_payment_is_handed_out_once(small: Shop) -> None:
    cancelled(small)
    assert len(operators.pay_refunds(small.app, "mia")) == 1
    assert operators.pay_refunds(small.app, "ann") == []
    assert len(operators.pay_refunds(small.app, "ann", again=True)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Where is my refund?",
            "Your refund of $82.70 is approved. It goes back the way you paid, by Thursday, March 12",
        ),
        ("Any update on this?", "Your refund of $82.70 is approved."),
    ],
)
def test_a_question_about_the_refund_is_answered_by_the_state_of_the_case(text: str, said: str, small: Shop) -> None:
    letter = cancelled(small)
    small.clock.forward(hours=3)
    answer = later(small, letter, text)[0]
    assert said in words(answer)
    assert small.case()["state"] == "refund_due"
    assert small.clock_of("reply")["state"] == "met"
    paid(small)
    small.clock.forward(days=2)
    answer = later(small, letter, "Where is my refund?")[0]
    assert "We paid your refund of $82.70 on Tuesday, March 10, 2026." in words(answer)


def test_a_question_after_a_broken_promise_goes_to_a_person(small: Shop) -> None:
    letter = cancelled(small)
    small.clock.forward(hours=50)
    assert later(small, letter, "Where is my refund?") == []
    assert (small.case()["state"], small.case()["refund"]["state"]) == ("escalated", "due")


def test_thanks_are_filed_and_start_no_clock(small: Shop) -> None:
    letter = cancelled(small)
    small.clock.forward(hours=3)
    assert later(small, letter, "Thank you so much!") == []
    assert small.case()["state"] == "refund_due"
    assert small.clock_of("reply")["state"] == "met"


@pytest.mark.parametrize("undecided", [True, False], ids=["undecided", "approved"])
def test_a_request_that_is_withdrawn_is_closed_and_confirmed(small: Shop, *, undecided: bool) -> None:
    if undecided:
        small.sells(an_order(small.clock.now, paid=9, delivered=4))
        letter = small.answers(a_mail(RETURN.replace(" The invoice is attached.", "")))[0]
    else:
        letter = approved_return(small)
    answer = later(small, letter, "Never mind, I have decided to keep it.")[0]
    assert "We have closed your request for order AW-10001, as you asked" in words(answer)
    assert states(small)[-1] == "closed"
    assert small.case()["history"][-1]["actor"] == "customer"
    assert {deadline["state"] for deadline in small.case()["deadlines"]} == {"met"}


def test_a_withdrawn_cancellation_holds_the_money_for_a_person(small: Shop) -> None:
    letter = cancelled(small)
    assert later(small, letter, "Please don't cancel my order.") == []
    case = small.case()
    assert (case["state"], case["escalation"], case["refund"]["state"]) == ("escalated", "withdrawal", "held")
    operators.cancel_refund(small.app, "1", "mia", "the customer keeps the order")
    operators.close(small.app, "1", "mia", "the customer keeps the order")
    assert small.case()["refund"]["state"] == "cancelled"


def test_a_mail_to_a_closed_case_opens_it_again_for_a_person(small: Shop) -> None:
    letter = approved_return(small)
    operators.close(small.app, "1", "mia", "by phone")
    assert later(small, letter, "I have another question: is the silver nickel free?") == []
    assert states(small) == ["return_approved", "closed", "reopened", "escalated"]


def test_a_reply_brings_a_case_back_where_it_stood(small: Shop) -> None:
    letter = approved_return(small)
    later(small, letter, "Is the silver nickel free?")
    assert small.case()["state"] == "escalated"
    operators.reply(small.app, "1", "mia", "It is.")
    assert small.case()["state"] == "return_approved"


@pytest.mark.parametrize("sender", [MALLORY, "Jane <mallory@elsewhere.example>"])
@pytest.mark.parametrize(
    "text", ["Where is my refund?", "Never mind, I will keep it.", "Tracking number: RR123456789GB"]
)
def test_a_third_person_on_a_case_is_told_nothing_and_changes_nothing(text: str, sender: str, small: Shop) -> None:
    letter = approved_return(small)
    assert later(small, letter, text, sender=sender) == []
    assert (small.case()["escalation"], small.case()["tracking"]) == ("third_party", None)
    assert states(small) == ["return_approved", "escalated"]


def test_a_forged_mail_of_the_customer_moves_nothing(small: Shop) -> None:
    letter = approved_return(small)
    assert later(small, letter, "Never mind, I will keep it.", dmarc="fail") == []
    assert states(small) == ["return_approved", "escalated"]


def test_while_frozen_no_money_and_no_automatic_mail_goes(small: Shop) -> None:
    operators.freeze(small.app, "ann", "the books do not agree")
    small.sells(an_order(small.clock.now))
    assert small.answers(a_mail(CANCEL, invoice=an_invoice())) == []
    with pytest.raises(NotPossibleError, match=r"frozen since .* by ann: the books do not agree"):
        operators.pay_refunds(small.app, "mia")
    operators.reply(small.app, "1", "mia", "We are looking into it.")
    small.poll()
    assert "We are looking into it." in words(small.letter())
    operators.thaw(small.app, "ann")
    small.poll()
    assert "We have accepted the cancellation" in words(small.letter())
    assert len(operators.pay_refunds(small.app, "mia")) == 1


def test_a_case_is_somebody_s(small: Shop) -> None:
    cancelled(small)
    operators.assign(small.app, "1", "mia", "ann")
    assert small.case()["assigned_to"] == "ann"
    operators.assign(small.app, "1", "ann", "")
    assert small.case()["assigned_to"] is None


def test_accepted_goods_are_worth_what_the_customer_was_told(small: Shop) -> None:
    small.sells(an_order(small.clock.now, paid=9, delivered=4, lines=TWO_RINGS))
    small.answers(a_mail(RETURN, invoice=an_invoice(total="85.00")))  # another sum than the order's: for a person
    operators.correct(small.app, "1", "ann", {"invoice": "matched"})
    change = Change(reason="the other ring stays", lines=(ClaimLine(sku="R-1", quantity=1),))
    operators.approve_changed(small.app, "1", "ann", change)
    operators.receive(small.app, "1", "mia", WHOLE)
    small.poll()
    assert "We are refunding $30.00" in words(small.letters()[-1])
    assert small.case()["refund"]["amount"] == "30.00"


def test_accepted_goods_are_never_worth_more_than_is_left(small: Shop) -> None:
    approved_return(small)
    small.sells(an_order(small.clock.now, paid=9, delivered=4, refunded="40.00"))
    operators.receive(small.app, "1", "mia", WHOLE)
    small.poll()
    assert small.case()["refund"]["amount"] == "46.00"
    settlement = small.case()["decisions"][-1]["decision"]["settlement"]
    assert (settlement["items"], settlement["cap_adjustment"], settlement["refund"]) == ("80.00", "-30.70", "46.00")
