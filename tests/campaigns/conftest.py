"""A folder in memory for the databases of the campaigns, whose thousands of commits then wait for no disk."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaigns.outcome import MEMORY


@pytest.fixture
def quick_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)
