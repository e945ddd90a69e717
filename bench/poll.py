"""One ``mailbot poll`` with a stopwatch at each stage; the times go to a file, as JSON.

python -m bench.poll TIMES --config FILE poll --json
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailbot import journey
from mailbot.cli import main
from mailbot.sandbox.pool import Sandbox

_STAGES = {"receive": "fetch, store, mark", "handle_all": "understand, decide, queue", "deliver": "send"}
_started = time.perf_counter()
_times: dict[str, float] = {}


def _timed(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return work(*given, **named)
        finally:
            _times[stage] = _times.get(stage, 0.0) + time.perf_counter() - began

    return measured


def _poll_timed(poll: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*given: Any) -> Any:
        _times["start"] = time.perf_counter() - _started
        return poll(*given)

    return measured


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    for name, stage in _STAGES.items():
        setattr(journey, name, _timed(stage, getattr(journey, name)))
    journey.poll = _poll_timed(journey.poll)
    Sandbox.submit = _timed("hand to the reader", Sandbox.submit)  # type: ignore[method-assign]  # measured, then as before
    try:
        main()
    finally:
        file.write_text(json.dumps(_times), encoding="utf-8")
