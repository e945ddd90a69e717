"""What each mode does without a person, from the first mail to the last letter."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from mailbot import operators
from mailbot.cli.main import command
from mailbot.store.privacy import OpenCaseError
from mailbot.store.tables import Base, OutboxRow, RefundRow
from mailbot.store.transaction import reading
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import CANCEL, JANE, RETURN, a_mail, an_invoice, an_order
from tests.journey.shop import Shop


@pytest.fixture(autouse=True)
def _no_log_file_of_the_command_line_is_left() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def asks(shop: Shop, text: str, **order: Any) -> None:
    shop.sells(an_order(shop.clock.now, **order))
    assert shop.answers(a_mail(text, invoice=an_invoice())) == []


def test_a_draft_moves_money_and_mail_only_with_a_person_s_yes(a_shop: ShopBuilder) -> None:
    shop = a_shop(mode="draft")
    asks(shop, CANCEL)
    assert (shop.case()["state"], shop.case()["escalation"], shop.rows(RefundRow)) == ("escalated", "draft", [])
    operators.approve(shop.app, "1", "mia")
    shop.poll()
    assert "We have accepted the cancellation" in shop.letter().text
    assert [(row.state, row.approved_by) for row in shop.rows(RefundRow)] == [("due", "mia")]


def test_a_draft_answer_to_a_later_mail_waits_and_decides_nothing_again(a_shop: ShopBuilder) -> None:
    shop = a_shop(mode="draft")
    asks(shop, CANCEL)
    operators.approve(shop.app, "1", "mia")
    shop.poll()
    letter = shop.letter()
    shop.clock.forward(hours=1)
    assert shop.answers(a_mail("Where is my refund?", answers=letter.message_id)) == []
    assert shop.clock_of("reply")["state"] == "open"
    operators.approve(shop.app, "1", "mia")
    shop.poll()
    assert "Your refund of $82.70 is approved." in shop.letter().text
    assert len(shop.rows(RefundRow)) == 1


def test_a_draft_withdrawal_is_a_person_s(a_shop: ShopBuilder) -> None:
    shop = a_shop(mode="draft")
    asks(shop, RETURN, paid=9, delivered=4)
    operators.approve(shop.app, "1", "mia")
    shop.poll()
    shop.answers(a_mail("Never mind, I have decided to keep it.", answers=shop.letter().message_id))
    assert shop.case()["state"] == "escalated"


@pytest.mark.parametrize("text", [CANCEL, RETURN], ids=["a cancellation", "a return"])
def test_off_reads_and_decides_and_writes_to_nobody(text: str, a_shop: ShopBuilder) -> None:
    shop = a_shop(mode="off")
    order = {} if text == CANCEL else {"paid": 9, "delivered": 4}
    asks(shop, text, **order)
    case = shop.case()
    assert (case["state"], case["escalation"]) == ("escalated", "off")
    assert case["decisions"][0]["decision"]["outcome"] in {"approve_cancellation", "approve_return"}
    shop.clock.forward(days=20)
    shop.poll()
    assert (shop.letters(), shop.rows(OutboxRow), shop.rows(RefundRow)) == ([], [], [])


def told(shop: Shop, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """What a verb prints as JSON."""
    capsys.readouterr()
    command(["--config", str(shop.config), *words, "--json"], standalone_mode=False)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_verbs_of_the_contract_say_how_a_refund_goes(
    a_shop: ShopBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = a_shop()
    shop.sells(an_order(shop.clock.now))
    shop.answers(a_mail(CANCEL, invoice=an_invoice()))
    due = told(shop, capsys, "refund", "list")
    assert [(row["case"], row["amount"], row["currency"], row["state"]) for row in due] == [
        ("RF-000001", "82.70", "USD", "due")
    ]
    (payment,) = told(shop, capsys, "refund", "pay", "--as", "mia")
    assert (payment["order_number"], payment["amount"], payment["key"]) == ("AW-10001", "82.70", due[0]["key"])
    command(["--config", str(shop.config), "refund", "confirm", "RF-1", "--reference", "5TX"], standalone_mode=False)
    assert told(shop, capsys, "refund", "list") == []
    (case,) = told(shop, capsys, "case", "list")
    assert (case["state"], case["refund"]["state"]) == ("refunded", "paid")
    (figures,) = told(shop, capsys, "stats")
    assert (figures["cases"], figures["frozen"]) == ({"refunded": 1}, None)
    assert figures["refunds"] == [{"state": "paid", "count": 1, "amount": "82.70", "currency": "USD"}]
    assert figures["next_24_hours"]["due"] == 0


def test_erasing_keeps_what_was_decided_and_paid_and_nothing_of_the_person(
    a_shop: ShopBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = a_shop()
    shop.sells(an_order(shop.clock.now))
    shop.answers(a_mail(CANCEL, invoice=an_invoice(), subject="Jane Doe's ring"))
    held = export(shop, capsys)
    assert (len(held["mails"]), len(held["letters"]), len(held["cases"]), len(held["orders"])) == (1, 1, 1, 1)
    with pytest.raises(OpenCaseError, match="still open: RF-000001"):
        command(["--config", str(shop.config), "privacy", "erase", JANE], standalone_mode=False)
    operators.hold_refund(shop.app, "1", "mia", "Jane Doe called and is not sure")
    operators.release_refund(shop.app, "1", "mia")
    operators.confirm_refund(shop.app, "1", "mia", "5TX")
    shop.poll()
    for _ in range(2):
        operators.close(shop.app, "1", "mia", "Jane Doe is content")
        operators.reopen(shop.app, "1", "mia", "Jane Doe called again")
    operators.close(shop.app, "1", "mia", "Jane Doe is content")
    assert [event["note"] for event in shop.case()["history"] if event["event"] == "closed"] == [
        "Jane Doe is content"
    ] * 3
    assert "Jane Doe called" in dump(shop)
    (gone,) = told(shop, capsys, "privacy", "erase", JANE)
    assert gone["known_as"].endswith("@erased.invalid")
    after = export(shop, capsys)
    assert (after["mails"], after["letters"], after["cases"], after["orders"]) == ([], [], [], [])
    case = shop.case()
    assert (case["customer"], case["subject"], case["refund"]["state"]) == (gone["known_as"], "", "paid")
    assert case["decisions"][0]["decision"]["outcome"] == "approve_cancellation"
    assert JANE not in dump(shop)
    assert "Jane Doe" not in dump(shop)
    assert shop.broken() == []


def dump(shop: Shop) -> str:
    """Everything that the tables hold, as text."""
    with reading(shop.app.engine) as session:
        rows = [row for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
    return "\n".join(str(tuple(row)) for row in rows)


def export(shop: Shop, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What is held of Jane."""
    capsys.readouterr()
    command(["--config", str(shop.config), "privacy", "export", JANE], standalone_mode=False)
    form: dict[str, Any] = json.loads(capsys.readouterr().out)
    return form
