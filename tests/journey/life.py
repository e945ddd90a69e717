"""Steps that stories of a case's life share, and what they look at."""

from typing import Any

from mailbot import operators
from mailbot.operators import Inspection, Verdict
from tests.journey.mails import CANCEL, RETURN, a_mail, an_invoice, an_order
from tests.journey.shop import Letter, Shop

TWO_RINGS = [
    {"sku": "R-1", "quantity": 2, "unit_price": "30.00", "discount": "0.00", "tax": "0.00"},
    {"sku": "N-1", "quantity": 1, "unit_price": "20.00", "discount": "0.00", "tax": "0.00"},
]
WHOLE = Inspection(verdict=Verdict.ACCEPTED, photos=1)


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
