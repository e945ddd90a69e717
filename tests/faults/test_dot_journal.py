"""The journal of outgoing mail: what it knows of each letter, and what happens where it cannot be written (P3)."""

from pathlib import Path

import pytest

from mailbot.store.dot_journal import DotJournal, JournalError, Progress, _path, progress_of

_HOLDER = "machine/boot/1/1"


def test_what_is_noted_tells_how_far_each_letter_came(tmp_path: Path) -> None:
    assert progress_of(tmp_path, _HOLDER, 1) is Progress.UNKNOWN
    journal = DotJournal(tmp_path, _HOLDER).__enter__()
    journal.before_dot(1)
    journal.after_dot(1)
    journal.before_dot(2)
    journal.__exit__(KeyError, None, None)
    found = [progress_of(tmp_path, _HOLDER, row) for row in (1, 2, 3)]
    assert found == [Progress.TAKEN, Progress.UNKNOWN, Progress.NOT_HANDED_OVER]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_on_a_full_disk_no_dot_may_be_written_and_one_that_was_is_told_to_the_database(tmp_path: Path) -> None:
    _path(tmp_path, _HOLDER).symlink_to("/dev/full")
    with DotJournal(tmp_path, _HOLDER) as journal:
        with pytest.raises(JournalError, match="No space left"):
            journal.before_dot(1)
        journal.after_dot(1)


def test_a_journal_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with (
        pytest.raises(JournalError, match=r"sending-.*journal: Not a directory|taken.*exists"),
        DotJournal(tmp_path / "taken" / "folder", _HOLDER),
    ):
        pass
