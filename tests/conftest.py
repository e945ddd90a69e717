"""What every test may ask for: the corpora, and a say in whether a missing server is a skip or a failure."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

_CORPORA = Path(os.environ.get("MAILBOT_CORPORA", Path(__file__).parents[2] / "shared" / "corpora"))


def absent(what: str, mend: str) -> None:
    """Skip the test, naming what is not here; with ``MAILBOT_TEST_REQUIRE=all`` fail it instead."""
    if os.environ.get("MAILBOT_TEST_REQUIRE") == "all":
        pytest.fail(f"{what} is required and absent; {mend}")
    pytest.skip(f"{what} is absent; {mend}")


@pytest.fixture(scope="session")
def corpus() -> Callable[[str], Path]:
    """Give the folder of one corpus by its name, or skip the test by that name."""

    def find(name: str) -> Path:
        folder = _CORPORA / name
        if not folder.is_dir():
            absent(f"corpus {name}", "set MAILBOT_CORPORA to the folder of the corpora")
        return folder

    return find
