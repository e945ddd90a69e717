"""What the pages show: the queue in its order, and each case with its mail, evidence, decision, bill and letters."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from mailbot import operators
from mailbot.console.words import local
from mailbot.demo.run import SUPPORT, demo_app, fill_inbox, work_off
from mailbot.model.case import ClockKind, ClockLevel
from mailbot.model.reading import Reading
from mailbot.store import case_views, cases, readings
from mailbot.store.tables import ClockRow
from mailbot.store.transaction import reading as reading_only
from mailbot.store.transaction import transaction
from tests.console.reading_pages import Element, read_page
from tests.console.visits import Console, Serve, Visitor

LATE = {"due_soon", "breached"}


AGAIN = """From: Dorothy Whitcombe <dorothy.whitcombe@example.org>
To: support@shop.example
Subject: Re: The pearl necklace
Authentication-Results: mx.shop.example; dmarc=pass header.from=example.org

I changed my mind about order AW-10352 and would like to send it back.
""".replace("\n", "\r\n")


@pytest.fixture(scope="module")
def changing(served: Serve) -> Iterator[Console]:
    """A demonstration that these tests change; one customer has written twice."""
    with demo_app("127.0.0.1:0") as (app, servers):
        fill_inbox(app, servers)
        assert work_off(app) == ()
        servers.deliver(SUPPORT, AGAIN.encode(), app.now())
        assert work_off(app) == ()
        with served(app) as console:
            yield console


def listed(console: Console) -> list[dict[str, object]]:
    with reading_only(console.app.engine) as session:
        return list(case_views.list_cases(session, console.app.now()))


def shown(console: Console, number: object) -> dict[str, object]:
    with reading_only(console.app.engine) as session:
        return case_views.show_case(session, cases.get(session, str(number)), console.app.now())


def first(console: Console, **wanted: object) -> str:
    return next(str(case["case"]) for case in listed(console) if wanted.items() <= case.items())


def page(visitor: Visitor, path: str) -> Element:
    answer = visitor.ask(path)
    assert answer.status == 200
    return read_page(answer.text)


def queued(found: Element) -> list[str]:
    rows = [row for table in found.all("table", "queue") for row in table.all("tr") if "data-href" in row.attributes]
    return [row.all("a")[0].words for row in rows]


def said(console: Console, number: str) -> list[Reading]:
    with reading_only(console.app.engine) as session:
        return [each.reading for each in readings.said_in(session, cases.get(session, number).id) or ()]


def test_the_queue_has_every_case_once(console: Console, operator: Visitor) -> None:
    numbers = queued(page(operator, "/?view=all"))
    assert sorted(numbers) == sorted(str(case["case"]) for case in listed(console))
    assert len(numbers) > 20


@pytest.mark.parametrize(
    ("view", "states"),
    [
        ("people", {"new", "escalated", "refund_due"}),
        ("customers", {"return_approved", "waiting_for_information", "waiting_for_proof"}),
        ("refunds", {"refund_due"}),
    ],
)
def test_a_view_has_its_cases_and_first_what_is_due_next(
    view: str, states: set[str], console: Console, operator: Visitor
) -> None:
    wanted = [case["case"] for case in listed(console) if case["state"] in states]
    assert queued(page(operator, f"/?view={view}")) == wanted
    assert wanted


def test_each_view_says_how_many_cases_it_has(operator: Visitor) -> None:
    found = page(operator, "/")
    for link in found.all("ul", "views")[0].all("a"):
        for number in link.all("span", "number"):
            assert int(number.words) == len(queued(page(operator, link.attributes["href"])))


@pytest.mark.parametrize("hours", [20, 30, 50, 200])
def test_what_is_late_or_will_be_soon_stands_above_the_rest(hours: int, console: Console) -> None:
    console.clock.ahead = timedelta(hours=hours)
    operator = console.operator()
    numbers = queued(page(operator, "/"))
    late = [case["case"] for case in listed(console) if LATE & {clock["state"] for clock in case["deadlines"]}]  # type: ignore[attr-defined] # a form
    assert set(numbers[: len(late)]) == set(late)
    assert set(queued(page(operator, "/?view=late"))) == set(late)
    assert bool(late) == (hours > 20)


def test_what_is_due_soon_stands_above_what_has_an_earlier_limit_but_time_to_spare(changing: Console) -> None:
    soon, spare = (str(case["case"]) for case in listed(changing)[:2])
    now = changing.app.now()
    times = {
        soon: {ClockLevel.DUE: now - timedelta(hours=1), ClockLevel.LIMIT: now + timedelta(hours=40)},
        spare: {ClockLevel.DUE: now + timedelta(hours=6), ClockLevel.LIMIT: now + timedelta(hours=30)},
    }
    with transaction(changing.app.engine) as session:
        for number, levels in times.items():
            for level, due_at in levels.items():
                mine = (ClockRow.case_id == cases.get(session, number).id, ClockRow.kind == ClockKind.REPLY)
                session.execute(update(ClockRow).where(*mine, ClockRow.level == level).values(due_at=due_at))
    numbers = queued(page(changing.operator(), "/"))
    assert numbers.index(soon) < numbers.index(spare)


def test_a_promise_counts_down_and_names_its_end_in_the_shop_s_time(console: Console, operator: Visitor) -> None:
    number = first(console, state="refund_due")
    (clock,) = (clock for clock in shown(console, number)["deadlines"] if clock["kind"] == "refund")  # type: ignore[attr-defined] # a form
    (row,) = (row for row in page(operator, "/").all("tr") if number in row.text)
    (pill,) = row.all("time", "left")
    assert pill.attributes["title"] == f"refund by {local(clock['limit'], console.app.settings.shop.zone)}"
    assert pill.attributes["datetime"] == clock["limit"]
    assert pill.words.startswith("refund in 1 d ")


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ("q=AW-10301", {"order_number": "AW-10301"}),
        ("q=fatima.haddad", {"customer": "fatima.haddad@example.com"}),
        ("q=rf-000016", {"case": "RF-000016"}),
        ("q=parcel+where", {"subject": "WHERE IS MY PARCEL - AW-10301"}),
        ("reason=logistics_review", {"rule": "logistics_review"}),
        ("state=declined", {"state": "declined"}),
    ],
)
def test_a_filter_finds_what_fits_and_nothing_else(
    asked: str, fits: dict[str, str], console: Console, operator: Visitor
) -> None:
    wanted = {case["case"] for case in listed(console) if fits.items() <= case.items()}
    assert set(queued(page(operator, f"/?view=all&{asked}"))) == wanted
    assert wanted


@pytest.mark.parametrize(
    "asked",
    ["view=x&state=x&page=x", "q=%25", "q=%00", "page=99", "least=1&currency=XXX", "least=9&most=8&currency=USD"],
)
def test_an_address_that_makes_no_sense_is_no_trouble(asked: str, operator: Visitor) -> None:
    assert operator.ask(f"/?{asked}").status == 200


def test_every_case_has_a_page(console: Console, operator: Visitor) -> None:
    for case in listed(console):
        found = page(operator, f"/cases/{case['case']}")
        assert str(case["case"]) in found.all("h1")[0].text


@pytest.mark.parametrize("spelling", ["1", "rf-1", "RF-000001", "rf000001"])
def test_a_case_is_found_however_its_number_is_written(spelling: str, operator: Visitor) -> None:
    assert "RF-000001" in page(operator, f"/cases/{spelling}").all("h1")[0].text


@pytest.mark.parametrize("number", ["RF-999999", "0", "-1", "x", "RF-%C2%B2", "9" * 400, "1%00", "%F0%9F%92%8D"])
def test_a_case_that_is_not_there_is_said_to_be_not_there(number: str, operator: Visitor) -> None:
    answer = operator.ask(f"/cases/{number}")
    assert answer.status == 404
    assert "Not found" in read_page(answer.text).all("h1")[0].text


def test_the_mail_is_shown_whole_with_its_evidence_at_the_right_words(console: Console, operator: Visitor) -> None:
    compared = 0
    for case in listed(console):
        found = page(operator, f"/cases/{case['case']}")
        for mail, box in zip(said(console, str(case["case"])), found.all("div", "mail"), strict=False):
            assert box.text == mail.body.text
            marks = [(one.attributes["title"], one.text) for one in box.all("mark")]
            for span in (span for span in mail.spans if span.part == "body"):
                compared += 1
                fact = f"{span.fact} = {span.value}"
                assert "".join(text for title, text in marks if fact in title.split("; ")).count(span.quote) >= 1
    assert compared > 60


def test_nothing_but_evidence_is_highlighted(console: Console, operator: Visitor) -> None:
    for case in listed(console):
        mails = said(console, str(case["case"]))
        for mail, box in zip(mails, page(operator, f"/cases/{case['case']}").all("div", "mail"), strict=False):
            read = {at for span in mail.spans if span.part == "body" for at in range(span.start, span.end)}
            assert sum(len(mark.text) for mark in box.all("mark")) == len(read)


def test_each_finding_leads_to_its_place_in_the_mail(console: Console, operator: Visitor) -> None:
    followed = 0
    for case in listed(console):
        found = page(operator, f"/cases/{case['case']}")
        places = {mark.attributes["id"]: mark.text for mark in found.all("mark") if "id" in mark.attributes}
        for link in (link for link in found.all("a") if link.attributes["href"].startswith("#mail-")):
            quote, place = link.text.strip("“”"), places[link.attributes["href"][1:]]
            assert quote.startswith(place)
            followed += 1
    assert followed > 60


def test_two_mails_of_a_case_keep_their_places_apart(changing: Console) -> None:
    number = first(changing, order_number="AW-10352")
    found = page(changing.operator(), f"/cases/{number}")
    assert len([box for box in found.all("h2") if box.words.startswith("Mail of")]) == 2
    names = [one.attributes["id"] for one in found.all() if "id" in one.attributes]
    assert len(set(names)) == len(names)
    assert {name[:6] for name in names} >= {"mail-1", "mail-2"}


def test_what_nobody_knows_is_shown_as_unknown(console: Console, operator: Visitor) -> None:
    number = first(console, rule="logistics_review")
    facts = shown(console, number)["decisions"][-1]["facts"]  # type: ignore[index] # a form
    rows = {
        row.all("th")[0].words: row.all("td")[0] for row in page(operator, f"/cases/{number}").under("Facts").all("tr")
    }
    for name, value in (facts["claim"] | {"delivered_at": facts["order"]["delivered_at"]}).items():
        assert bool(rows[name.replace("_", " ")].all("span", "unknown")) == (value is None), name
    assert rows["item used"].words == "unknown"
    assert rows["mentions dispute"].words in {"yes", "no"}


def test_a_decision_is_shown_with_its_rule_and_the_words_of_its_clauses(console: Console, operator: Visitor) -> None:
    policy = console.app.judgement.policy
    for case in listed(console):
        for decision in reversed(shown(console, case["case"])["decisions"]):  # type: ignore[call-overload] # a form
            box = page(operator, f"/cases/{case['case']}").under("Decision")
            made = decision["decision"]
            assert box.all("h2")[0].words == f"Decision: {made['outcome'].replace('_', ' ')}"
            assert made["rule"] in [code.text for code in box.all("code")]
            assert [one.text for one in box.all("dt")] == made["clauses"]
            assert [one.text for one in box.all("dd")] == [policy.clauses[clause] for clause in made["clauses"]]
            break


def test_every_question_that_was_asked_is_shown_with_its_answer(console: Console, operator: Visitor) -> None:
    number = first(console, state="refund_due")
    trace = shown(console, number)["decisions"][-1]["trace"]  # type: ignore[index] # a form
    steps = page(operator, f"/cases/{number}").under("Decision").all("details")[0].all("li")
    assert len(steps) == len(trace) > 10
    for step, asked in zip(steps, trace, strict=True):
        got = {True: "yes", False: "no"}.get(asked["got"], str(asked["got"]).replace("_", " "))
        assert step.words == f"{asked['rule']} {asked['condition'].replace('_', ' ')}: {got}"
        assert step.classes == {"met" if asked["met"] else "unmet"}


def test_an_escalated_case_shows_what_is_proposed_and_its_bill(console: Console, operator: Visitor) -> None:
    number = first(console, rule="logistics_review")
    proposal = shown(console, number)["decisions"][-1]["decision"]["proposal"]  # type: ignore[index] # a form
    box = page(operator, f"/cases/{number}").under("Decision")
    assert box.all("p", "proposal")[0].words == "Proposed to you: refund (logistics_review)"
    rows = {row.all("th")[0].words: row.all("td")[0].words for row in box.all("table", "bill")[0].all("tr")}
    bill = proposal["settlement"]
    assert rows["Items"] == bill["items"]
    assert rows["Refund"] == f"{bill['refund']} {bill['currency']}"
    assert "the merchant pays" in box.words


def test_a_bill_adds_up_to_its_total(console: Console, operator: Visitor) -> None:
    bills = 0
    for case in listed(console):
        for table in page(operator, f"/cases/{case['case']}").all("table", "bill"):
            *items, total = (row.all("td")[0].words for row in table.all("tr"))
            assert sum(round(float(item) * 1000) for item in items) == round(float(total.split()[0]) * 1000)
            bills += 1
    assert bills > 3


def test_our_letters_are_shown_as_they_went_out(console: Console, operator: Visitor) -> None:
    number = first(console, state="return_approved")
    with reading_only(console.app.engine) as session:
        (letter,) = case_views.letters_of(session, cases.get(session, number).id)
    box = page(operator, f"/cases/{number}").under("Our letter")
    assert box.all("h2")[0].words == "Our letter, sent"
    assert letter.recipient in box.text
    assert "We have approved your return" in box.all("div", "mail")[0].text


def test_text_that_a_mail_hides_is_shown_apart_from_what_it_shows(console: Console, operator: Visitor) -> None:
    hiding = [
        str(case["case"])
        for case in listed(console)
        if any(mail.body.hidden for mail in said(console, str(case["case"])))
    ]
    assert hiding
    for number in hiding:
        found = page(operator, f"/cases/{number}")
        (apart,) = (box for box in found.all("details") if "hides" in box.all("summary")[0].text)
        for text in (text for mail in said(console, number) for text in mail.body.hidden):
            assert text in apart.text
            assert text not in found.all("div", "mail")[0].text


def test_the_address_stands_before_the_name_that_a_sender_gives_itself(console: Console, operator: Visitor) -> None:
    number = first(console, state="return_approved")
    line = page(operator, f"/cases/{number}").all("p", "from")[0].words
    assert line.startswith("dorothy.whitcombe@example.org calls itself “Dorothy Whitcombe”")


def test_an_invoice_is_shown_as_a_picture_and_never_as_it_came(console: Console, operator: Visitor) -> None:
    drawn = 0
    for case in listed(console):
        for picture in page(operator, f"/cases/{case['case']}").all("a", "thumb"):
            answer = operator.ask(picture.all("img")[0].attributes["src"])
            if answer.status == 400:
                continue  # a file that says it is a picture, and is none
            assert answer.headers["content-type"] == "image/png"
            assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
            pages = page(operator, picture.attributes["href"]).all("ol", "drawn")[0].all("img")
            assert all(operator.ask(one.attributes["src"]).status == 200 for one in pages)
            drawn += 1
    assert drawn > 3


def test_a_case_without_a_decision_says_so(console: Console, operator: Visitor) -> None:
    found = page(operator, f"/cases/{first(console, escalation='other_topic')}").under("No decision")
    assert "a person answers" in found.words


def test_what_operators_do_is_shown_at_once(changing: Console) -> None:
    operator, number = changing.operator(), first(changing, state="escalated", rule="quality_review")
    operators.note(changing.app, number, "mia", "rang her: <b>clasp</b>")
    assert "mia: noted text: rang her: <b>clasp</b>" in page(operator, f"/cases/{number}").under("History").words
    operators.approve(changing.app, number, "mia")
    found = page(operator, f"/cases/{number}")
    assert found.all("h1")[0].all("span")[0].words == "refund due"
    assert [box.words for box in found.all("h2")].count("Our letter, queued") == 1
    operators.confirm_refund(changing.app, number, "noah", "PAY-77")
    assert "noah: refund paid" in page(operator, f"/cases/{number}").under("History").words
    operators.close(changing.app, number, "noah", "")
    assert page(operator, f"/cases/{number}").all("h1")[0].all("span")[0].words == "closed"


def test_no_row_declines_that_nobody_chose(console: Console, operator: Visitor) -> None:
    number = first(console, state="escalated")
    rows = page(operator, f"/cases/{number}/decline").all("select")[0]
    assert "required" in rows.attributes
    assert rows.all("option")[0].attributes["value"] == ""
    assert [one for one in rows.all("option") if "selected" in one.attributes] == []
    refused = operator.order(f"/cases/{number}/decline", {"rule": ""})
    assert (refused.status, "the row of the policy that declines is missing" in refused.text) == (400, True)


def test_a_declined_case_and_one_that_was_answered_by_hand_have_pages(changing: Console) -> None:
    operator, number = changing.operator(), first(changing, state="escalated", escalation="other_topic")
    operators.reply(changing.app, number, "mia", "Yes, we do.\n<script>alert(1)</script>")
    operators.decline(changing.app, number, "mia", "used_or_altered")
    found = page(operator, f"/cases/{number}")
    assert "<script>alert(1)</script>" in found.text
    assert [one for one in found.all("script") if one.text] == []
    assert "declined why: used or altered" in found.under("History").words


def test_every_page_says_while_something_is_wrong_with_mailbot_itself(changing: Console) -> None:
    operator = changing.operator()
    assert page(operator, "/policy").all("div", "alarms") == []
    operators.freeze(changing.app, "mia", "the books do not fit")
    changing.clock.ahead += timedelta(seconds=30)
    for path in ("/", "/policy"):
        (alarms,) = page(operator, path).all("div", "alarms")
        assert "stand still" in alarms.words
        assert "the books do not fit" in alarms.words
    assert changing.visitor().ask("/sign-in").text.count("the books do not fit") == 0
    operators.thaw(changing.app, "mia")
    changing.clock.ahead += timedelta(minutes=20)
    (alarms,) = page(changing.operator(), "/").all("div", "alarms")
    assert "Mailbox support: no complete look since" in alarms.words
    assert "stand still" not in alarms.words
    changing.clock.ahead -= timedelta(minutes=20, seconds=30)


def test_the_policy_page_says_whether_policy_and_draft_are_proven(changing: Console) -> None:
    operator, text = changing.operator(), changing.app.judgement.policy.text
    assert "Proven. Some row always answers" in page(operator, "/policy").under("Is it whole?").words
    first_row = "[[row]]" + text.split("[[row]]")[1]
    twice = first_row + first_row.replace('id = "', 'id = "again_', 1)
    answer = operator.order("/policy", {"text": text.replace(first_row, twice, 1)})
    assert answer.status == 200
    found = read_page(answer.text)
    assert "Proven." in found.under("Is it whole?").words
    assert "Not proven" in found.under("Is the draft whole?").words


def test_a_template_is_shown_with_a_real_case_in_any_language(console: Console, operator: Visitor) -> None:
    number = first(console, state="return_approved")
    found = page(operator, f"/templates?name=return_approved&language=de&case={number}")
    assert "Dorothy Whitcombe" in found.all("div", "mail")[0].text
    assert "AW-10352" in found.all("div", "mail")[0].text
    assert number in [one.attributes.get("value") for one in found.all("option")]
    unknown = page(operator, f"/templates?name=refund_paid&language=de&case={first(console, state='declined')}")
    assert "which this letter does not have" in unknown.all("p", "doubts")[0].words


def test_an_empty_queue_says_what_will_appear_there(served: Serve) -> None:
    with demo_app("127.0.0.1:0") as (app, _), served(app) as empty:
        assert "No case yet" in page(empty.operator(), "/").text
