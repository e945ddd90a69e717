"""Thousands of facts by chance: the product decides as the oracle does, and what must hold always holds."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from types import ModuleType
from typing import Any

import pytest

from mailbot.model.forms import decision_form, facts_form, parse_facts
from mailbot.policy.decide import decide
from mailbot.policy.table import Policy

Form = dict[str, Any]
CASES, BLOCKS = 20_000, 4
PARTS = ("items", "outbound_shipping", "transaction_fee", "already_refunded", "cap_adjustment")


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_product_decides_as_the_oracle_and_never_pays_more_than_is_left(
    block: int, chance: ModuleType, oracle: ModuleType, policy_in: Callable[[str], Policy], seed: str
) -> None:
    for at in range(block, CASES, BLOCKS):
        draw = _draw(seed, at)
        zone = chance.zone(draw)
        form = chance.facts(draw, zone)
        told = f"MAILBOT_TEST_SEED={seed}, case {at}, shop in {zone}: {json.dumps(form)}"
        facts, policy = parse_facts(form), policy_in(zone)
        decision = decision_form(decide(facts, policy).decision)
        assert decision == oracle.decide(form, zone), told
        for settlement in _settlements(decision):
            total = sum(Decimal(settlement[part]) for part in PARTS)
            left = Decimal(form["order"]["captured"]) - Decimal(form["order"]["refunded"])
            assert total == Decimal(settlement["refund"]), told
            assert 0 <= Decimal(settlement["refund"]) <= left, told
        again = json.loads(json.dumps(facts_form(facts)))
        assert parse_facts(again) == facts, told
        assert json.dumps(decision_form(decide(parse_facts(again), policy).decision)) == json.dumps(decision), told


def test_facts_by_chance_reach_every_row_and_every_guard(
    chance: ModuleType, oracle: ModuleType, policy_in: Callable[[str], Policy], seed: str
) -> None:
    reached = set()
    for at in range(CASES // 4):
        draw = _draw(seed, at)
        zone = chance.zone(draw)
        decision = oracle.decide(chance.facts(draw, zone), zone)
        reached |= {decision["rule"], (decision["proposal"] or decision)["rule"]}
    policy = policy_in("UTC")
    known = {row.rule for row in policy.rows} | {guard.rule for guard in policy.guards}
    assert reached == known, f"MAILBOT_TEST_SEED={seed}"


def _draw(seed: str, at: int) -> Random:
    return Random(f"{seed}:{at}")


def _settlements(decision: Form) -> Iterator[Form]:
    for place in (decision, decision["proposal"]):
        if place is not None and place["settlement"] is not None:
            yield place["settlement"]
