"""What people order on a case: tried out first, held for 20 seconds, stopped on a stale page, done once."""

from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from mailbot import operators
from mailbot.console.case_view import letter_parts
from mailbot.desk.orders import perform_due
from mailbot.model.book import parse_booked_order
from mailbot.model.case import CaseState, ClockKind, Deadline
from mailbot.model.people import Role
from mailbot.steps.parking import leave_to_people
from mailbot.store import case_views, cases, clocks, corrections, mails, readings, search
from mailbot.store.check import check
from mailbot.store.tables import CaseRow, MailRow
from mailbot.store.transaction import reading, transaction
from tests.console.reading_pages import read_page
from tests.console.visits import Answer, Console, Visitor
from tests.mails import scoring

PASSED = timedelta(seconds=21)


@pytest.fixture
def agent(desk: Console) -> Visitor:
    return desk.operator(Role.APPROVER)


def shown(desk: Console, number: str) -> dict[str, object]:
    with reading(desk.app.engine) as session:
        return case_views.show_case(session, cases.get(session, number), desk.app.now())


def taken(desk: Console, **wanted: object) -> str:
    """A case that no test has touched yet."""
    with reading(desk.app.engine) as session:
        for case in case_views.list_cases(session, desk.app.now()):
            history = case_views.show_case(session, cases.get(session, str(case["case"])), desk.app.now())["history"]
            if wanted.items() <= case.items() and all("@" not in event["actor"] for event in history):
                return str(case["case"])
    raise AssertionError(wanted)


def proposed(desk: Console, *, at_once: bool = False) -> str:
    """A case that no test has touched yet, with a proposal that gives money back; ``at_once``: before goods come."""
    with reading(desk.app.engine) as session:
        for case in case_views.list_cases(session, desk.app.now(), [CaseState.ESCALATED]):
            form = case_views.show_case(session, cases.get(session, str(case["case"])), desk.app.now())
            offers = [made["decision"]["proposal"] for made in form["decisions"][-1:]]
            untouched = all("@" not in event["actor"] for event in form["history"])
            if untouched and any(
                offer and offer["settlement"] and not (at_once and offer["outcome"] == "approve_return")
                for offer in offers
            ):
                return str(case["case"])
    raise AssertionError("every proposal is taken")


def later(desk: Console) -> int:
    """Let the time for undoing pass, and the worker do its turn."""
    desk.clock.ahead += PASSED
    return perform_due(desk.app)


def letters(desk: Console, number: str) -> int:
    return sum(message["direction"] == "out" for message in shown(desk, number)["messages"])  # type: ignore[attr-defined] # a form


def with_page(agent: Visitor, number: str, verb: str, **form: str) -> Answer:
    """Fill in the page of an action and send it."""
    page = read_page(agent.ask(f"/cases/{number}/{verb}").text)
    fields = {one.attributes["name"]: one.attributes["value"] for one in page.all("input") if "name" in one.attributes}
    hidden = {name: fields[name] for name in ("form_token", "seen")}
    return agent.submit(f"/cases/{number}/{verb}", hidden | form)


def test_an_approval_is_held_and_then_done_once(desk: Console, agent: Visitor) -> None:
    number = proposed(desk)
    before = letters(desk, number)
    assert with_page(agent, number, "approve").status == 303
    assert shown(desk, number)["state"] == "escalated"
    assert "goes out in" in agent.ask(f"/cases/{number}").text
    assert later(desk) == 1
    assert shown(desk, number)["state"] in {"refund_due", "return_approved"}
    assert letters(desk, number) == before + 1
    assert later(desk) == 0


def test_an_approval_can_be_taken_back(desk: Console, agent: Visitor) -> None:
    number = proposed(desk)
    before = shown(desk, number)
    assert with_page(agent, number, "approve").status == 303
    assert agent.order(f"/cases/{number}/undo").status == 303
    assert later(desk) == 0
    after = shown(desk, number)
    assert {name: after[name] for name in ("state", "refund", "deadlines", "messages")} == {
        name: before[name] for name in ("state", "refund", "deadlines", "messages")
    }
    assert agent.order(f"/cases/{number}/undo").status == 400


def test_a_double_click_orders_once(desk: Console, agent: Visitor) -> None:
    number = taken(desk, state="escalated", rule=None)
    form = {"form_token": agent.form_token(), "rule": "customer_damage"}
    assert [agent.submit(f"/cases/{number}/decline", form).status for _ in range(3)] == [303, 303, 303]
    before = letters(desk, number)
    assert later(desk) == 1
    assert letters(desk, number) == before + 1
    assert shown(desk, number)["state"] == "declined"


