"""Each of the three loop guards stops a loop by itself, with the other two out of the way (T9)."""

from pathlib import Path
from random import Random

import pytest

from mailbot import journey
from mailbot.inbound.kind import Sort
from mailbot.model.mail import MailKind
from mailbot.sandbox import examine
from mailbot.steps import acting
from mailbot.store import outbox
from tests.campaigns.desk import message_of, open_desk
from tests.campaigns.loops import MODELS, Model, play

MARKED = [
    model for model in MODELS if model.name.split(":")[0] in {"Auto-Submitted", "Precedence", "List-Id", "bounce"}
]
KNOWING = [model for model in MODELS if model.name.startswith("knows")]
STUBBORN = [model for model in MODELS if model.name.startswith("ignores")]
_NO_END = {True: 10**6, False: 10**6}


def without_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_A_CASE", _NO_END)
    monkeypatch.setattr(outbox, "MOST_AN_ADDRESS", _NO_END)
    monkeypatch.setattr(acting, "_MOST_UNPROVEN_AN_HOUR", 10**6)


def without_inbound_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    person = Sort(kind=MailKind.CUSTOMER, rule=None, no_auto_reply=False, why="a test")
    monkeypatch.setattr(examine, "classify", lambda *_: person)


def answering_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journey, "is_repeated", lambda *_: False)


@pytest.mark.parametrize("model", MARKED, ids=lambda model: model.name)
def test_what_we_know_of_others_marks_is_enough(
    model: Model, quick_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_rates(monkeypatch)
    answering_everything(monkeypatch)
    with open_desk(quick_path) as desk:
        assert 1 <= play(desk, model, Random(9)) <= 5


@pytest.mark.parametrize("model", KNOWING, ids=lambda model: model.name)
def test_our_own_marks_are_enough(model: Model, quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_rates(monkeypatch)
    without_inbound_rules(monkeypatch)
    answering_everything(monkeypatch)
    with open_desk(quick_path) as desk:
        assert play(desk, model, Random(9), nudged=False) == 1


@pytest.mark.parametrize("model", [*STUBBORN, *MARKED[:2]], ids=lambda model: model.name)
def test_the_rates_are_enough(model: Model, quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_inbound_rules(monkeypatch)
    answering_everything(monkeypatch)
    with open_desk(quick_path) as desk:
        assert 1 <= play(desk, model, Random(9), turns=12) <= 10
        to_one: dict[str, int] = {}
        for envelope in desk.sink.taken:
            case = str(message_of(envelope)["Message-ID"]).split(".")[0]
            to_one[case] = to_one.get(case, 0) + 1
        assert max(to_one.values()) <= 5
