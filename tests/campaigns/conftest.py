"""A folder in memory for the campaigns' databases: thousands of commits, each of which waits for the disk, wait for none."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaigns.outcome import MEMORY


@pytest.fixture
def quick_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)
