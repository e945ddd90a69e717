"""T2: the command ``mailbot poll`` is killed at any instant while mails come; in small."""

from pathlib import Path

from tests.campaigns.kills import instants

SEED = 20261126


def test_a_command_killed_at_any_instant_loses_nothing_and_answers_nothing_twice(tmp_path: Path) -> None:
    outcome = instants(SEED, 4, tmp_path)
    assert (outcome.failures, outcome.tried) == ([], 4), f"seed {SEED}"
