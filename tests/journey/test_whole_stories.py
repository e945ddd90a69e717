"""Each way from the first mail to the closed case, through a real IMAP server and a real MTA, on both databases."""

import re
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from mailbot import operators
from mailbot.console.app import make_console, serving
from mailbot.model.facts import ClaimLine
from mailbot.operators import Inspection, NotPossibleError, Verdict
from mailbot.store.tables import MailRow, OutboxRow, RefundRow
from tests.journey.conftest import ShopBuilder
from tests.journey.life import TWO_RINGS, WHOLE, approved_return, cancelled, later, paid, states, words
from tests.journey.mails import CANCEL, DEFECT, JANE, RETURN, RETURN_WITHOUT_INVOICE, a_mail, an_invoice, an_order
from tests.journey.shop import Letter, Shop

PUBLIC = "https://refunds.shop.example/mailbot"


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, a_shop: ShopBuilder) -> Shop:
    """Give a shop that customers reach by Dovecot and that answers by Postfix."""
    return a_shop(request.param, "dovecot", "postfix", public_url=PUBLIC)


def goes_quiet(shop: Shop) -> None:
    """Let the days pass after which a case that is over is closed, and see what it leaves behind."""
    shop.clock.forward(days=14)
    shop.poll()
    case = shop.case()
    assert shop.letters() == []
    assert (states(shop)[-1], case["history"][-1]["actor"]) == ("closed", "mailbot")
    assert case["history"][-1]["why"] == "quiet for 14 days"
    assert {deadline["state"] for deadline in case["deadlines"]} <= {"met", "breached"}
    assert {row.state for row in shop.rows(MailRow)} <= {"handled", "filed"}
    assert {row.state for row in shop.rows(OutboxRow)} == {"sent"}
    assert shop.broken() == []


def money(shop: Shop) -> list[tuple[int, str]]:
    """Every refund of the shop, in cents, with its state."""
    return [(row.amount_minor, row.state) for row in shop.rows(RefundRow)]


def test_a_cancellation(shop: Shop) -> None:
    cancelled(shop)
    shop.clock.forward(hours=5)
    letter = paid(shop)
    assert (letter.to, letter.subject) == (JANE, "Re: My order")
    assert "We have paid your refund of $82.70 for order AW-10001." in words(letter)
    assert shop.case()["refund"] == {"amount": "82.70", "currency": "USD", "state": "paid"}
    goes_quiet(shop)
    assert states(shop) == ["refund_due", "refunded", "closed"]
    assert [event["actor"] for event in shop.case()["history"]] == ["policy", "mia", "mia", "mailbot"]


def test_a_return_that_is_accepted_starts_the_refund_clock_with_the_settlement_of_the_policy(shop: Shop) -> None:
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
    goes_quiet(shop)
    assert states(shop) == ["return_approved", "goods_on_the_way", "received", "refund_due", "refunded", "closed"]


@pytest.mark.parametrize("rule", ["used_or_altered", "no_original_box"])
def test_a_return_that_is_refused_is_declined_with_what_was_found(rule: str, shop: Shop) -> None:
    approved_return(shop)
    shop.clock.forward(days=6)
    operators.receive(shop.app, "1", "mia", Inspection(verdict=Verdict.LATER))
    assert shop.case()["state"] == "received"
    refused = Inspection(verdict=Verdict.REFUSED, rule=rule, note="The band is scratched.", photos=2)
    operators.receive(shop.app, "1", "mia", refused)
    shop.poll()
    letter = shop.letters()[-1]
    assert "What we found when we inspected your parcel: The band is scratched." in words(letter)
    assert [row.template for row in shop.rows(OutboxRow)][-1] == f"declined_{rule}"
    goes_quiet(shop)
    assert (states(shop), money(shop)) == (["return_approved", "received", "declined", "closed"], [])


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
    goes_quiet(shop)
    assert (states(shop), money(shop)) == (["return_approved", "expired", "closed"], [])


def test_a_return_of_which_a_part_is_accepted_is_refunded_line_by_line(shop: Shop) -> None:
    approved_return(shop, lines=TWO_RINGS)
    shop.clock.forward(days=6)
    lines = (ClaimLine(sku="R-1", quantity=1), ClaimLine(sku="N-1", quantity=1))
    operators.receive(shop.app, "1", "mia", Inspection(verdict=Verdict.PARTLY, lines=lines, note="One ring was worn."))
    shop.poll()
    letter = shop.letters()[-1]
    assert "What we found when we inspected it: One ring was worn." in words(letter)
    assert "refunding $50.00 for that part" in words(letter)
    facts = shop.case()["decisions"][-1]["facts"]
    assert facts["claim"]["lines"] == [{"sku": "R-1", "quantity": 1}, {"sku": "N-1", "quantity": 1}]
    assert "$50.00" in words(paid(shop))
    goes_quiet(shop)
    assert states(shop) == ["return_approved", "received", "refund_due", "refunded", "closed"]
    assert money(shop) == [(5000, "paid")]


