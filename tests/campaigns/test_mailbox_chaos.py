"""T6 at the figures of each change: a folder that others use, and that is remade, in front of four pollers."""

from pathlib import Path

from tests.campaigns import mailbox_chaos

SEED = 20260310


def test_no_mail_is_lost_or_answered_twice_in_a_folder_that_others_use(quick_path: Path) -> None:
    outcome = mailbox_chaos.run(SEED, 5, quick_path, mails=20)
    assert (outcome.failures[:5], outcome.tried) == ([], 5), f"seed {SEED}"
    assert outcome.figures["letters"] > 10
    assert outcome.figures["index_lost"] > 0
    assert outcome.figures["folder_remade"] > 0
