"""Named places where fault tests end this process or fail its work; only an environment variable switches one on.

``FAILPOINT=sending.taken:after:2`` ends the process by SIGKILL when it comes there for the second time. The name does
not begin with ``MAILBOT_``, so that no configuration can hold it. Source: RELIABILITY.md, T1.
"""

import os
import signal
from collections.abc import Callable

BEFORE, AFTER = "before", "after"
_VARIABLE = "FAILPOINT"

Reached = Callable[[str, str], None]


def _go_on(_name: str, _side: str) -> None:
    """Nothing happens, as always outside of fault tests."""


_reached: Reached = _go_on


def reach(name: str, side: str) -> None:
    """Come to a place: just before, or just after, what it is named for."""
    _reached(name, side)


def arm(reached: Reached | None) -> None:
    """Have something happen at every place; ``None``: nothing any more."""
    global _reached  # noqa: PLW0603 (one process, one switch)
    _reached = reached or _go_on


def killing_at(place: str) -> Reached:
    """What ends this process at a place such as ``sending.taken:after:2``, the last number being the which time."""
    name, side, turn = place.split(":")
    left = int(turn)

    def reached(now_at: str, now_side: str) -> None:
        nonlocal left
        left -= (now_at, now_side) == (name, side)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


if _VARIABLE in os.environ:  # pragma: no cover (it ends the process)
    arm(killing_at(os.environ[_VARIABLE]))