def test_a_quality_claim_that_a_person_approves(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6))
    shop.answers(a_mail(DEFECT, invoice=an_invoice()))
    operators.approve(shop.app, "1", "ann")
    shop.poll()
    assert "We are sorry that something went wrong" in words(shop.letter())
    assert "$86.00" in words(paid(shop))
    goes_quiet(shop)
    assert states(shop) == ["escalated", "refund_due", "refunded", "closed"]
    assert [row.approved_by for row in shop.rows(RefundRow)] == ["ann"]


def test_who_asked_on_day_6_and_sent_the_invoice_on_day_9_asked_on_day_6(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6))
    question = shop.answers(a_mail(RETURN_WITHOUT_INVOICE))[0]
    shop.clock.forward(days=3)
    letter = later(shop, question, "Here is the invoice.", invoice=an_invoice())[0]
    assert "We have approved your return" in words(letter)
    operators.receive(shop.app, "1", "mia", WHOLE)
    shop.poll()
    shop.letters()
    assert "$76.70" in words(paid(shop))
    goes_quiet(shop)
    assert states(shop) == [
        *("waiting_for_information", "return_approved", "received", "refund_due", "refunded", "closed"),
    ]


@pytest.mark.parametrize("way", ["link", "code"])
def test_a_sender_who_proves_who_writes(way: str, shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    letter = shop.answers(a_mail(CANCEL, invoice=an_invoice(), dmarc="none"))[0]
    assert (letter.to, shop.case()["state"]) == (JANE, "waiting_for_proof")
    shop.clock.forward(hours=2)
    if way == "link":
        _push_the_button(shop, letter)
        shop.poll()
        answer = shop.letter()
    else:
        code = re.findall(r"[A-Z2-9]{4}-[A-Z2-9]{4}", letter.text)[0]
        answer = later(shop, letter, f"The code: {code}", dmarc="none")[0]
    assert (answer.to, "$82.70" in answer.text) == (JANE, True)
    assert shop.case()["sender_grade"] == "V3"
    assert paid(shop).to == JANE
    goes_quiet(shop)
    assert states(shop) == ["waiting_for_proof", "refund_due", "refunded", "closed"]
    assert money(shop) == [(8270, "paid")]


def _push_the_button(shop: Shop, letter: Letter) -> None:
    token = re.findall(rf"{re.escape(PUBLIC)}/proof\?token=([\w-]{{43}})\n", letter.text)[0]
    with serving(make_console(shop.app), "127.0.0.1", 0) as served:
        link = HTTPConnection(served.removeprefix("http://"), timeout=20)
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null", "Sec-Fetch-Site": "same-origin"}
        link.request("POST", "/proof", urlencode({"token": token}), form)
        assert link.getresponse().status == 200
        link.close()


def test_a_dispute_after_the_approval_holds_the_money_until_a_person_lets_it_go(shop: Shop) -> None:
    letter = cancelled(shop)
    shop.clock.forward(hours=3)
    answer = later(shop, letter, "I have opened a PayPal case about order AW-10001.")[0]
    assert "A person will read it and answer you." in words(answer)
    case = shop.case()
    assert (case["state"], case["escalation"], case["refund"]["state"]) == ("escalated", "dispute", "held")
    assert operators.pay_refunds(shop.app, "mia") == []
    operators.reply(shop.app, "1", "mia", "Please close the case at PayPal, we refund you at once.")
    shop.poll()
    assert "Please close the case at PayPal" in words(shop.letter())
    assert shop.case()["state"] == "escalated"
    operators.release_refund(shop.app, "1", "mia")
    assert "$82.70" in words(paid(shop))
    shop.clock.forward(days=14)
    shop.poll()
    assert shop.case()["state"] == "escalated"  # who took it up ends it
    operators.close(shop.app, "1", "mia", "the PayPal case is withdrawn")
    assert states(shop) == ["refund_due", "escalated", "closed"]
    assert money(shop) == [(8270, "paid")]


def test_an_order_whose_money_has_all_gone_back_is_declined(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6, refunded="86.00", status="refunded"))
    letter = shop.answers(a_mail(RETURN, invoice=an_invoice()))[0]
    assert (letter.to, [row.template for row in shop.rows(OutboxRow)]) == (JANE, ["declined_already_refunded"])
    with pytest.raises(NotPossibleError):
        operators.receive(shop.app, "1", "mia", WHOLE)
    goes_quiet(shop)
    assert (states(shop), money(shop)) == (["declined", "closed"], [])


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
    goes_quiet(shop)
    assert states(shop) == ["refund_due", "refunded", "closed"]
