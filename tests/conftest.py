"""What every test may ask for: the corpora, and the servers of ``tests/servers``."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.absent import absent

pytest_plugins = ["tests.servers.plugin"]

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
