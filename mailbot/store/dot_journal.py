"""How far each message has come on its way out, so that a killed process leaves as little doubt as can be.

The database says ``sending`` before a connection is used and ``sent`` after the server has answered. Between the two
this journal notes, in a file of the process's own, "all but the final dot is written" and "the server said 250". It is
written without fsync: it outlives the process, not the machine, and after a restart of the machine it is not believed.
A message that a dead process's journal does not name was not handed over. Source: P3.
"""

import hashlib
import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from mailbot.errors import RetryableError


class JournalError(RetryableError):
    """The journal cannot be written, so that nothing may be handed over just now."""


class Progress(StrEnum):
    """What is known of a message whose sending process died."""

    NOT_HANDED_OVER = "not_handed_over"
    UNKNOWN = "unknown"
    TAKEN = "taken"


class DotJournal:
    """The journal of this process; use it as a context that ends when nothing is being sent any more."""

    def __init__(self, folder: Path, holder: str) -> None:
        self._path = _path(folder, holder)
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Open the journal.

        Raises:
            JournalError: it cannot be made.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as problem:
            raise JournalError(f"{self._path}: {problem.strerror}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it, and remove it where every message came to an end."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if kind is None:
            self._path.unlink(missing_ok=True)

    def before_dot(self, row_id: int) -> None:
        """All of the message but the final dot is written.

        Raises:
            JournalError: that cannot be noted; the dot must not be written.
        """
        self._write("dot", row_id)

    def after_dot(self, row_id: int) -> None:
        """The server took the message; where that cannot be noted, the database is told all the same."""
        with suppress(JournalError):
            self._write("taken", row_id)

    def _write(self, mark: str, row_id: int) -> None:
        if self._file is None:
            return
        line = f"{mark} {row_id}\n".encode("ascii")
        try:
            written = os.write(self._file, line)
        except OSError as problem:
            raise JournalError(f"{self._path}: {problem.strerror}") from None
        if written < len(line):
            raise JournalError(f"{self._path}: no space is left for it")


def progress_of(folder: Path, holder: str, row_id: int) -> Progress:
    """What a dead process's journal knows of one message; ask only while the machine has not been restarted."""
    try:
        marks = _path(folder, holder).read_text(encoding="ascii").splitlines()
    except OSError:
        return Progress.UNKNOWN
    if f"taken {row_id}" in marks:
        return Progress.TAKEN
    return Progress.UNKNOWN if f"dot {row_id}" in marks else Progress.NOT_HANDED_OVER


def forget(folder: Path, holder: str) -> None:
    """Remove a dead process's journal once its messages have been seen to."""
    with suppress(OSError):
        _path(folder, holder).unlink()


def _path(folder: Path, holder: str) -> Path:
    return folder / f"sending-{hashlib.sha256(holder.encode()).hexdigest()[:24]}.journal"
