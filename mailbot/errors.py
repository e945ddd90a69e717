"""Every error raised on purpose, in three branches that say what to do next."""

from reprlib import Repr


class MailbotError(Exception):
    """Root of the errors that mailbot raises itself; never raised bare."""


class InputError(MailbotError):
    """A person mends it: the input or the configuration is wrong (exit code 2)."""


class RetryableError(MailbotError):
    """Back off and try again: a server, a link or a lock was not there this time."""


class AmbiguousError(RetryableError):
    """Nobody knows whether it happened: the message was handed over and no answer came."""


class PermanentError(MailbotError):
    """Trying again will not help: escalate now (exit code 1)."""


_MOST_SHOWN = 60
_MOST_BITS = 200
_SHORTENED = Repr()
_SHORTENED.maxlevel, _SHORTENED.maxstring, _SHORTENED.maxother = 2, _MOST_SHOWN, _MOST_SHOWN


def shown(value: object) -> str:
    """A value as an error text shows it: quoted, and cut where it is long or deep."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return "an endless number"
    text = _SHORTENED.repr(value)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."
