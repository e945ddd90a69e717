"""Stories of senders who have not proved who they are: what they are told, and how a code proves them."""

import re
from datetime import timedelta

from mailbot.store.tables import OutboxRow, ProofRow
from tests.journey.mails import CANCEL, JANE, MALLORY, RETURN, RETURN_WITHOUT_INVOICE, a_mail, an_invoice, an_order
from tests.journey.shop import Letter, Shop

_CODE = re.compile(r"^ *([A-Z2-9]{4}-[A-Z2-9]{4})$", re.MULTILINE)


def code_in(letter: Letter) -> str:
    """The code of a verification mail."""
    codes = _CODE.findall(letter.text)
    assert len(codes) == 1
    return str(codes[0])


def unlike(code: str, by: int) -> str:
    """Another code."""
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return alphabet[(alphabet.index(code[0]) + by) % len(alphabet)] + code[1:]


def asked_for_proof(shop: Shop) -> Letter:
    """Let Jane write from her own address, which her server vouches for by nothing, and be asked whether it was she."""
    shop.sells(an_order(shop.clock.now))
    return shop.answers(a_mail(CANCEL, dmarc="none", invoice=an_invoice()))[0]


def test_unproven_senders_get_the_same_words_whatever_is_the_matter(shop_anywhere: Shop) -> None:
    shop = shop_anywhere
    shop.sells(an_order(shop.clock.now))
    strangers = {
        "order_unknown": a_mail(
            CANCEL.replace("10001", "77777"), sender="a@elsewhere.example", invoice=an_invoice("AW-77777")
        ),
        "evidence_missing": a_mail(RETURN_WITHOUT_INVOICE, sender="b@elsewhere.example", subject="Your ring"),
        "sender_unproven": a_mail(CANCEL, sender="c@elsewhere.example", invoice=an_invoice(), dmarc="none"),
        "no number": a_mail("I want a refund for my ring.", sender="d@elsewhere.example", subject="AW-10001?"),
    }
    letters = shop.answers(*strangers.values())
    generic = [letter for letter in letters if letter.to != JANE]
    assert sorted(letter.to for letter in generic) == [f"{name}@elsewhere.example" for name in "abcd"]
    assert len({(letter.subject, letter.text, letter.html) for letter in generic}) == 1
    assert "AW-" not in generic[0].subject + generic[0].text + generic[0].html
    assert sorted(case["rule"] for case in shop.cases()) == [
        *("evidence_missing", "evidence_missing", "order_unknown", "sender_unproven"),
    ]
    asked = [letter for letter in letters if letter.to == JANE]
    assert [row.recipient for row in shop.rows(OutboxRow) if row.template == "verification"] == [JANE]
    assert len(asked) == 1


