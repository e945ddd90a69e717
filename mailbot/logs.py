"""How mailbot logs: one event a line on standard error, fields by allow-list, no mail text and no address (I12)."""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from mailbot.model.card_numbers import mask_card_numbers

_FIELDS = frozenset(
    {
        *(
            "event",
            "level",
            "timestamp",
            "mail_id",
            "case",
            "outbox_id",
            "kind",
            "rule",
            "outcome",
            "grade",
            "template",
        ),
        *("mailbox", "stored", "handled", "sent", "listed", "attempt", "problem", "why", "ms", "exception", "fired"),
    }
)


_MOST_TEXT = 1_000
_ADDRESS = re.compile(r"[^\s<>\"'(),;:@]{1,64}@[^\s<>\"'(),;:@]{1,253}")


def set_up_logs(*, verbose: bool) -> None:
    """Send events to standard error: readable on a terminal, JSON lines elsewhere.

    Args:
        verbose: also what went as it should; otherwise warnings and worse.
    """
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _place_of_exception,
            _only_known_fields,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO if verbose else logging.WARNING),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # as it is when the event happens
        cache_logger_on_first_use=False,
    )


def _place_of_exception(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The exception's type and where it came from; never its text, which may quote a mail."""
    if event.pop("exc_info", False):
        kind, _, at = sys.exc_info()
        frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(at)]
        event["exception"] = f"{kind.__name__ if kind else 'exception'} at {' < '.join(reversed(frames))}"
    return event


def _only_known_fields(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: _harmless(value) for name, value in event.items() if name in _FIELDS}


def _harmless(value: Any) -> Any:
    """A value as it may be logged: numbers as they are, texts short, printable, without card numbers and addresses."""
    if value is None or isinstance(value, int | float):
        return value
    text = mask_card_numbers(str(value)[:_MOST_TEXT])
    text = _ADDRESS.sub("<address>", text)
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def say(text: str) -> None:
    """Tell the person at the command line something on standard error, line by line behind the program's name."""
    for line in text.splitlines():
        sys.stderr.write(f"mailbot: {line}\n")
