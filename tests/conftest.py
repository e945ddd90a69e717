"""What every test may ask for: the corpora, and the servers of ``tests/servers``."""

import importlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.limits import WITHOUT
from tests.servers.absent import absent

pytest_plugins = ["tests.servers.plugin"]

if WITHOUT in os.environ:  # before any test module imports the code: see tests/limits.py
    _constant, _, _wide = os.environ[WITHOUT].partition("=")
    _module, _, _name = _constant.partition(":")
    setattr(importlib.import_module(_module), _name, eval(_wide, {"timedelta": timedelta}))  # noqa: S307 (our own list)

_CORPORA = Path(os.environ.get("MAILBOT_CORPORA", Path(__file__).parents[2] / "shared" / "corpora"))


@pytest.fixture(scope="session")
def corpus() -> Callable[[str], Path]:
    """Give the folder of one corpus by its name, or skip the test by that name."""

    def find(name: str) -> Path:
        folder = _CORPORA / name
        if not folder.is_dir():
            absent(f"corpus {name}", "set MAILBOT_CORPORA to the folder of the corpora")
        return folder

    return find
