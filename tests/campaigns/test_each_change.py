"""The campaigns of RELIABILITY.md at the figures of each change; ``make campaign`` runs them at the nightly ones."""

from pathlib import Path

import pytest

from tests.campaigns import cards, flood, forgery, hostility, injection, loops
from tests.campaigns.outcome import Campaign

SEED = 20260310


@pytest.mark.parametrize(
    ("campaign", "rounds"),
    [
        pytest.param(hostility.run, 300, id="T7 hostile mail"),
        pytest.param(hostility.bombs, 40, id="T11 bombs"),
        pytest.param(forgery.run, 1_000, id="T8 forged senders"),
        pytest.param(loops.run, 60, id="T9 loops"),
        pytest.param(flood.run, 2_000, id="T10 flood"),
        pytest.param(injection.run, 500, id="T14 injection"),
        pytest.param(cards.run, 1_000, id="T16 card numbers"),
    ],
)
def test_a_campaign_finds_nothing(campaign: Campaign, rounds: int, quick_path: Path) -> None:
    outcome = campaign(SEED, rounds, quick_path)
    assert outcome.failures[:5] == [], f"seed {SEED}, {len(outcome.failures)} of {outcome.tried}"
    assert outcome.tried >= rounds


def test_two_mailbots_fall_silent(quick_path: Path) -> None:
    assert 1 <= loops.two_shops(quick_path) <= 5
