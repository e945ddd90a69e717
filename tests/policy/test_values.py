"""The engine's values are values: frozen, slotted, and built by name."""

from dataclasses import fields, is_dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

import mailbot.policy
from mailbot.model import money

MODULES = [import_module(f"mailbot.policy.{found.name}") for found in iter_modules(mailbot.policy.__path__)]
VALUES = [
    thing
    for module in (*MODULES, money)
    for thing in vars(module).values()
    if isinstance(thing, type) and is_dataclass(thing) and thing.__module__ == module.__name__
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_a_value_is_frozen_slotted_and_built_by_name(value: Any) -> None:
    assert value.__dataclass_params__.frozen
    assert "__slots__" in vars(value)
    assert all(part.kw_only for part in fields(value))


def test_the_engine_has_values() -> None:
    assert len(VALUES) >= 15