def test_a_second_order_waits_for_the_first(desk: Console, agent: Visitor) -> None:
    number = taken(desk, state="escalated")
    token = {"form_token": agent.form_token()}
    assert agent.submit(f"/cases/{number}/decline", {**token, "rule": "customer_damage"}).status == 303
    answer = agent.submit(f"/cases/{number}/reply", {**token, "text": "One moment, please."})
    assert answer.status == 400
    assert "undo that first" in answer.text
    assert agent.order(f"/cases/{number}/undo").status == 303


def test_a_stale_page_is_stopped_and_told_what_changed(desk: Console, agent: Visitor) -> None:
    number = proposed(desk)
    page = read_page(agent.ask(f"/cases/{number}/approve").text)
    seen = next(one.attributes["value"] for one in page.all("input") if one.attributes.get("name") == "seen")
    operators.reply(desk.app, number, "mia@shop.example", "We are looking into it.")
    answer = agent.order(f"/cases/{number}/approve", {"seen": seen})
    assert answer.status == 409
    assert "mia@shop.example: replied" in read_page(answer.text).words
    assert later(desk) == 0
    assert shown(desk, number)["state"] == "escalated"


def test_what_happens_while_an_order_is_held_stops_it(desk: Console, agent: Visitor) -> None:
    number = proposed(desk)
    assert with_page(agent, number, "approve").status == 303
    operators.reply(desk.app, number, "mia@shop.example", "We are looking into it.")
    assert later(desk) == 0
    assert shown(desk, number)["state"] == "escalated"
    assert "could not be done" in agent.ask(f"/cases/{number}").text
    assert agent.order(f"/cases/{number}/dismiss").status == 303
    assert "could not be done" not in agent.ask(f"/cases/{number}").text


def test_a_note_does_not_make_a_page_stale(desk: Console, agent: Visitor) -> None:
    number = proposed(desk)
    page = read_page(agent.ask(f"/cases/{number}/approve").text)
    seen = next(one.attributes["value"] for one in page.all("input") if one.attributes.get("name") == "seen")
    operators.note(desk.app, number, "mia@shop.example", "A good customer.")
    assert agent.order(f"/cases/{number}/approve", {"seen": seen}).status == 303
    assert later(desk) == 1


def test_a_changed_approval_says_why_and_pays_what_was_said(desk: Console, agent: Visitor) -> None:
    number = proposed(desk, at_once=True)
    bare = with_page(agent, number, "change", transaction_fee="1.00")
    assert bare.status == 400
    assert "say why" in bare.text
    offer = shown(desk, number)["decisions"][-1]["decision"]["proposal"]["settlement"]  # type: ignore[index] # a form
    assert with_page(agent, number, "change", transaction_fee="1.00", reason="half the way was ours").status == 303
    assert later(desk) == 1
    refund = sum(float(offer[part]) for part in ("items", "outbound_shipping", "already_refunded")) - 1
    assert shown(desk, number)["refund"]["amount"] == f"{refund:.2f}"  # type: ignore[index] # a form
    assert "half the way was ours" in agent.ask(f"/cases/{number}").text


@pytest.mark.parametrize(
    "form",
    [
        {"outbound_shipping": "999.00"},
        {"outbound_shipping": "-1"},
        {"outbound_shipping": "x"},
        {"transaction_fee": "1.234"},
    ],
)
def test_a_change_beyond_what_was_paid_is_refused(form: dict[str, str], desk: Console, agent: Visitor) -> None:
    number = proposed(desk)
    assert with_page(agent, number, "change", reason="why not", **form).status == 400


