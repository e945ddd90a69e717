"""What happens to a test whose server or corpus is not on this machine."""

import os
from typing import NoReturn

import pytest


def absent(what: str, mend: str) -> NoReturn:
    """Skip the test, naming what is not here; with ``MAILBOT_TEST_REQUIRE=all`` fail it instead."""
    if os.environ.get("MAILBOT_TEST_REQUIRE") == "all":
        pytest.fail(f"{what} is required and absent; {mend}")
    pytest.skip(f"{what} is absent; {mend}")
