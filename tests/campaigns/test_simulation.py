"""T3 at the figures of each change, and the fake mailbox held to a real one."""

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mailbot.inbound.imap import ImapMailbox
from mailbot.ports import Folder
from tests.campaigns import simulation
from tests.campaigns.fakes import FakeMailbox
from tests.journey.shop import MORNING

SEED = 20260310


def test_no_sequence_of_faults_loses_a_mail_or_says_a_thing_twice(tmp_path: Path) -> None:
    outcome = simulation.run(SEED, 200, tmp_path)
    assert (outcome.failures[:5], outcome.tried) == ([], 200)
    assert outcome.figures["kinds_of_fault"] > 40


def _answers(folder: Folder, order: list[int]) -> list[Any]:
    """What a folder says about all its mails, UIDs told by the order in which they came."""
    uids = folder.uids_after(0)
    listed = folder.list_messages([*uids, 10**6])
    fetched = list(folder.fetch(list(listed.values())))
    return [
        [order.index(uid) for uid in uids],
        folder.uids_after(uids[-1]) if uids else [],
        [(each.received_at, each.size) for each in listed.values()],
        [(order.index(mail.uid), mail.data, mail.size, mail.received_at) for mail in fetched],
        [folder.fetch_header(each).data for each in listed.values()],
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_fake_mailbox_answers_as_a_real_one(seed: int, request: pytest.FixtureRequest) -> None:
    chance = Random(f"{SEED}/{seed}")
    account, fake = request.getfixturevalue("dovecot").new_account(), FakeMailbox()
    theirs: list[int] = []
    ours: list[int] = []
    for at in range(8):
        raw = f"Subject: {at}\r\n\r\n{'x' * chance.randint(0, 300)}\r\n".encode()
        received_at = MORNING + timedelta(minutes=at)
        theirs.append(account.append(raw, received_at))
        ours.append(fake.deliver(raw, received_at))
        if chance.random() < 0.3:
            gone = chance.randrange(len(ours))
            if ours[gone] in fake.kept:
                fake.remove(ours[gone])
                account.remove([theirs[gone]])
    with ImapMailbox(account.settings()).open() as real, fake.open() as pretended:
        assert _answers(pretended, ours) == _answers(real, theirs)
        for folder, order in ((real, theirs), (pretended, ours)):
            folder.mark_stored(order[:5])
    seen = sorted(theirs.index(uid) for uid, marks in account.flags().items() if marks)
    assert seen == sorted(ours.index(uid) for uid, mail in fake.kept.items() if mail.seen)
    before = fake.uidvalidity
    fake.remake()
    with fake.open() as folder:
        assert folder.uidvalidity not in {0, before}
