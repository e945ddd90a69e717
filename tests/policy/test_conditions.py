"""What conditions answer where no row of the shipped policy tells one answer from another."""

from collections.abc import Callable
from typing import Any

import pytest

from mailbot.model.forms import parse_facts
from mailbot.policy.conditions import OF_FACTS, Ground
from mailbot.policy.table import Policy

Form = dict[str, Any]


@pytest.mark.parametrize(
    ("used", "altered", "answer"),
    [
        (True, None, True),
        (None, True, True),
        (True, False, True),
        (False, True, True),
        (False, False, False),
        (False, None, None),
        (None, False, None),
        (None, None, None),
    ],
)
def test_neither_used_nor_altered_is_known_only_where_the_customer_says_both(
    *,
    used: bool | None,
    altered: bool | None,
    answer: bool | None,
    a_form: Callable[..., Form],
    policy_in: Callable[[str], Policy],
) -> None:
    facts = parse_facts(a_form(claim={"item_used": used, "item_altered": altered}))
    ask, answers = OF_FACTS["used_or_altered"]
    assert ask(Ground(facts, policy_in("UTC").terms)) is answer
    assert answers is not None
    assert answer in answers
