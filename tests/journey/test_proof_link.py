"""Stories of the link in a verification mail: the page changes nothing, its button proves, once, for one order."""

import re
import tomllib
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from mailbot import operators
from mailbot.console.app import make_console, serving
from mailbot.settings import find_folder
from mailbot.steps.parking import leave_to_people
from mailbot.steps.proving import prove_by_link
from mailbot.store import cases
from mailbot.store.tables import OutboxRow, ProofRow
from mailbot.store.transaction import transaction
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import CANCEL, JANE, MALLORY, a_mail, an_invoice, an_order
from tests.journey.shop import Letter, Shop

PUBLIC = "https://refunds.shop.example/mailbot"
_LINK = re.compile(rf"{re.escape(PUBLIC)}/proof\?token=([\w-]{{43}})\n")


def token_in(letter: Letter) -> str:
    tokens = _LINK.findall(letter.text)
    assert len(tokens) == 1
    return str(tokens[0])


@pytest.fixture
def shop(a_shop: ShopBuilder) -> Shop:
    shop = a_shop(public_url=PUBLIC)
    shop.sells(an_order(shop.clock.now))
    return shop


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    with serving(make_console(shop.app), "127.0.0.1", 0) as served:
        yield served.removeprefix("http://")


def ask(address: str, method: str, token: str, *, site: str = "same-origin", languages: str = "") -> tuple[int, str]:
    link = HTTPConnection(address, timeout=20)
    form = urlencode({"token": token})
    if method == "GET":
        link.request("GET", f"/proof?{form}", headers={"Accept-Language": languages})
    else:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        link.request("POST", "/proof", form, {**kind, "Origin": "null", "Sec-Fetch-Site": site})
    answer = link.getresponse()
    text = answer.read().decode()
    link.close()
    return answer.status, text


def asked(shop: Shop) -> Letter:
    """The verification mail that Jane's mail brings about, for which her server vouches by nothing."""
    letters = shop.answers(a_mail(CANCEL, invoice=an_invoice(), dmarc="none"))
    return next(letter for letter in letters if letter.to == JANE)


def test_looking_at_the_page_proves_nothing_and_its_button_proves_once(shop: Shop, address: str) -> None:
    token = token_in(asked(shop))
    for _ in range(3):
        status, page = ask(address, "GET", token)
        assert (status, "Yes, it was me" in page) == (200, True)
    assert shop.case()["state"] == "waiting_for_proof"
    assert ask(address, "POST", token)[0] == 200
    shop.poll()
    letter = shop.letter()
    assert (letter.to, "$82.70" in letter.text) == (JANE, True)
    assert (shop.case()["state"], shop.case()["sender_grade"]) == ("refund_due", "V3")
    assert ask(address, "POST", token)[0] == 403
    shop.poll()
    assert shop.letters() == []
    assert len(shop.rows(OutboxRow)) == 2


def test_a_forger_s_case_is_proved_to_the_order_s_address_alone(shop: Shop) -> None:
    letters = {letter.to: letter for letter in shop.answers(a_mail(CANCEL, sender=MALLORY, invoice=an_invoice()))}
    assert PUBLIC not in letters[MALLORY].text + letters[MALLORY].html
    assert prove_by_link(shop.app, token_in(letters[JANE]))
    shop.poll()
    assert [letter.to for letter in shop.letters()] == [JANE]
    assert shop.case()["sender_grade"] == "V3"


def test_the_page_says_the_same_whatever_the_link(shop: Shop, address: str) -> None:
    token = token_in(asked(shop))
    pages = [ask(address, "GET", value)[1].replace(value, "") for value in (token, "A" * 43)]
    assert pages[0] == pages[1]
    assert not any(word in pages[0] for word in ("AW-", JANE, "RF-", "86"))
    refused = [ask(address, "POST", value) for value in ("A" * 43, "", "x" * 5000, '"><script>alert(1)</script>')]
    assert {status for status, _ in refused} == {403}
    assert len({page for _, page in refused}) == 1
    assert "<script" not in ask(address, "GET", '"><script>alert(1)</script>')[1]


@pytest.mark.parametrize(
    ("languages", "language", "button"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de", "Ja, das war ich"),
        ("sv, ja;q=0.5", "ja", "はい、私です"),
        ("zh-Hant-TW", "zh", "是的"),
        ("fr-CH", "fr", "Oui, c&#39;était moi"),
        ("sv", "en", "Yes, it was me"),
        (",;q=1,*" + "x" * 5000, "en", "Yes, it was me"),
    ],
)
def test_the_page_is_in_the_browser_s_language(address: str, languages: str, language: str, button: str) -> None:
    _, page = ask(address, "GET", "A" * 43, languages=languages)
    assert f'<html lang="{language}">' in page
    assert button in page
    assert "Aurelia &amp; Wren" in page


