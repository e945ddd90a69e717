"""T15 at the figures of each change: the database fails at any write, on SQLite and on PostgreSQL."""

from pathlib import Path

import pytest

from mailbot.steps import adopting
from tests.campaigns import database_faults, restoring

SEED = 20260310
LETTERS_WAITED = 5
"""A seed by which letters wait to be sent while the backup is made, and go out afterwards."""


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_failing_database_loses_nothing_and_answers_nothing_twice(quick_path: Path, database: str) -> None:
    outcome = database_faults.run(SEED, 10, quick_path, database)
    assert (outcome.failures, outcome.tried) == ([], 10), f"seed {SEED}"
    assert outcome.figures["errors"] >= 10
    assert [kind for kind, times in outcome.figures.items() if not times] == []


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_restored_backup_pays_and_answers_nothing_again(quick_path: Path, database: str) -> None:
    outcome = restoring.run(LETTERS_WAITED, 1, quick_path, database)
    assert (outcome.failures, outcome.tried) == ([], 1), f"seed {LETTERS_WAITED}"


def test_the_campaign_notices_that_sent_letters_are_not_looked_for(
    quick_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopting, "_sent_since", lambda *_: set())
    found = restoring.run(LETTERS_WAITED, 1, quick_path).failures
    assert any("were not found there" in each for each in found)
    assert any("was sent 2 times" in each for each in found)