def test_letters_to_the_unproven_hold_nothing_of_the_mail_or_the_order(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    mail = a_mail(
        CANCEL.replace("Jane", "Zebedee"),
        sender=f'"Zebedee" <{MALLORY}>',
        subject="Zebedee AW-10001",
        invoice=an_invoice(),
    )
    letters = {letter.to: letter for letter in shop.answers(mail)}
    assert set(letters) == {MALLORY, JANE}
    for letter in letters.values():
        whole = letter.subject + letter.text + letter.html
        assert not any(word in whole for word in ("Zebedee", "10001", "Jane Doe", "86", "80.00", "RF-0", "elsewhere"))
    assert JANE not in letters[MALLORY].text
    assert letters[JANE].message["In-Reply-To"] is letters[JANE].message["References"] is None


WORDINGS = (
    "{code}",
    "The code: {code}",
    "Here is the code {code}",
    "{code}.",
    "code {plain}",
    "{lower}",
    "Yes!\n\n{code}\n\nJane",
    "> {code} is the code",
)


def test_a_code_in_the_new_text_proves_the_sender_however_it_is_worded(shop: Shop) -> None:
    proven = {}
    for at, wording in enumerate(WORDINGS, 10001):
        number, customer = f"AW-{at}", f"customer{at}@example.org"
        shop.sells(an_order(shop.clock.now, number, customer=customer))
        mail = a_mail(CANCEL.replace("AW-10001", number), sender=customer, dmarc="none", invoice=an_invoice(number))
        asked = shop.answers(mail)[0]
        code = code_in(asked)
        text = wording.format(code=code, plain=code.replace("-", ""), lower=code.lower())
        answer = a_mail(text, sender=customer, dmarc="none", answers=asked.message_id, subject="Re: Please confirm")
        proven[wording] = [letter.to for letter in shop.answers(answer)] == [customer]
    assert proven == {wording: not wording.startswith(">") for wording in WORDINGS}


def test_a_proven_sender_s_full_reply_goes_to_the_order_s_address(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    letters = {
        letter.to: letter for letter in shop.answers(a_mail(CANCEL, sender="jane@work.example", invoice=an_invoice()))
    }
    assert shop.case()["state"] == "waiting_for_proof"
    shop.clock.forward(hours=2)
    answer = a_mail(code_in(letters[JANE]), sender="jane@work.example", answers=letters[JANE].message_id)
    letter = shop.answers(answer)[0]
    assert letter.to == JANE
    assert "$82.70" in letter.text
    case = shop.case()
    assert (case["state"], case["sender_grade"], case["refund"]["amount"]) == ("refund_due", "V3", "82.70")
    assert case["decisions"][-1]["sender_why"] == "proved by the mail to the order's address"


def test_a_quoted_code_proves_nothing(shop: Shop) -> None:
    asked = asked_for_proof(shop)
    text = "I do not understand this. What do you want?\n\nOn Tue, Aurelia & Wren wrote:\n" + "\n".join(
        f"> {line}" for line in asked.text.splitlines()
    )
    assert shop.answers(a_mail(text, dmarc="none", answers=asked.message_id)) == []
    case = shop.case()
    assert (case["state"], case["sender_grade"], case["refund"]) == ("escalated", "V1", None)
    assert [row.used_at for row in shop.rows(ProofRow)] == [None]


def test_a_right_code_after_a_wrong_one_still_proves(shop: Shop) -> None:
    asked = asked_for_proof(shop)
    code = code_in(asked)
    shop.answers(a_mail(unlike(code, 1), dmarc="none", answers=asked.message_id))
    shop.clock.forward(minutes=5)
    letters = shop.answers(a_mail(f"Sorry, a typing mistake: {code}", dmarc="none", answers=asked.message_id))
    assert [letter.to for letter in letters] == [JANE]
    assert (shop.case()["state"], shop.case()["sender_grade"]) == ("refund_due", "V3")


def test_after_five_wrong_codes_the_right_one_is_worth_nothing(shop: Shop) -> None:
    asked = asked_for_proof(shop)
    code = code_in(asked)
    for attempt in range(1, 6):
        assert shop.answers(a_mail(unlike(code, attempt), dmarc="none", answers=asked.message_id)) == []
    assert [row.tries for row in shop.rows(ProofRow)] == [5]
    assert shop.answers(a_mail(code, dmarc="none", answers=asked.message_id)) == []
    assert [row.used_at for row in shop.rows(ProofRow)] == [None]
    assert (shop.case()["state"], shop.case()["refund"]) == ("escalated", None)


def test_several_guesses_in_one_mail_are_one_try_and_no_more_than_five_guesses(shop: Shop) -> None:
    asked = asked_for_proof(shop)
    code = code_in(asked)
    guesses = [unlike(code, by) for by in range(1, 6)]
    assert shop.answers(a_mail("\n".join([*guesses, code]), dmarc="none", answers=asked.message_id)) == []
    assert [(row.tries, row.used_at) for row in shop.rows(ProofRow)] == [(1, None)]


def test_an_answer_without_a_code_is_no_wrong_try(shop: Shop) -> None:
    asked = asked_for_proof(shop)
    text = "Hello, yes that was me, I have attached everything already. Which number do you need, please?"
    shop.answers(a_mail(text, dmarc="none", answers=asked.message_id))
    assert [row.tries for row in shop.rows(ProofRow)] == [0]


def test_words_before_the_code_do_not_hide_it(shop: Shop) -> None:
    asked = asked_for_proof(shop)
    text = (
        "Hello, the customer is really me, and I have attached the original invoice yesterday. Somebody else might "
        f"have told your business partners already. My personal code from your message is {code_in(asked)}. Thank you."
    )
    shop.answers(a_mail(text, dmarc="none", answers=asked.message_id))
    assert (shop.case()["state"], shop.case()["sender_grade"]) == ("refund_due", "V3")


def test_a_code_is_worth_nothing_after_72_hours(shop: Shop) -> None:
    asked = asked_for_proof(shop)
    shop.clock.forward(hours=72)
    assert shop.answers(a_mail(code_in(asked), dmarc="none", answers=asked.message_id)) == []
    assert (shop.case()["state"], shop.case()["sender_grade"]) == ("escalated", "V1")


def test_a_code_is_used_once_and_only_for_its_own_case(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now), an_order(shop.clock.now, "AW-10002"))
    one = a_mail(CANCEL, dmarc="none", invoice=an_invoice())
    other = a_mail(CANCEL.replace("10001", "10002"), dmarc="none", invoice=an_invoice("AW-10002"))
    first = shop.answers(one)[0]
    second = shop.answers(other)[0]
    crossed = a_mail(code_in(first), dmarc="none", answers=second.message_id)
    assert shop.answers(crossed) == []
    assert [case["refund"] for case in shop.cases()] == [None, None]


def test_an_order_s_address_is_asked_once_a_day_and_three_times_in_all(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=1))
    asked = []
    for hours in (0, 1, 23, 25, 49, 73, 97, 200):
        shop.clock.now = shop.clock.now.replace(day=10, hour=15) + timedelta(hours=hours)
        stranger = a_mail(CANCEL, sender=f"m{hours}@elsewhere.example", invoice=an_invoice(), subject=f"{hours}")
        if JANE in [letter.to for letter in shop.answers(stranger)]:
            asked.append(hours)
    assert asked == [0, 25, 49]


