"""What a decision says beside itself: which questions led to it, and which letters tell the customer."""

from collections.abc import Callable
from random import Random
from types import ModuleType
from typing import Any

import pytest

from mailbot.model.forms import parse_facts, trace_form
from mailbot.policy.decide import Answered, NoRowMatchesError, decide
from mailbot.policy.table import Policy, parse_policy

Build = Callable[..., dict[str, Any]]


def _answer(policy: Policy, form: dict[str, Any]) -> Answered:
    return decide(parse_facts(form), policy)


def test_each_row_before_the_one_that_answers_was_given_up_at_the_first_condition_it_failed(
    chance: ModuleType, policy_in: Callable[[str], Policy], seed: str
) -> None:
    policy = policy_in("Europe/Berlin")
    rows = [row.rule for row in policy.rows]
    for at in range(400):
        draw = Random(f"{seed}:{at}")
        answered = _answer(policy, chance.facts(draw, "Europe/Berlin"))
        by_rule: dict[str, list[bool]] = {rule: [] for rule in rows}
        for step in answered.trace:
            by_rule.setdefault(step.rule, []).append(step.met)
        decision, told = answered.decision, f"MAILBOT_TEST_SEED={seed}, case {at}"
        row = decision.rule if decision.proposal is None else decision.proposal.rule
        asked = rows.index(row)
        assert all(by_rule[rule][-1] is False and all(by_rule[rule][:-1]) for rule in rows[:asked]), told
        assert all(by_rule[row]), told
        assert not any(by_rule[rule] for rule in rows[asked + 1 :]), told


def test_a_trace_names_what_was_wanted_and_what_was_found(a_form: Build, policy_in: Callable[[str], Policy]) -> None:
    answered = _answer(policy_in("America/New_York"), a_form(order={"delivered_at": None, "status": "shipped"}))
    trace = [step for step in trace_form(answered.trace) if step["rule"] == "not_yet_received"]
    assert trace == [
        {"rule": "not_yet_received", "condition": "returnable", "wanted": [True], "got": True, "met": True},
        {
            "rule": "not_yet_received",
            "condition": "in_return_window",
            "wanted": ["unknown"],
            "got": "unknown",
            "met": True,
        },
        {"rule": "not_yet_received", "condition": "in_cancel_window", "wanted": [False], "got": False, "met": True},
    ]


@pytest.mark.parametrize(
    ("changes", "reply", "after_approval"),
    [
        pytest.param({}, "return_approved", None, id="approved"),
        pytest.param({"claim": {"item_used": True}}, "declined_used_or_altered", None, id="declined"),
        pytest.param(
            {"claim": {"reason": "wrong_item"}}, "received", "refund_approved", id="escalated with a proposal"
        ),
        pytest.param({"claim": {"wants": "repair"}}, "received", None, id="escalated without one"),
        pytest.param({"claim": {"reason_confidence": 0.1}}, "received", "return_approved", id="held by a guard"),
        pytest.param({"sender": "unverified"}, "generic", None, id="unproven"),
    ],
)
def test_a_decision_names_the_letter_of_now_and_the_letter_of_an_approval(
    *,
    changes: dict[str, Any],
    reply: str,
    after_approval: str | None,
    a_form: Build,
    policy_in: Callable[[str], Policy],
) -> None:
    answered = _answer(policy_in("America/New_York"), a_form(**changes))
    assert (answered.reply, answered.proposal_reply) == (reply, after_approval)


def test_a_table_with_a_gap_answers_nothing(
    a_form: Build, policy_text: str, policy_in: Callable[[str], Policy]
) -> None:
    zone = policy_in("UTC").terms.timezone
    gap = policy_text.replace("when = { returnable = true, in_return_window = true }", "when = { original_box = true }")
    assert gap != policy_text
    with pytest.raises(NoRowMatchesError):
        _answer(parse_policy(gap, zone), a_form())


@pytest.mark.parametrize(
    ("was", "becomes", "rule"),
    [
        pytest.param("return_days = 7", "return_days = 3", "return_window_passed", id="a shorter return window"),
        pytest.param("min_confidence = 0.80", "min_confidence = 0.98", "low_confidence", id="a higher confidence"),
        pytest.param('"change_of_mind", ', "", "not_here", id="a reason that is not returnable there"),
        pytest.param(
            'returnable = ["change', 'returnable = ["quality_defect", "change', "return", id="a further reason"
        ),
    ],
)
def test_another_shop_changes_its_numbers_in_its_file(
    *, was: str, becomes: str, rule: str, a_form: Build, policy_text: str, policy_in: Callable[[str], Policy]
) -> None:
    last = '\n[[row]]\nid = "not_here"\noutcome = "escalate"\nclauses = ["C6"]\nreply = "received"\n'
    assert was in policy_text
    changed = parse_policy(policy_text.replace(was, becomes, 1) + last, policy_in("UTC").terms.timezone)
    assert _answer(changed, a_form()).decision.rule == rule
