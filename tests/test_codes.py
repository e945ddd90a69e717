"""Each outcome and code that mailbot may give is named by a test; one that is new and that no test knows fails here."""

import ast
import re
from enum import StrEnum
from pathlib import Path

import pytest

import mailbot
from mailbot.model import case, decision, facts, mail, reading, refund
from mailbot.store import desk_tables, dot_journal, tables

_HERE = Path(__file__)
_STEPS = Path(mailbot.__file__).parent / "steps"
_CODES: tuple[type[StrEnum], ...] = (
    *(case.CaseState, case.ClockKind, case.ClockLevel, case.DeadlineState),
    *(mail.MailKind, mail.Verdict, mail.SenderGrade),
    *(reading.Topic, reading.FollowUp, reading.InvoiceSource),
    *(facts.Reason, facts.InvoiceStatus, facts.SenderStatus),
    *(decision.Outcome, refund.RefundState),
    *(tables.MailState, tables.OutboxState, desk_tables.WebhookCallState, dot_journal.Progress),
)

NEVER_REACHED = "not_answered"
"""Stands for a decision that escalates and does not say why; the policy's own rows always do."""


@pytest.fixture(scope="module")
def tests_text() -> str:
    """Give the text of every test but this one, and of the tables beside them."""
    files = [path for kind in ("*.py", "*.toml") for path in sorted(_HERE.parent.rglob(kind)) if path != _HERE]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def _why_people_get_it() -> set[str]:
    """The values of the steps' constants: why a case goes to a person."""
    found = set()
    for path in _STEPS.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                value = node.value.value
                if isinstance(value, str) and re.fullmatch(r"[a-z_]{3,}", value):
                    found.add(value)
    return found


@pytest.mark.parametrize("codes", _CODES, ids=lambda codes: codes.__name__)
def test_every_code_is_named_by_a_test(codes: type[StrEnum], tests_text: str) -> None:
    named = (rf"\b{codes.__name__}\.{each.name}\b|[\"']{re.escape(each.value)}[\"']" for each in codes)
    missing = [each.name for each, name in zip(codes, named, strict=True) if not re.search(name, tests_text)]
    assert missing == []


def test_every_reason_why_people_get_a_case_is_named_by_a_test(tests_text: str) -> None:
    reasons = _why_people_get_it()
    assert len(reasons) > 20
    unnamed = {each for each in reasons if not re.search(rf"[\"']{each}[\"']", tests_text)}
    assert unnamed == {NEVER_REACHED}
