"""Stories told by the command line alone: verbs, their JSON and their exit codes, as CONTRACT.md names them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from mailbot import bootstrap
from mailbot.cli import main
from mailbot.store import switch
from mailbot.store.tables import CaseRow, MailRow, OutboxRow
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import CANCEL, DEFECT, JANE, QUESTION, a_mail, an_invoice, an_order
from tests.journey.shop import Shop


@pytest.fixture(autouse=True)
def _no_log_file_of_the_command_line_is_left() -> Iterator[None]:
    yield
    structlog.reset_defaults()


class CommandLine:
    """A terminal in front of a shop."""

    def __init__(self, shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self._capsys, self._monkeypatch = shop, capsys, monkeypatch

    def __call__(self, *words: str, code: int = 0) -> str:
        """Run a verb, which must end with that code; gives what it printed."""
        self._monkeypatch.setattr("sys.argv", ["mailbot", *words, "--config", str(self.shop.config)])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = self._capsys.readouterr()
        assert (ended.value.code or 0) == code, printed.err
        if code == 2:
            assert len(printed.err.strip().splitlines()) == 1
        return printed.out

    def json(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        """Run a verb with ``--json``; gives the objects that it printed, one a line."""
        return [json.loads(line) for line in self(*words, "--json", code=code).splitlines()]


@pytest.fixture
def terminal(a_shop: ShopBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Give a terminal in front of a shop whose clock is the real one."""
    return CommandLine(a_shop(starts_at=bootstrap.now()), capsys, monkeypatch)


@pytest.fixture
def cases(terminal: CommandLine) -> CommandLine:
    """Give a terminal in front of a shop with a decided, an escalated and an unanswered case."""
    shop = terminal.shop
    shop.sells(an_order(shop.clock.now), an_order(shop.clock.now, "AW-10002", paid=9, delivered=4))
    shop.answers(
        a_mail(CANCEL, invoice=an_invoice()),
        a_mail(DEFECT.replace("10001", "10002"), invoice=an_invoice("AW-10002")),
        a_mail(QUESTION, sender="b@a.example"),
    )
    return terminal


def test_orders_come_in_from_files_bad_rows_by_their_line(terminal: CommandLine, tmp_path: Path) -> None:
    good = {
        "number": "AW-10009",
        "status": "paid",
        "paid_at": "2026-03-01T10:00:00Z",
        "shipped_at": None,
        "delivered_at": None,
        "currency": "USD",
        "shipping": "6.00",
        "captured": "86.00",
        "refunded": "0.00",
        "payment_method": "paypal",
        "transaction_fee": "3.30",
        "dispute_open": False,
        "customer": {"name": "Jane", "email": JANE},
        "lines": [{"sku": "R", "quantity": 1, "unit_price": "80.00", "discount": "0.00", "tax": "0.00"}],
    }
    file = tmp_path / "orders.jsonl"
    file.write_text("\n".join([json.dumps(good), json.dumps(good | {"number": "AW-10010", "captured": "-1.00"})]))
    (counted,) = terminal.json("orders", "import", str(file), code=2)
    assert (counted["imported"], counted["refused"]) == (1, 1)
    (shown,) = terminal.json("orders", "show", "aw 10009")
    assert (shown["number"], shown["captured"], shown["customer"]["email"]) == ("AW-10009", "86.00", JANE)
    terminal("orders", "show", "AW-10010", code=2)
    terminal("orders", "import", str(tmp_path / "none.csv"), code=2)


def test_the_list_of_cases_has_the_form_of_the_contract(cases: CommandLine) -> None:
    listed = {case["case"]: case for case in cases.json("case", "list")}
    assert sorted(listed) == ["RF-000001", "RF-000002", "RF-000003"]
    first = listed["RF-000001"]
    contract = "case state order_number customer requested_at outcome rule escalation refund deadlines messages"
    assert set(contract.split()) <= set(first)
    assert (first["outcome"], first["rule"], first["escalation"]) == ("approve_cancellation", "cancel", None)
    assert set(first["refund"]) >= {"amount", "currency", "state"}
    assert {deadline["kind"] for deadline in first["deadlines"]} == {"reply", "refund"}
    assert all(set(deadline) == {"kind", "due", "limit", "state"} for deadline in first["deadlines"])
    assert [set(message) for message in first["messages"]] == [{"direction", "message_id", "at", "state"}] * 2
    assert [message["state"] for message in first["messages"]] == ["received", "sent"]
    assert (listed["RF-000002"]["escalation"], listed["RF-000002"]["refund"]) == ("quality_review", None)


