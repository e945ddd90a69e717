"""What later mails, inspections, payments and the book do to a case; its whole ways stand in ``test_whole_stories``."""

import pytest

from mailbot import operators
from mailbot.model.facts import ClaimLine
from mailbot.operators import Inspection, NotPossibleError, Verdict
from mailbot.operators.changes import Change
from mailbot.store import readings
from mailbot.store.tables import RefundRow
from tests.journey.conftest import ShopBuilder
from tests.journey.life import TWO_RINGS, WHOLE, approved_return, cancelled, later, paid, states, words
from tests.journey.mails import CANCEL, JANE, MALLORY, RETURN, RETURN_WITHOUT_INVOICE, a_mail, an_invoice, an_order
from tests.journey.shop import Shop


@pytest.fixture
def small(a_shop: ShopBuilder) -> Shop:
    """Give a shop on the parts of this process alone."""
    return a_shop()


def test_a_tracking_number_of_the_last_day_keeps_a_return_from_expiring(small: Shop) -> None:
    letter = approved_return(small)
    small.clock.forward(days=7, hours=10)
    small.gets(a_mail("The tracking number is RR123456789GB", answers=letter.message_id))
    small.clock.forward(hours=10)
    small.poll()
    assert small.case()["state"] == "goods_on_the_way"


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


def test_a_parcel_that_nobody_inspects_is_told_to_operators_once_when_it_is_due_and_once_when_it_is_late(
    a_shop: ShopBuilder,
) -> None:
    shop = a_shop(notify="desk@shop.example")
    approved_return(shop)
    shop.clock.forward(days=3)
    operators.receive(shop.app, "1", "mia", Inspection(verdict=Verdict.LATER))
    told = []
    for _ in range(5):
        shop.poll()
        told += [letter.text for letter in shop.letters() if letter.to == "desk@shop.example"]
        shop.clock.forward(hours=13)
    assert [("Due now" in text, "Past the limit" in text) for text in told] == [(True, False), (False, True)]
    assert all("RF-000001  reply by" in text for text in told)
    operators.receive(shop.app, "1", "mia", WHOLE)
    shop.poll()
    assert shop.clock_of("reply")["state"] == "met"


def test_no_goods_are_taken_in_where_no_return_is_under_way(small: Shop) -> None:
    cancelled(small)
    with pytest.raises(NotPossibleError, match="no return is under way"):
        operators.receive(small.app, "1", "mia", WHOLE)


def test_a_dispute_that_the_book_shows_holds_the_money_too(small: Shop) -> None:
    cancelled(small)
    small.sells(an_order(small.clock.now, dispute_open=True))
    assert operators.pay_refunds(small.app, "mia") == []
    small.poll()
    case = small.case()
    assert (case["state"], case["escalation"], case["refund"]["state"]) == ("escalated", "dispute", "held")


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


@pytest.mark.parametrize(("most", "state"), [(1, "escalated"), (2, "return_approved")])
def test_a_case_of_more_mails_than_a_machine_weighs_is_peoples_matter(
    most: int, state: str, small: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "MOST_SAID", most)
    small.sells(an_order(small.clock.now, paid=9, delivered=4))
    letter = small.answers(a_mail(RETURN_WITHOUT_INVOICE))[0]
    later(small, letter, "The invoice is attached.", invoice=an_invoice())
    assert small.case()["state"] == state


def test_what_is_written_to_a_case_that_people_have_is_not_weighed_with_all_that_was_written_before(
    small: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = cancelled(small)
    later(small, letter, "It arrived broken and I want more money for order AW-10001.")
    before = small.case()
    monkeypatch.setattr(readings, "said_in", None)
    later(small, letter, "I asked for a refund of order AW-10001 and hear nothing.")
    after = small.case()
    assert (before["state"], after["state"], after["escalation"]) == ("escalated", "escalated", before["escalation"])
    assert [event["event"] for event in after["history"]].count("customer_wrote") == 2
