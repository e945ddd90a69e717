"""``make campaign``: the campaigns at their nightly figures, seeded; a line for each, and exit code 1 on a finding.

Run ``python -m tests.campaigns.run --only T8 T9 --seed 7 --share 0.1`` for some of them, and a share of the rounds.
"""

import argparse
import logging
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.campaigns import (
    cards,
    case_machine,
    database_faults,
    flood,
    forgery,
    guards,
    hostility,
    injection,
    kills,
    loops,
    mailbox_chaos,
    network,
    restoring,
    simulation,
    soak,
)
from tests.campaigns.outcome import MEMORY, Campaign

NIGHTLY: dict[str, tuple[Campaign, int]] = {
    **kills.CAMPAIGNS,
    **network.CAMPAIGNS,
    **mailbox_chaos.CAMPAIGNS,
    **database_faults.CAMPAIGNS,
    **restoring.CAMPAIGNS,
    "T3": (simulation.run, 20_000),
    "T4": (case_machine.run, 5_000),
    **hostility.CAMPAIGNS,
    "T8": (forgery.run, 50_000),
    "T9": (loops.run, 10_000),
    "T10": (flood.run, 100_000),
    "T14": (injection.run, 5_000),
    "T16": (cards.run, 10_000),
    **soak.CAMPAIGNS,
    "T18": (guards.run, len(guards.GUARDS)),
}


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(NIGHTLY), choices=list(NIGHTLY))
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--share", type=float, default=1.0, help="of the nightly rounds")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    failed = 0
    for name in asked.only:
        campaign, nightly = NIGHTLY[name]
        rounds = max(1, round(nightly * asked.share))
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            began = time.monotonic()
            outcome = campaign(asked.seed, rounds, Path(folder))
        seconds, figures = (
            time.monotonic() - began,
            " ".join(f"{key}={value}" for key, value in outcome.figures.items()),
        )
        found = f"{len(outcome.failures)} findings"
        _say(f"{name} commit={_commit()} seed={asked.seed} tried={outcome.tried} {found} {seconds:.0f} s {figures}")
        for failure in outcome.failures[:10]:
            _say(f"  {failure[:400]}")
        failed += bool(outcome.failures)
    return min(failed, 1)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
