"""T4 at each change, 200 shops of 50 steps; ``make campaign ARGS="--only T4"`` runs 5,000 times 100 steps."""

import os
from pathlib import Path

from tests.campaigns import case_machine

SEED = int(os.environ.get("MAILBOT_TEST_SEED", "20261126"))
RUNS, STEPS = map(int, os.environ.get("MAILBOT_TEST_T4", "200x50").split("x"))


def test_whatever_happens_in_whatever_order_the_invariants_hold(tmp_path: Path) -> None:
    outcome = case_machine.run(SEED, RUNS, tmp_path, steps=STEPS)
    assert outcome.failures == []
    assert outcome.tried >= RUNS
    assert outcome.figures["states"] >= 8
