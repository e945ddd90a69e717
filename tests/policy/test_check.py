"""The proof of a policy: what ships is proven, and whatever is taken out of it or widened in it is named."""

import copy
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from random import Random
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.model.decision import Outcome, Settlement
from mailbot.model.forms import parse_facts
from mailbot.model.money import Money
from mailbot.policy import check
from mailbot.policy.check import Finding, check_policy, misspelt
from mailbot.policy.conditions import OF_DRAFTS, OF_FACTS, Draft, Ground
from mailbot.policy.cutpoints import form_of, parts_of
from mailbot.policy.decide import NoRowMatchesError, decide
from mailbot.policy.fields import PolicyError, UnknownConditionError
from mailbot.policy.regions import all_facts
from mailbot.policy.settlement import SettlementTerms, settle
from mailbot.policy.table import Policy, parse_policy, without

Form = dict[str, Any]
ZONE = ZoneInfo("America/New_York")
MONEY_OF_DRAFTS = {"settlement_known", "within_auto_approve_limit"}
OF_ROWS = {"row_outcome", "row_escalates", "row_approves"}

# What such a row asks no longer matters: earlier rows answer all that it would answer in addition, or the same.
CHANGES_NOTHING = {
    ("guarantee_expired", "in_guarantee"),
    ("cancel_late", "in_cancel_window"),
    ("not_yet_received", "in_cancel_window"),
    ("used_or_altered", "in_return_window"),
    ("no_original_box", "in_return_window"),
}


@pytest.fixture(scope="module")
def shipped(policy_text: str) -> Form:
    return tomllib.loads(policy_text)


@pytest.fixture
def changed(shipped: Form, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Form], object]], Policy]:
    """The shipped policy after a change of its tables."""

    def read(change: Callable[[Form], object]) -> Policy:
        file = {**shipped, **{key: copy.deepcopy(shipped[key]) for key in shipped if key not in {"example", "clauses"}}}
        file["example"] = [dict(example) for example in shipped["example"]]
        change(file)
        with monkeypatch.context() as patched:
            patched.setattr(tomllib, "loads", lambda _: file)
            return parse_policy("", ZONE)

    return read


Changed = Callable[[Callable[[Form], object]], Policy]


def _named(findings: list[Finding], rule: str) -> bool:
    return any(re.search(rf"\b{rule}\b", f"{finding.place} {finding.problem}") for finding in findings)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Norfolk", "UTC"])
def test_the_shipped_policy_is_proven_wherever_the_shop_is(zone: str, policy_in: Callable[[str], Policy]) -> None:
    assert check_policy(policy_in(zone)) == []


@pytest.mark.parametrize("kind", ["row", "guard"])
def test_whichever_rule_is_deleted_is_named(kind: str, shipped: Form, changed: Changed) -> None:
    for at, rule in enumerate(shipped[kind]):
        policy = changed(lambda file, at=at: file[kind].pop(at))  # type: ignore[misc]  # bound now, not later
        assert _named(check_policy(policy), rule["id"]), rule["id"]


def test_a_settlement_that_comes_too_late_is_dead(changed: Changed) -> None:
    findings = check_policy(changed(lambda file: file["settlement"].append(file["settlement"][2])))
    assert [(found.place, found.problem[:7]) for found in findings] == [("settlement 'approve_return'", "is dead")]


def test_a_settlement_that_is_deleted_is_missed_by_the_row_that_it_settles(changed: Changed) -> None:
    rows = ("cancel", "cancel_in_transit", "return", "logistics_review")
    for at, row in enumerate(rows):
        findings = check_policy(changed(lambda file, at=at: file["settlement"].pop(at)))  # type: ignore[misc]
        assert any(finding.place == f"row '{row}'" and "says how much" in finding.problem for finding in findings)


@pytest.mark.parametrize("kind", ["row", "guard"])
def test_whichever_condition_is_left_out_its_rule_is_named_unless_nothing_changes(
    kind: str, shipped: Form, changed: Changed
) -> None:
    unnamed = set()
    for at, rule in enumerate(shipped[kind]):
        for condition in rule["when"]:
            policy = changed(lambda file, at=at, name=condition: file[kind][at]["when"].pop(name))  # type: ignore[misc]
            if not _named(check_policy(policy), rule["id"]):
                unnamed.add((rule["id"], condition))
    assert unnamed == (CHANGES_NOTHING if kind == "row" else set())


@pytest.mark.parametrize("kind", ["row", "guard"])
def test_whichever_condition_is_widened_its_rule_is_named(kind: str, shipped: Form, changed: Changed) -> None:
    for at, rule in enumerate(shipped[kind]):
        for condition, wish in rule["when"].items():
            wanted = wish if isinstance(wish, list) else [wish]
            for more in _further_answers(kind, condition, wanted):
                wide = {condition: [*wanted, *more]}
                policy = changed(lambda file, at=at, wide=wide: file[kind][at]["when"].update(wide))  # type: ignore[misc]
                assert _named(check_policy(policy), rule["id"]), (rule["id"], wide)


