"""A case's life: what may follow what, and how a promise stands at a given moment."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import product

import pytest

from mailbot.model.case import (
    TRANSITIONS,
    CaseState,
    ClockKind,
    Deadline,
    DeadlineState,
    IllegalTransitionError,
    next_state,
)

OPEN = (CaseState.NEW, CaseState.WAITING_FOR_INFORMATION, CaseState.WAITING_FOR_PROOF, CaseState.ESCALATED)
DECIDED = (CaseState.RETURN_APPROVED, CaseState.REFUND_DUE, CaseState.DECLINED)
START = datetime(2026, 3, 10, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("state", "to"), list(product(CaseState, CaseState)))
def test_a_case_goes_where_its_state_leads_and_nowhere_else(state: CaseState, to: CaseState) -> None:
    if to is state or to in TRANSITIONS[state]:
        assert next_state("RF-000123", state, to) is to
        return
    with pytest.raises(IllegalTransitionError, match=f"RF-000123 is {state} and cannot become {to}") as refused:
        next_state("RF-000123", state, to)
    assert (refused.value.number, refused.value.state, refused.value.to) == ("RF-000123", state, to)


def test_every_state_says_what_may_follow() -> None:
    assert set(TRANSITIONS) == set(CaseState)


@pytest.mark.parametrize("state", [state for state in CaseState if state is not CaseState.NEW], ids=str)
def test_no_case_becomes_new_again(state: CaseState) -> None:
    assert CaseState.NEW not in TRANSITIONS[state]


@pytest.mark.parametrize("state", OPEN, ids=str)
def test_an_undecided_case_may_be_decided_in_every_way(state: CaseState) -> None:
    assert TRANSITIONS[state] >= {*DECIDED, CaseState.CLOSED}


@pytest.mark.parametrize("state", [*DECIDED, CaseState.CLOSED], ids=str)
def test_only_a_person_opens_a_decided_case_again(state: CaseState) -> None:
    assert TRANSITIONS[state] <= {CaseState.ESCALATED, CaseState.CLOSED}
    assert CaseState.ESCALATED in TRANSITIONS[state]


@pytest.mark.parametrize("state", [*OPEN, *DECIDED], ids=str)
def test_every_case_can_be_given_to_a_person_and_closed(state: CaseState) -> None:
    assert TRANSITIONS[state] | {state} >= {CaseState.ESCALATED, CaseState.CLOSED}


def _deadline(met_at: datetime | None = None) -> Deadline:
    return Deadline(
        kind=ClockKind.REPLY,
        started_at=START,
        due_at=START + timedelta(hours=24),
        limit_at=START + timedelta(hours=48),
        met_at=met_at,
    )


@pytest.mark.parametrize(
    ("after", "state"),
    [
        pytest.param(timedelta(0), DeadlineState.OPEN, id="at once"),
        pytest.param(timedelta(hours=24) - SECOND, DeadlineState.OPEN, id="a second before it is due"),
        pytest.param(timedelta(hours=24) + SECOND, DeadlineState.DUE_SOON, id="a second after it was due"),
        pytest.param(timedelta(hours=48) - SECOND, DeadlineState.DUE_SOON, id="a second before the limit"),
        pytest.param(timedelta(hours=48) + SECOND, DeadlineState.BREACHED, id="a second past the limit"),
        pytest.param(timedelta(days=400), DeadlineState.BREACHED, id="long past"),
        pytest.param(-timedelta(days=1), DeadlineState.OPEN, id="the clock was put back"),
    ],
)
def test_an_open_promise_is_due_soon_past_its_due_time_and_breached_past_its_limit(
    after: timedelta, state: DeadlineState
) -> None:
    assert _deadline().state(START + after) is state
    assert _deadline().state((START + after).astimezone(timezone(timedelta(hours=13)))) is state


@pytest.mark.parametrize("after", [timedelta(0), timedelta(hours=30), timedelta(days=400)], ids=str)
def test_a_promise_that_was_kept_stays_kept(after: timedelta) -> None:
    assert _deadline(met_at=START + timedelta(hours=20)).state(START + after) is DeadlineState.MET
