"""The worker: APScheduler jobs, each one call of a journey function, and IDLE listeners that wake them early."""

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, timedelta
from functools import partial

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from mailbot import bootstrap, journey
from mailbot.desk.orders import perform_due
from mailbot.errors import MailbotError
from mailbot.ports import Mailbox
from mailbot.steps.app import App
from mailbot.steps.guarding import Tick, notice_drift

_HANDLE_EVERY = timedelta(seconds=5)
_ORDERED_EVERY = timedelta(seconds=2)
_DELIVER_EVERY = timedelta(seconds=5)
_CLOCKS_EVERY = timedelta(seconds=60)
_SILENCE_EVERY = timedelta(minutes=5)
_GUARD_EVERY = timedelta(minutes=10)
_EPOCH_EVERY = timedelta(minutes=5)
_IDLE_SECONDS = 300.0
_AFTER_TROUBLE_SECONDS = 30.0
_M_ARENA_MAX, _ARENAS = -8, 2  # malloc.h of glibc

log = structlog.get_logger()


@contextmanager
def working(app: App) -> Iterator[None]:
    """Work in the background for as long as the context lasts; ending it waits for what is being done."""
    _share_arenas()
    stopping = threading.Event()
    scheduler = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 2, "misfire_grace_time": None}
    )
    wake = partial(_wake, scheduler, app)
    for mailbox, settings in zip(app.mailboxes, app.settings.mailboxes, strict=True):
        _add(scheduler, app, f"receive/{mailbox.name}", partial(_receive, app, mailbox, wake), settings.poll_seconds)
        listener = threading.Thread(target=_listen, args=(mailbox, wake, stopping), daemon=True)
        listener.start()
    _add(scheduler, app, "handle", partial(_handle, app, wake), _HANDLE_EVERY.total_seconds())
    _add(scheduler, app, "ordered", partial(_perform, app, wake), _ORDERED_EVERY.total_seconds())
    _add(scheduler, app, "deliver", partial(journey.deliver, app), _DELIVER_EVERY.total_seconds())
    _add(scheduler, app, "clocks", partial(journey.watch_clocks, app), _CLOCKS_EVERY.total_seconds())
    _add(scheduler, app, "drift", _Ticker(app), _CLOCKS_EVERY.total_seconds())
    _add(scheduler, app, "cases", partial(journey.look_after, app), _CLOCKS_EVERY.total_seconds())
    _add(scheduler, app, "silence", partial(journey.notice_silence, app), _SILENCE_EVERY.total_seconds())
    _add(scheduler, app, "guard", partial(journey.guard, app), _GUARD_EVERY.total_seconds())
    if app.settings.webhooks:
        _add(scheduler, app, "webhooks", partial(journey.tell_others, app), _DELIVER_EVERY.total_seconds())
    _add(scheduler, app, "epoch", partial(bootstrap.count_on, app), _EPOCH_EVERY.total_seconds())
    if app.order_source is not None:
        minutes = timedelta(minutes=app.settings.orders.sync_minutes)
        _add(scheduler, app, "orders", partial(journey.sync_orders, app), minutes.total_seconds())
    scheduler.start()
    try:
        yield
    finally:
        stopping.set()
        scheduler.shutdown(wait=True)


def _share_arenas() -> None:
    """Have all threads share two of glibc's memory arenas.

    With one for each of a dozen threads, these held 36 MB after forty minutes of a mail a second, and grew.
    """
    with suppress(AttributeError, OSError):  # another C library, without arenas
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


class _Ticker:
    """Remembers the tick before."""

    def __init__(self, app: App) -> None:
        self._app, self._before = app, Tick(app.now(), time.monotonic())

    def __call__(self) -> None:
        self._before = notice_drift(self._app, self._before, time.monotonic())


def _add(scheduler: BackgroundScheduler, app: App, name: str, work: Callable[[], object], seconds: float) -> None:
    scheduler.add_job(Job(name, work).turn, "interval", seconds=seconds, id=name, name=name, next_run_time=app.now())


class Job:
    """Work that is done by one thread at a time, and once more where it was asked for meanwhile.

    Without that, mail that comes while a pass is under way would wait for the next turn.
    """

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        self._name, self._work = name, work
        self._asked, self._at_it = threading.Event(), threading.Lock()

    def turn(self) -> None:
        """Do the work, or have it done by the thread that is at it; trouble is logged and the next turn tries again."""
        self._asked.set()
        while self._asked.is_set() and self._at_it.acquire(blocking=False):
            try:
                self._asked.clear()
                self._try()
            finally:
                self._at_it.release()

    def _try(self) -> None:
        try:
            self._work()
        except MailbotError as problem:
            log.warning("job_failed", why=self._name, problem=str(problem))
        except Exception:
            log.exception("job_broken", why=self._name)


def _receive(app: App, mailbox: Mailbox, wake: Callable[[str], None]) -> None:
    if journey.receive(app, mailbox):
        wake("handle")


def _handle(app: App, wake: Callable[[str], None]) -> None:
    if journey.handle_all(app):
        wake("deliver")


def _perform(app: App, wake: Callable[[str], None]) -> None:
    if perform_due(app):
        wake("deliver")


def _wake(scheduler: BackgroundScheduler, app: App, name: str) -> None:
    """Have a job run now instead of at its next turn."""
    if scheduler.running:
        scheduler.modify_job(name, next_run_time=app.now())


def _listen(mailbox: Mailbox, wake: Callable[[str], None], stopping: threading.Event) -> None:
    """Wait for new mail by IDLE on a connection of its own; polling goes on whether the server has IDLE or not."""
    while not stopping.is_set():
        try:
            with mailbox.open() as folder:
                while not stopping.is_set():
                    if not folder.can_wait:
                        return
                    if folder.wait(_IDLE_SECONDS):
                        wake(f"receive/{mailbox.name}")
        except MailbotError as problem:
            if not stopping.is_set():
                log.warning("listener_interrupted", mailbox=mailbox.name, problem=str(problem))
            stopping.wait(_AFTER_TROUBLE_SECONDS)
        except Exception:
            log.exception("listener_broken", mailbox=mailbox.name)
            stopping.wait(_AFTER_TROUBLE_SECONDS)
