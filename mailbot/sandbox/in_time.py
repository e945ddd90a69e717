"""The steps of reading that a mail could keep busy, each with a clock of its own, so that the rest of the mail is read.

A clock counts what this process computes, so that no mail pays for a busy machine. What runs in C is left when it next
comes back to Python or, as regular expressions do, looks for signals; the child's own 60 s stand behind that.
Source: RELIABILITY.md, Limits, "PDF", "HTML used" and "regexes".
"""

import re
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from mailbot.model.reading import OrderNumberCandidate
from mailbot.understand.html_text import HtmlText, read_html, without_tags
from mailbot.understand.invoice_papers import Readers
from mailbot.understand.invoice_pdf import PdfContent, read_pdf
from mailbot.understand.number_pattern import SqueezedPattern
from mailbot.understand.order_number import OrderNumbers
from mailbot.understand.unreadable import UnreadableError

_MOST_SECONDS_A_PDF = 10.0
_MOST_SECONDS_A_PAGE = 2.0
_MOST_SECONDS_A_TEXT = 0.1
_LOOKS = 10
_T = TypeVar("_T")


class _TooSlowError(Exception):
    """A step ran out of time; it never leaves this module."""


class _Clock:
    """So many seconds of computing for a step; it looks ten times in that whether what it times is at work.

    Attributes:
        at_work: whether what goes on at this moment counts.
    """

    def __init__(self, seconds: float, *, at_work: bool = True) -> None:
        self.at_work = at_work
        self._every, self._seen, self._runs = seconds / _LOOKS, 0, False

    def run(self, step: Callable[[], _T]) -> _T:
        """Do the step; outside of the main thread, where no signals come, without a limit.

        Raises:
            _TooSlowError: its time is over.
        """
        if threading.current_thread() is not threading.main_thread():
            return step()
        before = signal.signal(signal.SIGPROF, self._look)
        try:
            self._runs = True
            signal.setitimer(signal.ITIMER_PROF, self._every, self._every)
            return step()
        finally:
            self._runs = False  # first of all: a signal that comes late must not be heard outside
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def _look(self, _signal: int, _frame: object) -> None:
        self._seen += self.at_work
        if self._runs and self.at_work and self._seen >= _LOOKS:
            raise _TooSlowError


def _read_pdf(data: bytes) -> PdfContent:
    try:
        return _Clock(_MOST_SECONDS_A_PDF).run(lambda: read_pdf(data))
    except _TooSlowError:
        raise UnreadableError("the PDF takes too long to read") from None


def _read_page(html: str) -> HtmlText:
    try:
        return _Clock(_MOST_SECONDS_A_PAGE).run(lambda: read_html(html))
    except _TooSlowError:
        return without_tags(html, ("html_over_2_s",))


READERS = Readers(pdf=_read_pdf, page=_read_page)
"""A PDF that takes too long is unreadable; of a page that does, only tags are removed, and it says so."""


class NumbersInTime:
    """The shop's order numbers in one mail; its pattern has 100 ms for each text.

    Attributes:
        slow: in some text it needed more, so that no number was taken from that.
    """

    def __init__(self, order_numbers: OrderNumbers) -> None:
        self._order_numbers = order_numbers
        self.slow = False

    def find(self, text: str, part: str, quoted: Sequence[tuple[int, int]] = ()) -> tuple[OrderNumberCandidate, ...]:
        """As ``OrderNumbers.find``."""
        return self._in_time(lambda numbers: numbers.find(text, part, quoted))

    def keys(self, text: str) -> tuple[str, ...]:
        """As ``OrderNumbers.keys``."""
        return self._in_time(lambda numbers: numbers.keys(text))

    def _in_time(self, look: Callable[[OrderNumbers], tuple[_T, ...]]) -> tuple[_T, ...]:
        clock = _Clock(_MOST_SECONDS_A_TEXT, at_work=False)
        numbers = OrderNumbers(pattern=_timed(self._order_numbers.pattern, clock))
        try:
            return clock.run(lambda: look(numbers))
        except _TooSlowError:
            self.slow = True
            return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _TimedPattern(SqueezedPattern):
    clock: _Clock

    def search(self, squeezed_text: str, start: int) -> re.Match[str] | None:
        self.clock.at_work = True
        found = self.squeezed.search(squeezed_text, start)
        self.clock.at_work = False
        return found

    def written(self, match: re.Match[str]) -> str | None:
        self.clock.at_work = True
        number = SqueezedPattern.written(self, match)
        self.clock.at_work = False
        return number


def _timed(pattern: SqueezedPattern, clock: _Clock) -> _TimedPattern:
    shop_s = {each.name: getattr(pattern, each.name) for each in fields(SqueezedPattern)}
    return _TimedPattern(**shop_s, clock=clock)