def test_every_language_of_the_page_has_the_same_words_in_it() -> None:
    folder = find_folder("templates")
    written = tomllib.loads((folder / "console" / "proof.toml").read_text(encoding="utf-8"))
    assert written.keys() == {each.name for each in (folder / "reply").iterdir() if each.is_dir()}
    marks = {
        language: {name: set(re.findall(r"{\w+}", text)) for name, text in words.items()}
        for language, words in written.items()
    }
    assert all(each == marks["en"] for each in marks.values())


def test_a_form_of_another_site_proves_nothing(shop: Shop, address: str) -> None:
    token = token_in(asked(shop))
    assert ask(address, "POST", token, site="cross-site")[0] == 403
    assert [row.used_at for row in shop.rows(ProofRow)] == [None]


def test_a_link_is_worth_nothing_after_72_hours(shop: Shop) -> None:
    token = token_in(asked(shop))
    shop.clock.forward(hours=72)
    assert not prove_by_link(shop.app, token)
    assert shop.case()["state"] == "waiting_for_proof"


def test_tokens_are_kept_hashed(shop: Shop) -> None:
    token = token_in(asked(shop))
    row = shop.rows(ProofRow)[0]
    assert row.link_hash is not None
    assert token not in row.link_hash + row.code_hash
    assert len(row.link_hash) == 64


def test_code_and_link_of_one_mail_are_used_once_together(shop: Shop) -> None:
    letter = asked(shop)
    assert prove_by_link(shop.app, token_in(letter))
    code = re.findall(r"[A-Z2-9]{4}-[A-Z2-9]{4}", letter.text)[0]
    shop.poll()
    shop.letters()
    assert shop.answers(a_mail(code, dmarc="none", answers=letter.message_id)) == []
    assert len([row for row in shop.rows(OutboxRow) if row.template == "cancellation_approved"]) == 1


def test_a_proof_for_one_order_is_none_for_another_of_the_same_case(shop: Shop) -> None:
    """Mallory proves her own order, then names Jane's in the same case."""
    shop.sells(an_order(shop.clock.now, "AW-10002", customer="mallory@home.example"))
    own = a_mail("Please cancel my order AW-10002. I changed my mind.", sender=MALLORY, invoice=an_invoice("AW-10002"))
    letters = {letter.to: letter for letter in shop.answers(own)}
    assert prove_by_link(shop.app, token_in(letters["mallory@home.example"]))
    shop.poll()
    shop.letters()
    more = a_mail(CANCEL, sender=MALLORY, invoice=an_invoice(), answers=letters[MALLORY].message_id)
    letters_then = shop.answers(more)
    assert [letter.to for letter in letters_then if "AW-10001" in letter.text] == []
    for case in shop.cases():
        assert case["refund"] is None or case["order_number"] == "AW-10002"


def test_a_proof_that_comes_after_a_question_still_decides_and_one_of_a_closed_case_does_not(shop: Shop) -> None:
    letter = asked(shop)
    shop.answers(a_mail("I do not understand this.", dmarc="none", answers=letter.message_id))
    assert shop.case()["state"] == "escalated"
    assert prove_by_link(shop.app, token_in(letter))
    assert shop.case()["state"] == "refund_due"
    shop.poll()
    shop.letters()
    kate = "kate@example.org"
    shop.sells(an_order(shop.clock.now, "AW-10002", customer=kate))
    other = a_mail(CANCEL.replace("10001", "10002"), sender=kate, dmarc="none", invoice=an_invoice("AW-10002"))
    letter = shop.answers(other)[0]
    operators.close(shop.app, "2", "ann", "she called")
    assert prove_by_link(shop.app, token_in(letter))
    case = shop.case(2)
    assert (case["state"], case["refund"]) == ("closed", None)
    assert "sender_proved" in [event["event"] for event in case["history"]]


def test_without_a_public_address_there_is_no_link_and_no_page(a_shop: ShopBuilder) -> None:
    shop = a_shop()
    shop.sells(an_order(shop.clock.now))
    letter = asked(shop)
    assert "proof" not in letter.text
    assert shop.rows(ProofRow)[0].link_hash is None
    with serving(make_console(shop.app), "127.0.0.1", 0) as served:
        assert ask(served.removeprefix("http://"), "GET", "x")[0] in {303, 404}


def test_a_proof_of_a_case_that_went_to_people_for_another_reason_goes_to_them_too(shop: Shop) -> None:
    letter = asked(shop)
    with transaction(shop.app.engine) as session:
        leave_to_people(session, cases.get(session, "1", lock=True), "a_question", shop.clock.now)
    assert prove_by_link(shop.app, token_in(letter))
    assert (shop.case()["state"], shop.case()["escalation"], shop.case()["refund"]) == (
        "escalated",
        "proven_late",
        None,
    )
