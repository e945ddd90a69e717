import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.act.check import check_templates
from mailbot.act.letter import LetterError
from mailbot.act.phrases import STATUS
from mailbot.act.reply import Letter, Reply, load_templates, write_draft, write_reply
from mailbot.act.templates import NAMES, TemplateError
from mailbot.model.decision import ReturnPostage, Settlement
from mailbot.model.money import DECIMALS, Money
from mailbot.policy.table import parse_policy
from mailbot.settings import find_folder

NEW_YORK = ZoneInfo("America/New_York")
TEMPLATES = load_templates(find_folder("templates") / "reply")
POLICY_FILE = Path(__file__).parents[2] / "mailbot" / "policy" / "default.toml"
POLICY = parse_policy(POLICY_FILE.read_text(encoding="utf-8"), NEW_YORK)
APPROVALS = {row.proposal_reply for row in POLICY.rows if row.proposal_reply}
REPLIES = sorted({row.reply for row in POLICY.rows} | APPROVALS | {guard.reply for guard in POLICY.guards} | NAMES)
ENDINGS = ("generic", "verification")
PROVEN = [name for name in REPLIES if name not in ENDINGS]
BARE = {"received", "message", "goods_on_the_way", "refund_paid", "withdrawn", "status"}
"""The replies that refuse and approve nothing, and so cite no clause."""

URL = "https://shop.example/after-sales-service-and-everything-else-that-a-customer-may-want-to-know"


def usd(cents: int) -> Money:
    return Money.from_minor(cents, "USD")


def a_settlement(**other: Any) -> Settlement:
    bill = Settlement(
        items=usd(8000),
        outbound_shipping=usd(0),
        transaction_fee=usd(-330),
        already_refunded=usd(0),
        cap_adjustment=usd(0),
        refund=usd(7670),
        return_postage=ReturnPostage.CUSTOMER,
    )
    return replace(bill, **other)


def a_letter(template: str, **other: Any) -> Letter:
    letter = Letter(
        template=template,
        language="en",
        shop_name="Aurelia & Wren",
        support_address="support@shop.example",
        zone=NEW_YORK,
        policy_url=URL,
        care_guide_url="https://shop.example/care",
        faq_url="",
        return_address="Aurelia & Wren Returns\n14 Mill Lane\nBrooklyn, NY 11201",
        case_number="RF-000123",
        subject="My ring",
        customer_name="Jane Doe",
        order_number="AW-10231",
        missing=("order_number", "invoice"),
        clauses=(POLICY.clauses["C6"], POLICY.clauses["C12"]),
        settlement=a_settlement(),
        reply_by=datetime(2026, 3, 12, 14, 30, tzinfo=UTC),
        refund_by=datetime(2026, 3, 11, 14, 30, tzinfo=UTC),
        refund_within=timedelta(hours=48),
        dispatch_by=date(2026, 3, 17),
        received_on=date(2026, 3, 6),
        window_ended_on=date(2026, 3, 13),
        paid_on=date(2026, 3, 11),
        status="refund_due",
        inspection_note="The clasp of one ring is bent.",
        code="K7QMWX3F",
        text="We have found your parcel.\nIt is on its way.\n\nYours, Ann",
    )
    return replace(letter, **other)


def written(template: str, **other: Any) -> Reply:
    return write_reply(TEMPLATES, a_letter(template, **other))


def flowing(text: str) -> str:
    return " ".join(text.split())