def test_a_corrected_fact_decides_again_and_is_kept(desk: Console, agent: Visitor, tmp_path: Path) -> None:
    number = taken(desk, state="escalated", escalation="other_remedy")
    assert with_page(agent, number, "correct", **{"fact:wants": "refund", "fact:item_used": "no"}).status == 303
    form = shown(desk, number)
    assert form["decisions"][-1]["facts"]["claim"]["wants"] == "refund"  # type: ignore[index] # a form
    (event,) = (event for event in form["history"] if event["event"] == "corrected")  # type: ignore[attr-defined] # a form
    assert event["facts"]["wants"] == ["exchange", "refund"]
    assert form["state"] == "escalated"
    with reading(desk.app.engine) as session:
        (example,) = (one for one in corrections.examples(session) if number in one.name)
        (mail,) = case_views.mails_of(session, cases.get(session, number).id)
        assert example.raw == case_views.raw_of(session, cases.get(session, number).id, mail.id)
    assert example.label["corrected"]["wants"] == ["exchange", "refund"]
    assert (example.label["claim"]["wants"], example.label["claim"]["item_used"]) == ("refund", False)
    assert example.order is not None
    assert parse_booked_order(example.order).order.number == example.label["order_number"]
    corrections.write_examples(tmp_path, [example])
    (scored,) = scoring.score(tmp_path, desk.app.settings)
    assert (scored.label["claim"]["wants"], scored.seen["claim"]["wants"]) == ("refund", "exchange")
    assert "wants exchange, not refund" in scoring.faults([scored])[example.name]


def test_what_is_missing_is_asked_for(desk: Console, agent: Visitor) -> None:
    number = taken(desk, state="escalated", escalation="invoice_mismatched")
    assert with_page(agent, number, "ask", **{"missing:invoice": "yes"}).status == 303
    assert later(desk) == 1
    assert shown(desk, number)["state"] == "waiting_for_information"


def test_a_refund_is_confirmed_by_its_reference(desk: Console, agent: Visitor) -> None:
    number = taken(desk, state="refund_due")
    assert with_page(agent, number, "pay", reference="").status == 400
    assert with_page(agent, number, "pay", reference="PAY-4711").status == 303
    assert later(desk) == 1
    assert shown(desk, number)["refund"]["state"] == "paid"  # type: ignore[index] # a form


def test_a_template_is_offered_where_it_is_true_of_the_case(desk: Console, agent: Visitor) -> None:
    number, other = taken(desk, state="return_approved"), taken(desk, state="declined")
    assert "Please hand the parcel over" in operators.draft(desk.app, number, "return_reminder")
    assert "refund_paid" not in operators.drafts(desk.app, number)
    refused = with_page(agent, other, "reply", template="return_reminder", text="")
    assert refused.status == 400
    assert "does not fit" in refused.text
    assert with_page(agent, other, "reply", template="received", text="").status == 303
    assert later(desk) == 1
    with reading(desk.app.engine) as session:
        letter = case_views.letters_of(session, cases.get(session, other).id)[-1]
    assert "A person will read it and answer you." in letter_parts(letter.content)[1]


def test_returned_goods_are_received(desk: Console, agent: Visitor) -> None:
    number = taken(desk, state="return_approved")
    assert with_page(agent, number, "receive", verdict="accepted").status == 303
    assert later(desk) == 1
    assert shown(desk, number)["state"] == "refund_due"


def test_a_case_is_snoozed_given_away_closed_and_reopened(desk: Console, agent: Visitor) -> None:
    number = taken(desk, state="escalated")
    day = (desk.app.now() + timedelta(days=1)).date().isoformat()
    assert with_page(agent, number, "snooze", until=day).status == 303
    assert number not in agent.ask("/").text
    assert number in agent.ask("/?view=snoozed").text
    assert with_page(agent, number, "assign", to="approver@shop.example").status == 303
    assert number in agent.ask("/?view=mine").text
    assert with_page(agent, number, "close", reason="settled by telephone").status == 303
    assert with_page(agent, number, "reopen", reason="it was not").status == 303
    assert shown(desk, number)["state"] == "reopened"


def test_the_chosen_cases_are_given_to_somebody(desk: Console, agent: Visitor) -> None:
    numbers = [taken(desk, state=state) for state in ("escalated", "waiting_for_information")]
    body = "&".join([f"form_token={agent.form_token()}", "assignee=agent", *(f"case={number}" for number in numbers)])
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": agent.address}
    assert agent.ask("/queue/assign", "POST", headers, body).status == 303
    for number in numbers:
        assert shown(desk, number)["history"][-1]["event"] == "assigned"  # type: ignore[index] # a form


def test_a_preview_shows_the_letter_and_changes_nothing(desk: Console, agent: Visitor) -> None:
    number = taken(desk, state="escalated")
    before = shown(desk, number)
    answer = agent.order(f"/cases/{number}/reply/preview", {"text": "It is <b>on</b> its way."})
    assert answer.status == 200
    (frame,) = read_page(answer.text).all("iframe")
    assert "sandbox" in frame.attributes
    html = agent.ask(frame.attributes["src"])
    assert "It is &lt;b&gt;on&lt;/b&gt; its way." in html.text
    assert html.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert shown(desk, number) == before