def _further_answers(kind: str, condition: str, wanted: list[Any]) -> Iterator[list[Any]]:
    """Each answer that a condition may give and that the rule does not want, and all of them together."""
    answers = (OF_FACTS if kind == "row" else OF_DRAFTS)[condition][1] or ("paypal", "card")
    written = ["unknown" if answer is None else answer for answer in answers]
    others = [str(answer) if isinstance(answer, str) else answer for answer in written if answer not in wanted]
    yield from ([other] for other in others)
    if len(others) > 1:
        yield others


def test_a_gap_is_shown_by_facts_that_no_row_answers(changed: Changed) -> None:
    policy = changed(lambda file: (file["row"].pop(), file.pop("example")))
    gap = next(finding for finding in check_policy(policy) if finding.place == "table")
    with pytest.raises(NoRowMatchesError):
        decide(parse_facts(gap.facts), policy)


def test_a_dead_row_is_shown_by_facts_that_an_earlier_row_answers(changed: Changed) -> None:
    def move_the_last_row_up(file: Form) -> None:
        file["row"].insert(9, file["row"].pop())

    policy = changed(move_the_last_row_up)
    found = {finding.place: finding for finding in check_policy(policy)}["row 'used_or_altered'"]
    assert found.problem == "is dead: row 'return' answers whatever it could"
    assert decide(parse_facts(found.facts), policy).decision.rule == "return"


def test_a_row_whose_conditions_exclude_each_other_is_dead(changed: Changed) -> None:
    policy = changed(lambda file: file["row"][-1]["when"].update(in_guarantee="unknown"))
    assert Finding(place="row 'return'", problem="is dead: its conditions are never met together") in [
        Finding(place=finding.place, problem=finding.problem) for finding in check_policy(policy)
    ]


def test_an_approval_without_a_known_sum_is_found(changed: Changed) -> None:
    findings = check_policy(changed(lambda file: file["guard"].pop(1)))
    worked_out = "approves a sum that nobody has worked out, and no guard stops it"
    assert {finding.place for finding in findings if finding.problem == worked_out} == {"row 'cancel'", "row 'return'"}
    facts = next(finding.facts for finding in findings if finding.problem == worked_out)
    assert facts is not None
    assert facts["order"]["currency"] == "USD"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("refund", "76.71", "refund is 76.70, not 76.71; it should show 'return'"),
        ("outcome", "decline", "outcome is approve_return, not decline; it should show 'return'"),
        ("rule", "retrun", "rule is return, not retrun; it should show 'retrun'"),
        ("proposal", "return", "proposal is none, not return; it should show 'return'"),
    ],
)
def test_an_example_that_does_not_hold_is_named_with_what_is_decided_instead(
    key: str, value: str, says: str, changed: Changed
) -> None:
    policy = changed(lambda file: file["example"][0].update({key: value}))
    assert [(finding.place, finding.problem) for finding in check_policy(policy)] == [
        ("example 'asked for on the day of receipt'", says)
    ]


@pytest.mark.parametrize(
    "terms",
    [
        {"return_days": 30, "cancel_days": 14},
        {"return_days": 0, "cancel_days": 0, "guarantee_months": 0},
        {"guarantee_months": 24},
        {"return_days": 3660},
        {"min_confidence": 0.01},
    ],
)
def test_other_numbers_are_proven_as_well(terms: Form, changed: Changed) -> None:
    assert check_policy(changed(lambda file: file["terms"].update(terms))) == []