def test_operators_work_on_cases_from_a_terminal(cases: CommandLine) -> None:
    assert "RF-000002" in cases("case", "approve", "2", "--as", "ann")
    (shown,) = cases.json("case", "show", "rf-2")
    assert shown["history"][-1]["actor"] == "ann"
    cases("case", "reply", "3", "--as", "ann", "--text", "We are open from nine to five.")
    cases("case", "note", "3", "She was kind.", "--as", "ann")
    cases("case", "close", "3", "--as", "ann", "--reason", "answered")
    states = {case["case"]: case["state"] for case in cases.json("case", "list")}
    assert states["RF-000003"] == "closed"
    for verb in (("show", "99"), ("approve", "3", "--as", "ann"), ("decline", "1", "--as", "ann", "--rule", "none")):
        cases("case", *verb, code=2)
    cases.shop.damaged = cases.shop.damaged or bool(cases.shop.broken())
    assert cases.shop.broken() == []


def test_a_pass_says_what_it_did(terminal: CommandLine) -> None:
    terminal.shop.gets(a_mail(QUESTION))
    (passed,) = terminal.json("poll")
    assert (passed["stored"], passed["handled"], passed["sent"]) == (1, 1, 0)
    assert len(terminal.shop.rows(CaseRow)) == 1


def test_a_server_that_is_not_there_makes_a_pass_fail(terminal: CommandLine) -> None:
    text = terminal.shop.config.read_text().replace(f"port = {terminal.shop.account.port}", "port = 1")
    terminal.shop.config.write_text(text)
    terminal("poll", code=1)


def test_the_database_s_verbs(cases: CommandLine) -> None:
    assert "up to date" in cases("db", "upgrade")
    found = cases.json("db", "check")
    assert {each["invariant"] for each in found} == {f"I{number}" for number in range(1, 15)}
    assert all(set(each) == {"invariant", "what", "checked", "broken"} for each in found)
    assert sum(each["broken"] for each in found) == 0


def test_a_wrong_configuration_is_one_line_and_code_two(terminal: CommandLine) -> None:
    terminal.shop.config.write_text(terminal.shop.config.read_text() + "colour = 'red'\n")
    terminal("case", "list", code=2)


def test_a_restored_backup_stands_still_until_it_is_thawed(cases: CommandLine, tmp_path: Path) -> None:
    shop = cases.shop
    cases("poll")
    copy = tmp_path / "copy.db"
    assert str(copy) in cases("db", "backup", str(copy))
    cases("db", "backup", str(copy), code=2)
    sent = len(shop.rows(OutboxRow))
    shop.sells(an_order(shop.clock.now, "AW-10005"))
    shop.gets(a_mail(CANCEL.replace("10001", "10005"), invoice=an_invoice("AW-10005")))
    cases("poll")  # what the copy does not know
    assert len(shop.rows(OutboxRow)) == sent + 1
    assert shop.look(switch.find_frozen) is None
    shop.app.engine.dispose()
    database = Path(str(shop.app.engine.url.database))
    for rest in ("-wal", "-shm"):
        Path(f"{database}{rest}").unlink(missing_ok=True)
    shutil.copyfile(copy, database)
    cases("poll")
    frozen = shop.look(switch.find_frozen)
    assert frozen is not None
    assert "copy" in frozen.reason
    assert len(shop.rows(OutboxRow)) == sent
    late = [row.held for row in shop.rows(MailRow)][-1]
    assert late == "archive"
    shop.outgoing.wait_for(sent + 1)
    cases("refund", "thaw", "--as", "ann")
    cases("poll")
    assert len(shop.outgoing.received()) == sent + 1


def test_doctor_finds_every_part_of_a_running_shop_well(cases: CommandLine) -> None:
    found = {each["part"]: each for each in cases.json("doctor")}
    for part in ("policy", "templates", "database", "order book", "mailbox support", "smtp", "clock"):
        assert found[part]["state"] == "good", found[part]
    assert found["order book"]["text"].startswith("2 orders")


def test_doctor_ends_with_1_where_the_mailbox_cannot_be_reached(
    cases: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILBOT_MAILBOXES__0__PORT", "1")
    found = {each["part"]: each["state"] for each in cases.json("doctor", code=1)}
    assert (found["mailbox support"], found["database"]) == ("bad", "good")


@pytest.mark.parametrize(
    ("line", "state", "said"),
    [("{} = 2020-01-01", "bad", "has ended on 2020-01-01"), ("{} = 2120-01-01", "good", "none ends soon")],
    ids=["ended", "in a century"],
)
def test_doctor_ends_with_1_where_a_secret_has_ended(cases: CommandLine, line: str, state: str, said: str) -> None:
    name = cases.shop.account.password_file.name
    with cases.shop.config.open("a", encoding="utf-8") as config:
        config.write("\n[secrets.expires]\n" + line.format(f'"{name}"') + "\n")
    (found,) = (each for each in cases.json("doctor", code=int(state == "bad")) if each["part"] == "expiry")
    assert found["state"] == state
    assert said in found["text"]
