"""T1: the process is killed at every named place, before and after, in the middle of many stories; nothing is lost."""

import os
import random
from collections.abc import Iterator

import pytest

from tests.faults.points import Campaign, listed_places, named_places, reached_places
from tests.faults.zygote import Zygote
from tests.journey.conftest import ShopBuilder

SEED = int(os.environ.get("MAILBOT_TEST_SEED", "20261126"))


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """Give the process that makes passes."""
    with Zygote.start() as process:
        yield process


def test_the_list_of_places_and_the_code_agree() -> None:
    listed = listed_places()
    assert sorted(listed["killed"] + listed["named"]) == named_places()
    assert len(listed["killed"]) + len(listed["named"]) >= 40


@pytest.mark.parametrize(
    ("database", "first", "step"),
    [*(("sqlite", part, 3) for part in range(3)), ("postgres", SEED % 7, 7)],  # parts, so that two processors share it
)
def test_a_kill_anywhere_loses_nothing_and_sends_nothing_twice(
    a_shop: ShopBuilder, zygote: Zygote, database: str, first: int, step: int
) -> None:
    shop = a_shop(database, "dovecot", "smtp_sink")
    campaign = Campaign(shop=shop, zygote=zygote, chance=random.Random(SEED + first))
    places = reached_places(campaign)
    assert sorted({place.rpartition(":")[0] for place in places}) == listed_places()["killed"]
    chosen = places[first::step]
    for place in chosen:
        campaign.kill_at(place)
    assert (campaign.faults(), campaign.missed) == ([], []), f"seed {SEED}"
    assert campaign.kills == len(chosen)
