"""Every sample mail, by IMAP in and by SMTP out, comes to what ``expected.toml`` says."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailbot.demo.outcome import Became, as_table, read_outcomes, totals
from mailbot.demo.run import demo_app, fill_inbox, work_off
from mailbot.logs import set_up_logs
from mailbot.model.money import Money
from mailbot.model.refund import PROMISED
from mailbot.ports import Envelope
from mailbot.store import refunds
from mailbot.store.transaction import reading

EXPECTED: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("expected.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """What a whole run left behind."""

    failed: tuple[str, ...]
    outcomes: dict[str, Became]
    due: list[Money]
    sent: list[Envelope]


@pytest.fixture(scope="module")
def worked() -> Iterator[Worked]:
    """Work the sample inbox off once, for all tests of this file."""
    set_up_logs(verbose=False)
    with demo_app("127.0.0.1:0") as (app, servers):
        samples = fill_inbox(app, servers)
        failed = work_off(app)
        with reading(app.engine) as session:
            outcomes = read_outcomes(session, samples)
            yield Worked(
                failed=failed,
                outcomes={became.sample.name: became for became in outcomes},
                due=[refunds.amount_of(row) for row, _ in refunds.all_in(session, PROMISED)],
                sent=list(servers.sent),
            )


def test_nothing_failed_and_every_mail_was_worked_on(worked: Worked) -> None:
    assert worked.failed == ()
    assert worked.outcomes.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_comes_to_what_it_must(name: str, worked: Worked) -> None:
    became = worked.outcomes[name]
    assert {
        "kind": became.kind,
        "order": became.order_number,
        "decision": became.decision,
        "sent": [f"{letter.template} -> {letter.recipient}" for letter in became.letters],
    } == {"kind": None, "order": None} | EXPECTED[name]


def test_what_was_sent_is_what_the_server_took(worked: Worked) -> None:
    letters = [letter for became in worked.outcomes.values() for letter in became.letters]
    assert {letter.state for letter in letters} == {"sent"}
    assert sorted(sent.recipient for sent in worked.sent) == sorted(letter.recipient for letter in letters)


def test_one_refund_is_due(worked: Worked) -> None:
    assert worked.due == [Money.parse("67.07", "USD")]


def test_a_hidden_instruction_reaches_no_letter(worked: Worked) -> None:
    assert not any(b"4,999" in sent.data for sent in worked.sent)


def test_the_table_has_a_line_a_mail_and_the_totals_count_them(worked: Worked) -> None:
    outcomes = list(worked.outcomes.values())
    lines = as_table(outcomes).splitlines()
    assert [line.split()[0] for line in lines[1:]] == [name.removesuffix(".eml") for name in EXPECTED]
    assert lines[1].split()[-3:] == ["cancellation_approved", "->", "priya.nair@example.com"]
    assert totals(outcomes, worked.due).startswith("35 mails: 31 customer, ")
    assert totals(outcomes, worked.due).endswith("refunds due now: 67.07 USD")
