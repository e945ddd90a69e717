"""Progress bars on long work: on a terminal only, on standard error, so that answers stay clean."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Report = Callable[[str, int], None]
"""Says that so many more of something are done: ``report("handled", 1)``."""


@contextmanager
def progress_bar(total: int | None = None) -> Iterator[Report]:
    """A line for each thing that is counted; silent where standard error is no terminal.

    Args:
        total: how many there will be; ``None`` where nobody knows.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr),
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as progress:
        tasks: dict[str, TaskID] = {}

        def report(what: str, count: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.advance(tasks[what], count)

        yield report