class Page(HTMLParser):
    """The words of an HTML page, its tags and its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("name", REPLIES)
class TestEveryReply:
    def test_has_a_subject_a_text_and_a_well_formed_page(self, name: str) -> None:
        reply = written(name)
        page = Page(reply.html)
        assert reply.subject
        assert page.open == []
        assert reply.template == name
        assert reply.language == "en"
        assert ("lang", "en") in page.attributes

    def test_keeps_to_the_columns_without_breaking_an_address_or_a_sum(self, name: str) -> None:
        lines = written(name).text.splitlines()
        assert [line for line in lines if line != line.rstrip()] == []
        assert [line for line in lines if len(line) > 74 and URL not in line] == []

    def test_says_in_html_every_word_that_it_says_in_text(self, name: str) -> None:
        reply = written(name, policy_url="", care_guide_url="")
        words = [word for word in re.split(r"[\s-]+", reply.text) if word]
        said = flowing(" ".join(Page(reply.html).words)).replace("-", " ").split()
        assert [word for word in words if word not in said] == []

    def test_loads_and_runs_nothing(self, name: str) -> None:
        page = Page(written(name).html)
        assert set(page.tags).isdisjoint({"img", "script", "link", "style", "iframe", "form", "object"})
        assert "src" not in {attribute for attribute, _ in page.attributes}
        assert "url(" not in written(name).html

    def test_says_nothing_in_styles_that_outlook_cannot_read(self, name: str) -> None:
        html = written(name).html
        assert not re.search(r"-inline-|text-align: (?:start|end)|display: ?(?:flex|grid)|var\(", html)

    def test_leaves_no_heading_without_anything_under_it(self, name: str) -> None:
        text = written(name, clauses=(), policy_url="", care_guide_url="").text
        assert re.search(r"^-+\n\n[^\n]+\n-+$", text, re.MULTILINE) is None

    def test_shouts_at_nobody(self, name: str) -> None:
        assert "!" not in written(name).text

    def test_is_the_same_for_the_same_letter(self, name: str) -> None:
        assert written(name) == written(name)


@pytest.mark.parametrize("name", PROVEN)
def test_an_answer_keeps_the_customers_subject(name: str) -> None:
    assert written(name).subject == "Re: My ring"


@pytest.mark.parametrize("name", [name for name in PROVEN if name not in BARE])
def test_an_answer_cites_the_policy_in_the_customers_words(name: str) -> None:
    reply = written(name, clauses=("You may send back what you have not used.",))
    assert "You may send back what you have not used." in reply.text
    assert "You may send back what you have not used." in reply.html


@pytest.mark.parametrize("name", [name for name in REPLIES if name != "message"])
def test_every_automatic_letter_leads_to_a_person(name: str) -> None:
    text = flowing(written(name).text)
    assert "answer" in text
    assert "A person will read it" in text


def test_a_bill_is_aligned_and_leaves_out_what_is_nothing() -> None:
    lines = written("return_approved").text.splitlines()
    start = lines.index("    Items         $80.00")
    assert lines[start : start + 4] == [
        "    Items         $80.00",
        "    PayPal fee    -$3.30",
        "    --------------------",
        "    Your refund   $76.70",
    ]


def test_a_bill_shows_every_line_that_is_something() -> None:
    bill = a_settlement(
        outbound_shipping=usd(600), already_refunded=usd(-1000), cap_adjustment=usd(-70), refund=usd(7200)
    )
    reply = written("refund_approved", settlement=bill)
    for sum_ in ("$80.00", "$6.00", "-$3.30", "-$10.00", "-$0.70", "$72.00"):
        assert sum_ in reply.text
        assert sum_ in " ".join(Page(reply.html).words)


@pytest.mark.parametrize("currency", sorted(DECIMALS))
def test_sums_are_exact_to_the_minor_unit_of_every_currency(currency: str) -> None:
    refund = Money.from_minor(1234567, currency)
    nothing = Money.zero(currency)
    bill = Settlement(
        items=refund,
        outbound_shipping=nothing,
        transaction_fee=nothing,
        already_refunded=nothing,
        cap_adjustment=nothing,
        refund=refund,
        return_postage=ReturnPostage.NONE,
    )
    total = next(
        line for line in written("cancellation_approved", settlement=bill).text.splitlines() if "Your ref" in line
    )
    assert re.sub(r"[^\d.]", "", total).lstrip(".") == str(refund)  # Cg. is a symbol with a point


@pytest.mark.parametrize(
    ("postage", "said", "unsaid"),
    [
        pytest.param(ReturnPostage.NONE, ["nothing else for you to do"], ["14 Mill Lane", "postage"], id="none"),
        pytest.param(ReturnPostage.CUSTOMER, ["14 Mill Lane", "already left us"], ["nothing else"], id="in transit"),
    ],
)
def test_a_cancelled_parcel_comes_back_only_if_it_has_left(
    postage: ReturnPostage, said: list[str], unsaid: list[str]
) -> None:
    text = flowing(written("cancellation_approved", settlement=a_settlement(return_postage=postage)).text)
    assert [words for words in said if words not in text] == []
    assert [words for words in unsaid if words in text] == []


def test_an_approved_return_says_all_that_the_policy_asks() -> None:
    text = flowing(written("return_approved").text)
    for words in (
        "Nothing may have been installed or modified",
        "original box, with enough packing material",
        "by Tuesday, March 17, 2026",
        "14 Mill Lane Brooklyn, NY 11201",
        "postage for the parcel back is yours",
        "inspect",
        "$76.70",
        "within 48 hours",
    ):
        assert words in text


def test_a_return_without_a_return_address_goes_to_the_parcels_sender() -> None:
    assert "the sender's address on your parcel" in written("return_approved", return_address="").text


def test_a_return_whose_refund_has_no_time_promises_none() -> None:
    text = flowing(written("return_approved", refund_within=None).text)
    assert "goes back the way you paid." in text
    assert "count on it" not in text


@pytest.mark.parametrize("state", list(STATUS))
def test_a_question_about_a_case_is_answered_by_its_state(state: str) -> None:
    said = {
        "refund_due": "Your refund of $76.70 is approved. It goes back the way you paid, by Wednesday, March 11,",
        "refunded": "We paid your refund of $76.70 on Wednesday, March 11, 2026.",
        "return_approved": "Please hand it over for dispatch by Tuesday, March 17, 2026.",
        "goods_on_the_way": "you have told us that your parcel is on its way",
        "received": "Your parcel has arrived, and we are inspecting it. You can count on your refund within 48 hours",
    }
    assert said[state] in flowing(written("status", status=state).text)


def test_what_an_inspection_found_is_told_only_where_there_was_one() -> None:
    assert "The clasp of one ring is bent." in flowing(written("declined_used_or_altered").text)
    assert "inspected" not in written("declined_used_or_altered", inspection_note=None).text


def test_times_are_in_the_shops_zone_and_name_it() -> None:
    text = flowing(written("received").text)
    assert "by Thursday, March 12, 2026 at 10:30 AM (Eastern Daylight Time)." in text


def test_an_acknowledgement_whose_time_has_passed_promises_none() -> None:
    text = flowing(written("received", reply_by=None).text)
    assert "A person will read it and answer you." in text
    assert " by " not in text


def test_an_acknowledgement_says_nothing_of_the_decision() -> None:
    text = written("received").text
    assert not re.search(r"refund|return|cancel|approve|declin|\$", text, re.IGNORECASE)


def test_everything_missing_is_asked_for_in_one_list() -> None:
    both = written("information_needed").text
    assert "- Your order number" in both
    assert "- The invoice" in both
    assert "- Your order number" not in written("information_needed", missing=("invoice",)).text


def test_an_operators_words_keep_their_lines_and_paragraphs() -> None:
    reply = written("message", text="One <b>two</b>\r\nthree\r\n\r\n\r\n# four {{code}}\nfive\n\n- six\n- seven\n")
    assert "One <b>two</b>\nthree\n\nfour {{code}}\n-------------\n\nfive\n\n- six\n- seven\n" in reply.text
    assert "<h2" in reply.html
    assert reply.html.count("<li") == 2
    assert "One &lt;b&gt;two&lt;/b&gt;\n<br>three" in reply.html


@pytest.mark.parametrize("name", sorted({*PROVEN, *TEMPLATES.answers("en")} - {"message"}))
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_draft_sent_as_a_person_s_words_says_what_its_template_says(name: str, language: str) -> None:
    letter = replace(a_letter(name), language=language)
    own = write_draft(TEMPLATES, letter)
    told, said = write_reply(TEMPLATES, replace(letter, template="message", text=own)), write_reply(TEMPLATES, letter)
    for tag in ("<h2", "<li"):
        assert told.html.count(tag) == said.html.count(tag)
    for paragraph in own.split("\n\n"):
        if ": " not in paragraph:  # the rows of a bill, which stand in columns
            assert bare(paragraph) in bare(told.text)
            assert bare(paragraph) in bare(said.text)
    assert bare(told.text).startswith(bare(said.text)[:10])
    assert bare(own)[:10] not in bare(said.text)[:10]


def bare(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())


def test_a_customer_without_a_name_is_greeted_all_the_same() -> None:
    assert written("received", customer_name=None).text.startswith("Hello,\n")


class TestLettersToTheUnproven:
    @pytest.mark.parametrize("name", ENDINGS)
    def test_are_the_same_whatever_the_mail_and_the_order(self, name: str) -> None:
        other = written(
            name,
            case_number="RF-999999",
            subject="Buy http://evil.example now",
            customer_name="Mallory",
            order_number="AW-99999",
            missing=("invoice",),
            clauses=(),
            settlement=None,
            reply_by=None,
            refund_by=None,
            dispatch_by=None,
            received_on=None,
            window_ended_on=None,
            return_address="",
            text="other",
        )
        assert other == written(name)

    @pytest.mark.parametrize("name", ENDINGS)
    def test_hold_nothing_of_the_case(self, name: str) -> None:
        reply = written(name)
        for words in ("RF-000123", "AW-10231", "Jane", "My ring", "76.70", "Re:"):
            assert words not in reply.subject + reply.text + reply.html

    def test_ask_for_number_invoice_and_address(self) -> None:
        text = flowing(written("generic").text)
        for words in ("order number", "invoice", "e-mail address that you used when you ordered"):
            assert words in text

    def test_bring_the_code_in_a_form_that_is_easy_to_copy(self) -> None:
        reply = written("verification")
        assert "\n    K7QM-WX3F\n" in reply.text
        assert "K7QM-WX3F" in reply.html
        assert "72 hours" in reply.text


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        pytest.param("My ring", "Re: My ring", id="plain"),
        pytest.param("Re: My ring", "Re: My ring", id="an answer already"),
        pytest.param("RE: AW: Re[2]: My ring", "Re: My ring", id="answers in several languages"),
        pytest.param("Rest of my order", "Re: Rest of my order", id="a word that begins with re"),
        pytest.param("", "Re: Your message to Aurelia & Wren", id="empty"),
        pytest.param("Re: ", "Re: Your message to Aurelia & Wren", id="nothing but the mark"),
        pytest.param("a\r\nBcc: x@evil.example", "Re: a Bcc: x@evil.example", id="a smuggled field"),
        pytest.param("a\u2028b\x00c\u202ed\u2066e", "Re: a bcde", id="control and bidi characters"),
        pytest.param("{{code}} {{ 7*7 }}", "Re: {{code}} {{ 7*7 }}", id="template syntax"),
        pytest.param("x" * 500, "Re: " + "x" * 145 + "\u2026", id="too long"),
        pytest.param("\ud800 half", "Re: half", id="half a surrogate pair"),
    ],
)
def test_subjects_are_cleaned(subject: str, answer: str) -> None:
    assert written("received", subject=subject).subject == answer


@given(st.text(), st.sampled_from(PROVEN))
@settings(max_examples=60)
def test_no_value_breaks_out_of_its_place(hostile: str, name: str) -> None:
    payload = f"<script>alert(1)</script>\"'>{hostile}\r\n\r\n# Heading {{{{code}}}}"
    reply = written(
        name,
        subject=payload,
        customer_name=payload,
        order_number=payload,
        clauses=(payload,),
        return_address=payload,
        case_number=payload,
        text=payload,
        code="SECRET42",
    )
    page = Page(reply.html)
    assert page.open == []
    assert "script" not in page.tags
    assert "SECR-ET42" not in reply.text
    assert len(reply.subject) <= 150
    for text in (reply.subject, reply.text, reply.html):
        assert text.encode()
        assert re.search("[\x00-\x09\x0b-\x1f\x7f\u200e\u200f\u2028-\u202e\u2066-\u2069]", text) is None


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("verification", {"code": None}),
        ("message", {"text": " \n "}),
        ("information_needed", {"missing": ()}),
        ("cancellation_approved", {"settlement": None}),
        ("cancellation_approved", {"refund_by": None}),
        ("return_approved", {"dispatch_by": None}),
        ("refund_paid", {"settlement": None}),
        ("status", {"status": "escalated"}),
        ("status", {"paid_on": None, "status": "refunded"}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
def test_a_letter_that_lacks_what_matters_is_not_written(name: str, lacks: dict[str, Any]) -> None:
    with pytest.raises(LetterError, match="does not have"):
        written(name, **lacks)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(LetterError, match="no time zone"):
        a_letter("received", reply_by=datetime(2026, 3, 12))  # noqa: DTZ001 (that is what is refused)


def test_a_language_without_templates_is_answered_in_english() -> None:
    assert written("received", language="xx").language == "en"


def test_an_unknown_reply_is_an_error_that_names_it() -> None:
    with pytest.raises(TemplateError, match="no_such_reply"):
        written("no_such_reply")


def test_a_letter_names_only_links_that_the_shop_has() -> None:
    page = Page(written("received").html + written("return_approved").html)
    links = {value for attribute, value in page.attributes if attribute == "href"}
    assert links == {URL, "https://shop.example/care"}


def test_a_second_language_needs_files_alone(copied: Callable[[], Path]) -> None:
    folder = copied()
    english = (folder / "en" / "received.txt").read_text(encoding="utf-8")
    (folder / "sv").mkdir()
    phrases = (folder / "en" / "phrases.toml").read_text(encoding="utf-8").replace("{{date}} at", "{{date}} kl.")
    (folder / "sv" / "phrases.toml").write_text(phrases, encoding="utf-8")
    (folder / "sv" / "received.txt").write_text(english.replace("Thank you", "Tack"), encoding="utf-8")
    (folder / "sv" / "received.subject.txt").write_text("Re: {{subject}}\n", encoding="utf-8")
    templates = load_templates(folder)
    swedish = write_reply(templates, a_letter("received", language="sv"))
    assert swedish.language == "sv"
    assert "Tack" in swedish.text
    assert "torsdag 12 mars 2026 kl. 10:30" in flowing(swedish.text)
    assert 'lang="sv"' in swedish.html
    assert write_reply(templates, a_letter("return_approved", language="sv")).language == "en"


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[], Path]:
    """Copy the shipped templates, to change them."""

    def copy() -> Path:
        source, target = find_folder("templates") / "reply", tmp_path / "reply"
        for path in sorted(source.rglob("*.*")):
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
        return target

    return copy


class TestCheck:
    def test_finds_nothing_wrong_with_what_ships(self) -> None:
        assert check_templates(TEMPLATES, REPLIES) == ()

    def test_names_a_language_of_the_shop_without_templates(self) -> None:
        assert check_templates(TEMPLATES, REPLIES, "sv") == ("sv: has no templates; see [shop] language",)

    def test_ten_languages_ship(self) -> None:
        assert sorted(TEMPLATES.languages) == ["de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"]

    @pytest.mark.parametrize(
        ("file", "content", "fault"),
        [
            pytest.param("en/received.txt", "{{surprise}}", "no value 'surprise'", id="unknown name"),
            pytest.param("en/generic.txt", "Order {{order_number}}", "no value 'order_number'", id="order in generic"),
            pytest.param("en/generic.subject.txt", "{{subject}}", "no value 'subject'", id="subject in generic"),
            pytest.param("en/verification.txt", "{{text}}", "no value 'text'", id="free text in verification"),
            pytest.param("en/received.txt", None, "is missing", id="no body"),
            pytest.param("en/received.subject.txt", None, "is missing", id="no subject"),
            pytest.param("en/received.txt", " \n", "empty", id="empty body"),
            pytest.param("en/other.txt", "text", "is missing", id="body without subject"),
            pytest.param("en/notes.md", "text", "is neither", id="stray file"),
            pytest.param("en/phrases.toml", "closing = 'x'", "greeting is missing", id="phrases missing"),
            pytest.param("en/phrases.toml", "not toml", "en/phrases.toml: ", id="phrases unreadable"),
            pytest.param("en/phrases.toml", None, "is missing", id="no phrases"),
            pytest.param("qq/received.txt", "text", "qq/phrases.toml: is missing", id="language without phrases"),
            pytest.param(
                "en/received.subject.txt", "Re:\n{{subject}}", "more than one line", id="subject of two lines"
            ),
            pytest.param(
                "ja/received.txt", "{{greeting}}", "does not say {{reply_by}}", id="a date lost in translation"
            ),
            pytest.param("de/generic.txt", None, "de/generic.txt: is missing", id="a reply that one language lacks"),
        ],
    )
    def test_names_each_fault(self, copied: Callable[[], Path], file: str, content: str | None, fault: str) -> None:
        place = copied() / file
        place.parent.mkdir(exist_ok=True)
        if content is None:
            place.unlink()
        else:
            place.write_text(content, encoding="utf-8")
        faults = load_templates(place.parents[1]).check(REPLIES)
        assert any(fault in line for line in faults), faults

    def test_names_a_reply_that_nothing_uses(self, copied: Callable[[], Path]) -> None:
        folder = copied()
        for suffix in (".txt", ".subject.txt"):
            (folder / "en" / f"farewell{suffix}").write_text("Bye", encoding="utf-8")
        templates = load_templates(folder)
        mend = "let a row of the policy name it, call it answer_..., or remove it"
        assert templates.check(REPLIES) == (f"en/farewell.txt: nothing names this reply; {mend}",)
        assert "en/farewell.txt: is missing" not in templates.check([*REPLIES, "farewell"])

    def test_names_a_reply_that_the_policy_uses_and_nobody_wrote(self) -> None:
        missing = [f"{code}/declined_in_verse.txt: is missing" for code in sorted(TEMPLATES.languages)]
        assert list(TEMPLATES.check([*REPLIES, "declined_in_verse"])) == missing

    @pytest.mark.parametrize("shell", ["{% for %}", "<p>{{ case_number }}</p>"], ids=["no template", "unknown value"])
    def test_refuses_a_shell_that_cannot_be_used(self, copied: Callable[[], Path], shell: str) -> None:
        folder = copied()
        (folder / "layout.html").write_text(shell, encoding="utf-8")
        with pytest.raises(TemplateError, match=r"layout\.html"):
            load_templates(folder)


@pytest.mark.parametrize("template", ["cancellation_approved", "return_approved", "refund_approved"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "nl", "pt", "pl", "ja", "zh"])
def test_a_letter_about_a_part_of_an_order_names_its_pieces(template: str, language: str) -> None:
    piece = "1 \u00d7 Silver ring (R-925-07)"
    reply = written(template, language=language, pieces=((1, "Silver ring (R-925-07)"), (2, "<b>Charm</b>")))
    assert f"- {piece}\n- 2 \u00d7 <b>Charm</b>" in reply.text
    assert "Silver ring (" in reply.html
    assert "R-925-07" in reply.html
    assert "<b>Charm" not in reply.html
    assert piece not in written(template, language=language).text
