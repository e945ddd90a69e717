"""The one error for an attachment that cannot be read; it never leaves the reading of invoices."""

from mailbot.errors import InputError


class UnreadableError(InputError):
    """An attachment is damaged, protected, or beyond a limit; the text is one constant reason for people to see."""
