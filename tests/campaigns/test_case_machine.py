"""T4 in every run: a part of 200 runs of 50 steps; MAILBOT_TEST_T4=200x50 for all of them, 5000x100 for the night."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.campaigns.case_machine import CaseMachine, close_shop

RUNS, STEPS = map(int, os.environ.get("MAILBOT_TEST_T4", "20x50").split("x"))


@pytest.fixture(autouse=True)
def _shop_is_closed() -> Iterator[None]:
    yield
    close_shop()


def test_whatever_happens_in_whatever_order_the_invariants_hold() -> None:
    run_state_machine_as_test(
        CaseMachine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
