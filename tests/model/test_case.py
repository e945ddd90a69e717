"""A case's life: what may follow what, and how a promise stands at a given moment."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from pathlib import Path

import pytest

from mailbot.model.case import (
    TRANSITIONS,
    CaseState,
    ClockKind,
    Deadline,
    DeadlineState,
    IllegalTransitionError,
    draw_transitions,
    next_state,
)

OPEN = (CaseState.NEW, CaseState.WAITING_FOR_INFORMATION, CaseState.WAITING_FOR_PROOF, CaseState.ESCALATED)
DECIDED = (CaseState.RETURN_APPROVED, CaseState.REFUND_DUE, CaseState.DECLINED)
DIAGRAM = Path(__file__).parents[2] / "docs" / "case-life.md"
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


@pytest.mark.parametrize("state", [state for state in CaseState if state not in OPEN], ids=str)
def test_what_was_decided_is_decided_anew_by_a_person_only(state: CaseState) -> None:
    if state is not CaseState.REOPENED:
        assert TRANSITIONS[state].isdisjoint({CaseState.WAITING_FOR_INFORMATION, CaseState.WAITING_FOR_PROOF})
        assert CaseState.RETURN_APPROVED not in TRANSITIONS[state]
    assert CaseState.ESCALATED in TRANSITIONS[state] or state is CaseState.CLOSED


@pytest.mark.parametrize("state", [state for state in CaseState if state is not CaseState.CLOSED], ids=str)
def test_every_case_can_be_given_to_a_person_and_closed(state: CaseState) -> None:
    assert TRANSITIONS[state] | {state} >= {CaseState.ESCALATED, CaseState.CLOSED}


def test_a_closed_case_is_opened_again_before_anything_else_happens_to_it() -> None:
    assert TRANSITIONS[CaseState.CLOSED] == {CaseState.REOPENED}


@pytest.mark.parametrize("state", list(CaseState), ids=str)
def test_money_is_due_before_it_is_refunded_and_goods_come_before_they_are_inspected(state: CaseState) -> None:
    if CaseState.REFUNDED in TRANSITIONS[state]:
        assert state in {CaseState.REFUND_DUE, CaseState.ESCALATED, CaseState.REOPENED}
    if CaseState.EXPIRED in TRANSITIONS[state]:
        assert state in {CaseState.RETURN_APPROVED, CaseState.ESCALATED, CaseState.REOPENED}


def test_the_documents_show_the_life_that_the_code_keeps() -> None:
    assert f"```mermaid\n{draw_transitions()}\n```" in DIAGRAM.read_text(encoding="utf-8")


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