def test_a_third_person_who_names_our_letter_learns_nothing(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=9, delivered=4))
    question = shop.answers(a_mail(RETURN_WITHOUT_INVOICE))[0]
    shop.clock.forward(hours=1)
    spy = a_mail("What is the state of this?", sender=MALLORY, answers=question.message_id, invoice=an_invoice())
    assert shop.answers(spy) == []
    case = shop.case()
    assert (case["state"], case["escalation"], case["customer"]) == ("escalated", "third_party", JANE)
    assert [event["event"] for event in case["history"]][-2:] == ["third_party_wrote", "escalated"]
    assert case["decisions"][-1]["facts"]["evidence"]["invoice"] == "absent"
    assert shop.clock_of("reply")["state"] == "open"


def test_who_asks_in_another_s_name_is_not_confirmed_by_an_answer_without_the_code(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    letters = {letter.to: letter for letter in shop.answers(a_mail(CANCEL, sender=MALLORY, invoice=an_invoice()))}
    shop.clock.forward(hours=1)
    answer = a_mail("I did not write this! Who are you?", answers=letters[JANE].message_id)
    assert shop.answers(answer) == []
    case = shop.case()
    assert (case["state"], case["refund"]) == ("escalated", None)


def test_words_of_a_forger_are_not_taken_for_the_customer_s_own(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=9, delivered=4))
    forged = "I would like to return my order AW-10001 for a refund. I have worn it and threw away the original box."
    shop.answers(a_mail(forged, dmarc="fail", invoice=an_invoice()))
    shop.clock.forward(hours=1)
    shop.answers(a_mail("I would like to return my order AW-10001. I changed my mind.", invoice=an_invoice()))
    assert not {"used_or_altered", "no_original_box"} & {case["rule"] for case in shop.cases()}


def test_a_forger_cannot_join_a_proven_customer_s_case(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=9, delivered=4))
    question = shop.answers(a_mail(RETURN_WITHOUT_INVOICE))[0]
    shop.clock.forward(hours=1)
    forged = a_mail("I have worn it.", dmarc="fail", answers=question.message_id, invoice=an_invoice())
    assert shop.answers(forged) == []
    assert (shop.case()["state"], shop.case()["escalation"]) == ("escalated", "third_party")
    assert shop.case()["decisions"][-1]["facts"]["claim"]["item_used"] is not True


def test_a_code_vouches_for_what_was_written_before_it_and_for_nothing_after(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=9, delivered=4))
    asked = shop.answers(a_mail(RETURN_WITHOUT_INVOICE, dmarc="none"))[0]
    question = shop.answers(a_mail(code_in(asked), dmarc="none", answers=asked.message_id))[0]
    assert (shop.case()["state"], shop.case()["sender_grade"]) == ("waiting_for_information", "V3")
    shop.clock.forward(hours=1)
    unproven = a_mail("The invoice.", dmarc="none", answers=question.message_id, invoice=an_invoice())
    assert shop.answers(unproven) == []
    assert (shop.case()["state"], shop.case()["escalation"]) == ("escalated", "third_party")


def test_the_request_time_of_a_forger_is_not_the_customer_s(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now, paid=12, delivered=6))
    shop.answers(a_mail(RETURN_WITHOUT_INVOICE, dmarc="fail"))
    shop.clock.forward(days=3)
    shop.answers(a_mail(RETURN, invoice=an_invoice()))
    assert "return_window_passed" in [case["rule"] for case in shop.cases()]
