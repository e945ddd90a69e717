"""Every file of others' collections goes through the limited child: none crashes it, none overruns a limit."""

import mimetypes
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailbot.sandbox.pool import ReadingFailedError, Sandbox
from tests.campaigns.desk import NOON
from tests.campaigns.hostility import RULES
from tests.hostile.mails import attached

_NOT_MAILS = {".md", ".json", ".jsonl", ".yml"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(RULES, children=2) as opened:
        yield opened


def unread(sandbox: Sandbox, mails: dict[str, bytes]) -> list[str]:
    """Which mails could not be read within the limits, and why."""
    pending = {name: sandbox.submit(raw, NOON) for name, raw in mails.items()}
    failed = []
    for name, answer in pending.items():
        try:
            answer.result()
        except ReadingFailedError as problem:
            failed.append(f"{name}: {problem}")
    return failed


@pytest.mark.parametrize("name", ["automail", "mime", "spoof"])
def test_every_mail_of_a_collection_is_read(name: str, corpus: Callable[[str], Path], sandbox: Sandbox) -> None:
    files = [path for path in sorted(corpus(name).iterdir()) if path.is_file() and path.suffix not in _NOT_MAILS]
    assert unread(sandbox, {path.name: path.read_bytes() for path in files}) == []


def test_every_hostile_file_costs_its_limit_and_nothing_more(corpus: Callable[[str], Path], sandbox: Sandbox) -> None:
    mails = {}
    for path in sorted(corpus("hostile").iterdir()):
        if path.suffix == ".eml":
            mails[path.name] = path.read_bytes()
        elif path.is_file() and path.suffix not in _NOT_MAILS:
            media_type = mimetypes.guess_type(path.name)[0] or "image/x-unknown"
            mails[path.name] = attached(path.read_bytes(), media_type, path.name)
    assert unread(sandbox, mails) == []
    read = [sandbox.read(raw, NOON) for name, raw in mails.items() if not name.endswith(".eml")]
    assert all("AW10001" in {number.key for number in reading.order_numbers} for reading in read)
