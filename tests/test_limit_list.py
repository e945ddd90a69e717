"""Every limit of ``limits.toml`` stands in the code as it says and has its test; none of the code's is missing."""

import ast
import importlib
import re
import resource
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import mailbot

_HERE = Path(__file__).parent
_LIST = tomllib.loads((_HERE / "limits.toml").read_text(encoding="utf-8"))
_LIMITS: list[dict[str, str]] = _LIST["limit"]
_CODE = Path(mailbot.__file__).parent
_LIKE_A_LIMIT = re.compile(
    r"_?(?:MAX|MOST|LONGEST|LARGEST|DEEPEST|LIMITS|BATCH|SPARE_BYTES|MAILS_PER|FILES_PER|LONG_SIDE|CODE_LASTS"
    r"|LOOP_LENGTH|CPU_SECONDS|WALL_SECONDS|IDLE_SECONDS)(?:_|\b).*"
)
_LOOKED_AT = (
    "inbound",
    "sandbox",
    "understand",
    "act",
    "steps",
    "store/mails",
    "store/outbox",
    "store/proofs",
    "model",
)
_VALUES: dict[str, Any] = {"resource": resource, "timedelta": timedelta}


def _constants() -> Iterator[str]:
    """Every constant of the code that a mail meets whose name is a limit's."""
    for path in sorted(_CODE.rglob("*.py")):
        place = path.relative_to(_CODE).with_suffix("")
        if place.as_posix().startswith(_LOOKED_AT):
            module = ".".join(("mailbot", *place.parts))
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                targets = node.targets if isinstance(node, ast.Assign) else []
                names = [each for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
                yield from (f"{module}:{name.id}" for name in names if _LIKE_A_LIMIT.fullmatch(name.id))


def _is_none(constant: str) -> bool:
    """Whether the list says of a constant that it is no limit."""
    module, _, name = constant.partition(":")
    for entry in _LIST["none"]:
        of, _, names = entry.partition(":")
        if of == module and (not names or name in names.split()):
            return True
    return False


@pytest.mark.parametrize("limit", _LIMITS, ids=[limit["what"] for limit in _LIMITS])
def test_a_limit_stands_in_the_code_and_has_its_test(limit: dict[str, str]) -> None:
    module, _, name = limit["code"].partition(":")
    meant = eval(limit["value"], _VALUES)  # noqa: S307 (our own list)
    assert getattr(importlib.import_module(module), name) == meant
    path, _, test = limit["test"].partition("::")
    assert f"def {test.partition('[')[0]}(" in (_HERE.parent / path).read_text(encoding="utf-8")


def test_every_limit_of_the_code_is_on_the_list() -> None:
    listed = {limit["code"] for limit in _LIMITS}
    constants = set(_constants())
    assert {each for each in constants - listed if not _is_none(each)} == set()
    assert {each for each in constants & listed if _is_none(each)} == set()
