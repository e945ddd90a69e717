"""An ordinary case to change, the shipped policy to decide it by, and the oracle with its facts by chance."""

import secrets
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from importlib.util import module_from_spec, spec_from_file_location
from os import environ
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailbot.model.forms import decision_form, parse_facts
from mailbot.policy.decide import decide
from mailbot.policy.table import Policy, parse_policy

Form = dict[str, Any]
Build = Callable[..., Form]


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    return _beside("oracle")


@pytest.fixture(scope="session")
def chance() -> ModuleType:
    return _beside("chance")


@pytest.fixture(scope="session")
def seed() -> str:
    """The seed of this run: ``MAILBOT_TEST_SEED``, else a new one; tests by chance name it where they fail."""
    return environ.get("MAILBOT_TEST_SEED") or str(secrets.randbits(32))


@pytest.fixture(scope="session")
def policy_text() -> str:
    return files("mailbot.policy").joinpath("default.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def policy_in(policy_text: str) -> Callable[[str], Policy]:
    """Give the shipped policy of a shop in that time zone."""
    return cache(lambda zone: parse_policy(policy_text, ZoneInfo(zone)))


@pytest.fixture(scope="session")
def a_form() -> Build:
    """Build facts in JSON form: a return asked for on day 4, whose fee is known, with what the test changes in it.

    ``claim``, ``evidence`` and ``order`` are laid over the ordinary ones; ``order=None`` takes the order away.
    """
    return _form


@pytest.fixture(scope="session")
def decided(policy_in: Callable[[str], Policy]) -> Build:
    """Decide the ordinary facts, changed as in ``a_form``, for a shop in ``zone`` (New York if not given)."""

    def answer(*, zone: str = "America/New_York", **changes: Any) -> Form:
        return decision_form(decide(parse_facts(_form(**changes)), policy_in(zone)).decision)

    return answer


def _form(**changes: Any) -> Form:
    form: Form = {
        "requested_at": "2026-03-10T09:00:00Z",
        "claim": {
            "reason": "change_of_mind",
            "reason_confidence": 0.97,
            "wants": "refund",
            "item_used": None,
            "item_altered": None,
            "original_box": None,
            "received_on": None,
            "repurchased": None,
            "mentions_dispute": False,
            "lines": [],
        },
        "evidence": {"order_number": "AW-10231", "invoice": "matched", "photos": 0},
        "sender": "verified",
        "order": {
            "number": "AW-10231",
            "status": "delivered",
            "paid_at": "2026-03-01T10:00:00Z",
            "shipped_at": "2026-03-02T10:00:00Z",
            "delivered_at": "2026-03-06T15:00:00Z",
            "currency": "USD",
            "shipping": "6.00",
            "captured": "86.00",
            "refunded": "0.00",
            "payment_method": "paypal",
            "transaction_fee": "3.30",
            "dispute_open": False,
            "lines": [{"sku": "R-925-07", "quantity": 2, "unit_price": "40.00", "discount": "0.00", "tax": "0.00"}],
        },
    }
    for key, change in changes.items():
        form[key] = {**form[key], **change} if isinstance(change, dict) else change
    return form


def _beside(name: str) -> ModuleType:
    """Load a helper of this folder, which is no package."""
    spec = spec_from_file_location(f"policy_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
