"""What every test may ask for: the corpora, and the servers of ``tests/servers``."""

import importlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import hypothesis
import pytest
import structlog

from tests.limits import WITHOUT
from tests.servers.absent import absent

pytest_plugins = ["tests.servers.plugin"]

hypothesis.settings.register_profile(
    "mailbot", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)  # a busy machine is no fault of what is tested
hypothesis.settings.load_profile("mailbot")

structlog.get_config()["processors"][-1].exception_formatter = structlog.dev.plain_traceback
# With every variable of every frame, as it would otherwise be, an exception that is logged takes up to minutes.

if WITHOUT in os.environ:  # before any test module imports the code: see tests/limits.py
    _constant, _, _wide = os.environ[WITHOUT].partition("=")
    _module, _, _name = _constant.partition(":")
    setattr(importlib.import_module(_module), _name, eval(_wide, {"timedelta": timedelta}))  # noqa: S307 (our own list)

_LONGEST = (
    "faults/test_kill_points.py",
    "campaigns/test_case_machine.py",
    "console/test_hostile_pages.py",
    "campaigns/test_simulation.py",
    "console/test_keyboard.py",
)
"""Files whose tests take up to minutes; they begin first, so that no worker is left alone with one at the end."""

_CORPORA = Path(os.environ.get("MAILBOT_CORPORA", Path(__file__).parents[2] / "shared" / "corpora"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first; all else keeps its order."""
    items.sort(key=lambda item: [not item.path.as_posix().endswith(name) for name in _LONGEST])


@pytest.fixture(scope="session")
def corpus() -> Callable[[str], Path]:
    """Give the folder of one corpus by its name, or skip the test by that name."""

    def find(name: str) -> Path:
        folder = _CORPORA / name
        if not folder.is_dir():
            absent(f"corpus {name}", "set MAILBOT_CORPORA to the folder of the corpora")
        return folder

    return find