def test_a_guard_whose_confidence_is_never_missed_is_dead(changed: Changed) -> None:
    findings = check_policy(changed(lambda file: file["terms"].update(min_confidence=0.0)))
    assert "is dead: nothing that a row decides meets it" in {
        finding.problem for finding in findings if finding.place == "guard 'low_confidence'"
    }


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param({"items": 1}, "settles", id="parts that do not add up"),
        pytest.param({"items": -(10**9), "refund": -(10**9)}, "settles -", id="less than nothing"),
        pytest.param({"items": 10**9, "refund": 10**9}, "settles 1", id="more than is left"),
    ],
)
def test_a_sum_out_of_its_bounds_is_named_with_facts_that_bring_it_about(
    wrong: dict[str, int], says: str, changed: Changed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settle_wrongly(ground: Ground, terms: SettlementTerms, *, buyer_bears_fee: bool) -> Settlement | None:
        bill = settle(ground, terms, buyer_bears_fee=buyer_bears_fee)
        if bill is None:
            return None
        more = {
            part: getattr(bill, part) + Money.from_minor(cents, bill.refund.currency) for part, cents in wrong.items()
        }
        return replace(bill, **more)

    monkeypatch.setattr(check, "settle", settle_wrongly)
    found = [finding for finding in check_policy(changed(lambda _: None)) if finding.problem.startswith(says)]
    assert {finding.place for finding in found} >= {"row 'cancel'", "row 'return'", "row 'quality_review'"}
    facts = parse_facts(found[0].facts)
    assert facts.order is not None


def test_a_reason_that_no_row_knows_is_a_gap(changed: Changed) -> None:
    findings = check_policy(changed(lambda file: file["reasons"]["logistics"].remove("late_delivery")))
    gap = next(finding for finding in findings if finding.place == "table")
    assert gap.facts is not None
    assert gap.facts["claim"]["reason"] == "late_delivery"


def test_every_condition_belongs_to_one_part_of_the_facts(policy_in: Callable[[str], Policy]) -> None:
    parts = parts_of(policy_in("UTC"), in_book=True)
    conditions = [condition for part in parts for condition in part.conditions]
    assert sorted(conditions) == sorted({*OF_FACTS, *OF_DRAFTS} - OF_ROWS)
    places = [place for part in parts for place in {place for point in part.points for place in point}]
    assert len(places) == len(set(places)), "two parts give the same fact"


@given(st.randoms(use_true_random=False))
def test_no_condition_answers_otherwise_when_another_part_of_the_facts_changes(
    policy_in: Callable[[str], Policy], chance: Random
) -> None:
    policy = policy_in("America/New_York")
    parts = parts_of(policy, in_book=True)
    points = {part.name: chance.choice(part.points) for part in parts}
    before = Ground(parse_facts(form_of(points.values(), policy, in_book=True)), policy.terms)
    for part in parts:
        other = {**points, part.name: chance.choice(part.points)}
        after = Ground(parse_facts(form_of(other.values(), policy, in_book=True)), policy.terms)
        for name in OF_FACTS.keys() - part.conditions:
            assert OF_FACTS[name][0](before) == OF_FACTS[name][0](after), (part.name, name)
        sure = [OF_DRAFTS["confident"][0](_draft(ground)) for ground in (before, after)]
        assert sure[0] == sure[1] or part.name == "confidence"


def _draft(ground: Ground) -> Draft:
    return Draft(ground=ground, outcome=Outcome.ESCALATE, settlement=None)


def test_whatever_chance_brings_lies_in_a_region_with_the_same_answers(
    chance: ModuleType, policy_in: Callable[[str], Policy], seed: str
) -> None:
    """The cut points leave out nothing: the windows' answers that facts by chance give, together, are all there."""
    policy = policy_in("America/New_York")
    together = ("order_status", "dispatched", "in_guarantee", "in_cancel_window", "in_return_window")
    world = all_facts(policy)[0]
    known = {tuple(cut.answers[name] for name in together) for cut in world.cuts["dates"]}
    for at in range(3000):
        form = chance.facts(Random(f"{seed}:{at}"), "America/New_York")
        if form["order"] is not None:
            ground = Ground(parse_facts(form), policy.terms)
            answers = tuple(OF_FACTS[name][0](ground) for name in together)
            assert answers in known, f"MAILBOT_TEST_SEED={seed}, case {at}: {answers}"


def test_a_misspelt_condition_is_shown_by_facts_that_its_row_would_answer_without_it(policy_text: str) -> None:
    text = policy_text.replace("in_return_window = true, used_or_altered", "in_return_windwo = true, used_or_altered")
    assert text != policy_text
    with pytest.raises(UnknownConditionError, match="no condition 'in_return_windwo'; use ") as refused:
        parse_policy(text, ZONE)
    found = misspelt(text, ZONE, refused.value)
    assert (found.place, found.problem) == ("row 'used_or_altered'", refused.value.problem)
    assert found.facts is not None
    assert decide(parse_facts(found.facts), without(text, ZONE, refused.value)).decision.rule == "used_or_altered"


def test_a_misspelt_condition_of_a_guard_is_named(policy_text: str) -> None:
    text = policy_text.replace("confident = false", "confidant = false")
    with pytest.raises(UnknownConditionError) as refused:
        parse_policy(text, ZONE)
    assert misspelt(text, ZONE, refused.value) == Finding(place=refused.value.place, problem=refused.value.problem)
    assert refused.value.place == "guard 'low_confidence'"


def test_applies_from_is_a_date(changed: Changed) -> None:
    assert changed(lambda file: file.update(applies_from=date(2026, 6, 1))).applies_from == date(2026, 6, 1)
    with pytest.raises(PolicyError, match="applies_from = '2026-06-01' is not a date"):
        changed(lambda file: file.update(applies_from="2026-06-01"))
