"""T5 at the figures of each change: connections to real mail servers break, stall and come in pieces."""

from pathlib import Path

import pytest

from mailbot.steps import sending
from tests.campaigns import network
from tests.campaigns.wire import AFTER, DOT, RESET, Fault

SEED = 20260310


def test_no_broken_link_loses_a_mail_or_sends_one_twice(quick_path: Path) -> None:
    outcome = network.run(SEED, 100, quick_path)
    assert outcome.failures == [], f"seed {SEED}"
    assert outcome.tried >= 100
    assert min(outcome.figures[deed] for deed in ("reset", "close", "stall", "pieces", "cut_after_dot")) > 0


def test_the_campaign_notices_that_doubt_is_taken_for_a_no(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the state of doubt a letter that was taken each time is sent again and again."""
    taken_untold = Fault(point=DOT, side=AFTER, deed=RESET)
    monkeypatch.setattr(network._Net, "fate", lambda _net, points: taken_untold if points else None)
    assert network.run(SEED, 8, quick_path / "guarded").failures == []
    monkeypatch.setattr(sending, "_record_ambiguous", sending._record_retry)
    assert any("came 3 times" in found for found in network.run(SEED, 8, quick_path / "unguarded").failures)