def test_a_reply_begins_with_a_template_in_the_case_s_language_and_is_edited(desk: Console, agent: Visitor) -> None:
    number = taken(desk, state="declined")
    with transaction(desk.app.engine) as session:
        cases.get(session, number).language = "de"
    page = read_page(agent.ask(f"/cases/{number}/reply").text)
    (offered,) = page.all("nav", "drafts")
    links = {one.words: one.attributes["href"] for one in offered.all("a")}
    assert {"photographs", "asking the carrier", "received"} <= set(links)
    drafted = read_page(agent.ask(links["photographs"]).text)
    (area,) = drafted.all("textarea")
    assert "- eines vom ganzen Stück," in area.text.splitlines()
    assert "Guten Tag" not in area.text
    (frame,) = drafted.all("iframe")
    assert "<li" in agent.ask(frame.attributes["src"]).text
    text = area.text.replace("Fotos", "guten Fotos") + "\n\n# Übrigens\n\nEs eilt nicht."
    assert with_page(agent, number, "reply", text=text).status == 303
    assert later(desk) == 1
    with reading(desk.app.engine) as session:
        letter = case_views.letters_of(session, cases.get(session, number).id)[-1]
    _, plain, html = letter_parts(letter.content)
    assert "guten Fotos" in plain
    assert "Übrigens\n--------" in plain
    assert "<h2" in html


def test_a_stranger_s_case_offers_no_words_about_an_order(desk: Console) -> None:
    number = taken(desk, state="waiting_for_proof")
    drafts = operators.drafts(desk.app, number)
    assert {"status", "return_reminder", "refund_paid"}.isdisjoint(drafts)
    with reading(desk.app.engine) as session:
        order = cases.get(session, number).order_number
    assert order
    assert all(order not in text for text in drafts.values())


def any_in(desk: Console, state: CaseState) -> str:
    """A case that stands so, whoever has touched it."""
    with reading(desk.app.engine) as session:
        return str(next(case_views.list_cases(session, desk.app.now(), [state]))["case"])


def opened(desk: Console, like: str, **other: object) -> str:
    """Open another case of the same customer, with a mail and a running promise of its own."""
    with transaction(desk.app.engine) as session:
        first, now = cases.get(session, like), desk.app.now()
        wanted = {"subject": "Again", "customer": first.customer, "language": None, "requested_at": now, "now": now}
        case = cases.open_case(session, **(wanted | other))  # type: ignore[arg-type] # by name
        mail = mails.latest_of_case(session, first.id)
        columns = {column.name: getattr(mail, column.name) for column in MailRow.__table__.columns}
        fresh = {"id": None, "uid": 9_000_000 + case.id, "case_id": case.id, "content_key": f"{case.id:064x}"}
        session.add(MailRow(**(columns | fresh)))
        hours = [timedelta(hours=one) for one in (1, 2)]
        promise = Deadline(kind=ClockKind.REPLY, started_at=now, due_at=now + hours[0], limit_at=now + hours[1])
        clocks.start(session, case.id, promise, running=False)
        return cases.number_of(case.id)


def test_two_cases_become_one_with_all_that_is_in_them(desk: Console, agent: Visitor) -> None:
    kept = taken(desk, state="waiting_for_information")
    other = opened(desk, kept)
    with transaction(desk.app.engine) as session:
        leave_to_people(session, cases.get(session, other, lock=True), "low_confidence", desk.app.now())
    before = shown(desk, kept)
    page = read_page(agent.ask(f"/cases/{other}/merge").text)
    assert kept in [one.attributes["value"] for one in page.all("input") if one.attributes.get("name") == "into"]
    preview = agent.order(f"/cases/{other}/merge/preview", {"into": kept})
    assert f"{other} is part of {kept} now: 1 mail, 1 promise" in preview.text
    assert shown(desk, other)["state"] == "escalated"
    assert with_page(agent, other, "merge", into=kept).status == 303
    after, gone = shown(desk, kept), shown(desk, other)
    assert (gone["state"], gone["merged_into"], gone["messages"]) == ("closed", kept, [])
    assert (after["state"], after["escalation"], after["merged"]) == ("escalated", "merged", [other])
    assert len(after["messages"]) == len(before["messages"]) + 1  # type: ignore[arg-type] # a form
    (reply,) = (one for one in after["deadlines"] if one["kind"] == "reply" and one["state"] != "met")  # type: ignore[attr-defined] # a form
    assert datetime.fromisoformat(reply["limit"]) <= desk.app.now() + timedelta(hours=2)
    assert other in {event.get("case") for event in after["history"]}  # type: ignore[attr-defined] # a form
    assert f"part of {kept} now" in read_page(agent.ask(f"/cases/{other}").text).words
    assert agent.order(f"/cases/{other}/reply", {"text": "x"}).status == 400
    with reading(desk.app.engine) as session:
        assert [one for one in check(session) if one.broken] == []


