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
    ("servers", "share"),
    [(("sqlite", "dovecot", "smtp_sink"), 1.0), (("postgres", "dovecot", "smtp_sink"), 0.15)],
    ids=["sqlite", "postgres"],
)
def test_a_kill_anywhere_loses_nothing_and_sends_nothing_twice(
    a_shop: ShopBuilder, zygote: Zygote, servers: tuple[str, str, str], share: float
) -> None:
    chance = random.Random(SEED)
    campaign = Campaign(shop=a_shop(*servers), zygote=zygote, chance=chance)
    places = reached_places(campaign)
    assert sorted({place.rpartition(":")[0] for place in places}) == listed_places()["killed"]
    chosen = places if share == 1.0 else chance.sample(places, int(len(places) * share))
    for place in chosen:
        campaign.kill_at(place)
    assert (campaign.faults(), campaign.missed) == ([], []), f"seed {SEED}"
    assert campaign.kills == len(chosen)
