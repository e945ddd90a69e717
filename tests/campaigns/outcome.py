"""What a campaign found: how many of what were tried, and everything that went wrong, by name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_SHARED = Path("/dev/shm")  # noqa: S108 (folders in it are made by tempfile)
MEMORY = _SHARED if _SHARED.is_dir() else None
"""Where files are kept in memory; ``None``: this machine has no such place."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """One campaign's result.

    Attributes:
        tried: how many cases.
        failures: one line each; none is a pass.
        figures: what was measured beside.
    """

    tried: int = 0
    failures: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    def expect(self, what: str, *, holds: bool) -> None:
        """Count one case, and note it where it does not hold."""
        self.tried += 1
        if not holds:
            self.failures.append(what)


Campaign = Callable[[int, int, Path], Outcome]
"""Runs a campaign from a seed, for so many rounds, in a folder of its own."""