def test_the_command_line_makes_two_cases_one(desk: Console) -> None:
    kept = taken(desk, state="waiting_for_information")
    other = opened(desk, kept)
    assert operators.merge(desk.app, other, "anna", kept) == f"{other} is part of {kept} now: 1 mail, 1 promise"
    with pytest.raises(operators.NotPossibleError, match=f"{other} is part of {kept} now"):
        operators.note(desk.app, other, "anna", "x")


def test_cases_that_do_not_belong_together_stay_apart(desk: Console, agent: Visitor) -> None:
    kept, refund = any_in(desk, CaseState.WAITING_FOR_INFORMATION), any_in(desk, CaseState.REFUND_DUE)
    stranger = opened(desk, kept, customer="somebody.else@example.org")
    for number, into, why in (
        (stranger, kept, "neither of one customer nor of one order"),
        (kept, kept, "they are one case"),
        (kept, "RF-999999", "no case"),
        (refund, opened(desk, refund), "merge the other way round"),
        (opened(desk, refund), refund, "a refund of that one is under way"),
    ):
        answer = agent.order(f"/cases/{number}/merge", {"into": into})
        assert answer.status in {400, 404}
        assert why in answer.text


def found(agent: Visitor, words: str) -> set[str]:
    page = read_page(agent.ask(f"/?view=all&q={quote(words)}").text)
    return {row.attributes["data-href"].rpartition("/")[2] for row in page.all("tr") if "data-href" in row.attributes}


@pytest.mark.parametrize("word", ["clasp", "CLASP", "no-such-word-anywhere"])
def test_a_word_of_a_mail_s_text_finds_its_case(word: str, desk: Console, agent: Visitor) -> None:
    with reading(desk.app.engine) as session:
        said = {
            row.id: [each.reading for each in readings.said_in(session, row.id) or ()] for row in session.query(CaseRow)
        }
    wanted = {
        cases.number_of(case_id)
        for case_id, mails in said.items()
        if any(word.lower() in f"{mail.subject} {mail.body.text}".lower() for mail in mails)
    }
    assert found(agent, word) == wanted
    assert bool(wanted) == (word.lower() == "clasp")


@pytest.mark.parametrize("asked", ["AW-10301", "aw10301", "10301", "fatima.haddad", "fatima PARCEL"])
def test_an_order_a_customer_and_a_subject_are_found_by_their_words(asked: str, agent: Visitor) -> None:
    assert "RF-000016" in found(agent, asked)


@pytest.mark.parametrize("asked", ["\u4ea7\u54c1", "'", "a'b", "%", "\\", "& | !", "a:*", "\u0130"])
def test_signs_of_search_languages_are_signs_like_others(asked: str, agent: Visitor) -> None:
    assert agent.ask(f"/?view=all&q={quote(asked)}").status == 200


def test_who_did_what_stands_in_the_audit(desk: Console, agent: Visitor) -> None:
    number = taken(desk)
    assert agent.ask(f"/cases/{number}").status == 200
    assert with_page(agent, number, "note", text="seen").status == 303
    page = read_page(desk.operator().ask("/audit").text)
    assert "the chain holds" in page.words
    rows = [[cell.words for cell in row.all("td")] for row in page.all("tr")[1:]]
    mine = [row[2] for row in rows if row[3] == number and row[1] == "approver@shop.example"]
    assert mine == ["note", "seen"]
    assert "signed in" in {row[2] for row in rows}


def test_a_common_word_is_looked_for_among_the_newest_and_a_rare_one_everywhere(
    desk: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reading(desk.app.engine) as session:
        everywhere = search.find(session, "example.com")
        assert len(everywhere) > 5
        rare = search.find(session, "fatima.haddad")
        assert 0 < len(rare) < len(everywhere)  # other tests' mails may be among them
        monkeypatch.setattr(search, "NEWEST", 4)
        monkeypatch.setattr(search, "MOST_FOUND", 2)
        assert search.find(session, "example.com") == everywhere[:2]
        assert search.find(session, "fatima.haddad") == rare[:2]
