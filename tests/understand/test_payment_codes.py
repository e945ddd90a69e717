from decimal import Decimal

import pytest

from mailbot.understand.payment_codes import Payment, find_payment

EUROPEAN = "BCD\n002\n1\nSCT\nBFSWDE33BER\nAurelia & Wren\nDE71110220330123456789\nEUR86.00\n\n\nAW-10231"
SWISS = "\r\n".join(
    ["SPC", "0200", "1", "CH4431999123000889012", "S", "Aurelia & Wren", "Rue du Lac", "1268", "2501", "Biel", "CH"]
    + [""] * 7
    + ["86.50", "CHF", *["S", "Jane Doe", "Main Street", "1", "8000", "Zurich", "CH"], "NON", "", "AW-10231", "EPD"]
)


@pytest.mark.parametrize(
    ("code", "payment"),
    [
        pytest.param(EUROPEAN, Payment(amount=Decimal("86.00"), currency="EUR"), id="European payment code"),
        pytest.param(SWISS, Payment(amount=Decimal("86.50"), currency="CHF"), id="Swiss QR bill"),
        pytest.param(EUROPEAN.replace("EUR86.00", ""), None, id="sum left open"),
        pytest.param(SWISS.replace("86.50", ""), None, id="Swiss sum left open"),
        pytest.param("BCD\n002", None, id="cut off"),
        pytest.param(EUROPEAN.replace("EUR", "XXX"), None, id="no currency"),
        pytest.param("https://shop.example/orders/AW-10231", None, id="address"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_payment_code_says_what_is_to_be_paid(code: str, payment: Payment | None) -> None:
    assert find_payment(code) == payment
