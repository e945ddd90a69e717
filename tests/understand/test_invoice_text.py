import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.understand.invoice_text import PaperKind, from_title, read_paper

_PAPERS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))["papers"]


@pytest.mark.parametrize("paper", [pytest.param(paper, id=paper["name"]) for paper in _PAPERS])
def test_a_paper_is_read_as_a_person_reads_it(paper: dict[str, Any]) -> None:
    read = read_paper(paper["text"])
    assert {
        "number": read.number,
        "amount": read.total and read.total.amount,
        "currency": read.total and read.total.currency,
        "issued_on": read.issued_on,
        "reference": read.references[0] if read.references else None,
        "no_proof": read.kind is PaperKind.NO_PROOF,
    } == {
        "number": paper.get("number"),
        "amount": Decimal(paper["amount"]) if "amount" in paper else None,
        "currency": paper.get("currency"),
        "issued_on": paper.get("issued_on"),
        "reference": paper.get("reference"),
        "no_proof": paper.get("no_proof", False),
    }
    assert read.kind is not PaperKind.UNKNOWN


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        pytest.param("INVOICE", PaperKind.INVOICE, id="invoice"),
        pytest.param("Ihre Rechnung von Aurelia & Wren", PaperKind.INVOICE, id="your invoice"),
        pytest.param("Order confirmation", PaperKind.ORDER, id="order confirmation"),
        pytest.param("Delivery note", PaperKind.NO_PROOF, id="delivery note"),
        pytest.param("Packliste", PaperKind.NO_PROOF, id="packing list"),
        pytest.param("Pro-forma invoice", PaperKind.NO_PROOF, id="pro-forma invoice"),
        pytest.param("Kostenvoranschlag", PaperKind.NO_PROOF, id="estimate"),
        pytest.param("Mahnung", PaperKind.NO_PROOF, id="reminder"),
        pytest.param("Facture d'avoir", PaperKind.NO_PROOF, id="credit note"),
        pytest.param("領収書", PaperKind.INVOICE, id="Japanese receipt"),
        pytest.param("红字发票", PaperKind.NO_PROOF, id="Chinese credit note"),
        pytest.param("Gutschrift (selbst ausgestellte Rechnung)", PaperKind.INVOICE, id="self-billed invoice"),
        pytest.param("Invoice address: 1 Main Street", PaperKind.UNKNOWN, id="address"),
        pytest.param("Keine Rechnung", PaperKind.UNKNOWN, id="it says that it is none"),
    ],
)
def test_a_paper_is_what_its_title_says(title: str, kind: PaperKind) -> None:
    assert read_paper(f"{title}\nJane Doe\nTotal: EUR 86.00\n").kind is kind


def test_an_invoice_may_name_its_delivery_note_first() -> None:
    text = "Lieferschein L-55 vom 04.03.2026\nRechnung RE-412\nGesamtbetrag 86,00 EUR\n"
    assert read_paper(text).kind is PaperKind.INVOICE


def test_words_of_thanks_and_offers_before_the_title_do_not_count() -> None:
    thanks = "Merci d'avoir choisi notre boutique\nFacture FA-412\nTotal TTC 86,00 €\n"
    offers = "Special offer\nOrder confirmation\nOrder number: AW-10231\nTotal: $86.00\n"
    assert read_paper(thanks).kind is PaperKind.INVOICE
    assert read_paper(offers).kind is PaperKind.ORDER


def test_a_credit_note_is_one_though_it_names_the_invoice_first() -> None:
    text = "Invoice INV-2026-0412\nCREDIT NOTE\nTotal: USD 86.00\n"
    assert read_paper(text).kind is PaperKind.NO_PROOF


def test_a_negative_total_is_no_proof_of_purchase() -> None:
    assert read_paper("Invoice INV-9\nTotal: USD -86.00\n").kind is PaperKind.NO_PROOF


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("Invoice INV-9\nDate: 03/04/2026\nTotal: $86.00", date(2026, 3, 4), id="US dollars: month first"),
        pytest.param("Invoice INV-9\nDate: 03/04/2026\nTotal: €86.00", date(2026, 4, 3), id="euros: day first"),
        pytest.param("Invoice INV-9\nDate: 03/04/2026\nTotal: CAD 86.00", None, id="Canadian dollars: nobody knows"),
        pytest.param("Facture 99\nDate : 03/04/2026", date(2026, 4, 3), id="French: day first"),
        pytest.param(
            "Invoice INV-9\nDate: 03/04/2026\nDue date: 25/04/2026", date(2026, 4, 3), id="another date tells"
        ),
        pytest.param(
            "Invoice INV-9\nDate: 03/04/2026\nDue: 25/04/2026\nShipped: 04/25/2026", None, id="two others contradict"
        ),
        pytest.param("Rechnung 99\nFällig am 25.03.2026", None, id="only the day when it is due"),
        pytest.param("Rechnung 99\n\nBerlin, 06.03.2026", date(2026, 3, 6), id="the only date"),
    ],
)
def test_the_day_of_issue_is_given_only_where_it_is_certain(text: str, day: date | None) -> None:
    assert read_paper(text).issued_on == day


def test_the_mails_own_words_end_where_the_forwarded_paper_begins() -> None:
    mail = "It does not fit, order AW-99999.\n\nSubject: Your order AW-10231\n\nTotal: USD 86.00\n"
    assert from_title(mail) == "Subject: Your order AW-10231\n\nTotal: USD 86.00\n"


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param("I want to return my order. I have no invoice any more.", id="sentences"),
        pytest.param("Invoice number: INV-2026-0412\nOrder number: AW-10231", id="numbers as asked for"),
        pytest.param("Here you can find the invoice attached.", id="an attachment is announced"),
    ],
)
def test_a_customers_own_words_are_no_title(mail: str) -> None:
    assert from_title(mail) is None


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    assert read_paper(text).kind in PaperKind


_PIECES = ["Total", "Invoice no", "Order", "$", "EUR", "1.234,56", "06/03/2026", "incl. VAT", "\n", "\t", " ", "(", ":"]


@given(st.lists(st.sampled_from(_PIECES), max_size=60))
def test_any_muddle_of_the_words_of_invoices_can_be_read(pieces: list[str]) -> None:
    total = read_paper("".join(pieces)).total
    assert total is None or total.currency in {None, "USD", "EUR"}
