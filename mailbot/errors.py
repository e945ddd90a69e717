"""Every error raised on purpose, in three branches that say what to do next."""


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


def shown(value: object) -> str:
    """A value as an error text shows it: quoted, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."
