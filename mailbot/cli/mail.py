"""Verbs that run mailbot or show what it would do with a mail."""

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mailbot import bootstrap, journey
from mailbot.cli.explained import print_explained
from mailbot.cli.options import Config, Json, print_json, settings_for, settings_or_example
from mailbot.cli.progress import progress_bar
from mailbot.console.door import make_link
from mailbot.desk.orders import perform_due
from mailbot.errors import InputError
from mailbot.inbound.arrival import read_arrival
from mailbot.logs import say
from mailbot.model.book import BookedOrder
from mailbot.sandbox.pool import ReadingFailedError
from mailbot.settings import Settings
from mailbot.steps.app import App, Judgement
from mailbot.steps.explaining import Explained, Lookup, unreadable
from mailbot.steps.explaining import explain as explain_mail
from mailbot.store import orders as book
from mailbot.store import users
from mailbot.store.sessions import Link
from mailbot.store.transaction import reading
from mailbot.worker import working

_AT_ONCE = 50
_ANY_PORT = "127.0.0.1:0"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"--at: {text!r} is not a time such as 2026-03-10T09:00:00Z") from None
    if moment.tzinfo is None:
        raise InputError(f"--at: {text!r} has no time zone; write it with an offset, such as 2026-03-10T09:00:00Z")
    return moment


def poll(context: typer.Context, *, as_json: Json = False, config: Config = None) -> None:
    """One pass over every mailbox: ingest, decide, send; then exit (for cron and tests)."""
    settings = settings_for(context, config)
    with progress_bar() as report, bootstrap.open_app(settings, report) as opened:
        app = bootstrap.note_start(opened)
        perform_due(app)
        passed = journey.poll(app)
    for name in passed.busy:
        say(f"mailbox {name} is being polled by another process; left to it")
    for problem in passed.failed:
        say(problem)
    if as_json:
        print_json(
            {
                "stored": passed.stored,
                "handled": passed.handled,
                "sent": passed.sent,
                "busy": list(passed.busy),
                "failed": list(passed.failed),
            }
        )
    else:
        sys.stdout.write(f"{passed.stored} mails stored, {passed.handled} handled, {passed.sent} messages sent\n")
    if passed.failed:
        raise typer.Exit(1)


def explain(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with .eml files in them.")],
    *,
    orders: Annotated[Path | None, typer.Option(help="An order file in place of the order book.")] = None,
    at: Annotated[datetime | None, typer.Option(parser=_moment, help="When files without Received arrived.")] = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show what the bot would understand, decide and reply, and why. Changes nothing."""
    settings = settings_or_example(context, config)
    files = list(_files(paths))
    with ExitStack() as parts:
        lookup = _lookup(parts, settings, orders)
        judgement = parts.enter_context(bootstrap.open_judgement(settings))
        report = parts.enter_context(progress_bar(len(files)))
        for start in range(0, len(files), _AT_ONCE):
            for explained in _explained(judgement, files[start : start + _AT_ONCE], at, lookup):
                if as_json:
                    print_json(explained.form)
                else:
                    print_explained(explained)
                report("mails", 1)


def _explained(judgement: Judgement, files: Sequence[Path], at: datetime | None, lookup: Lookup) -> Iterator[Explained]:
    pending = []
    for file in files:
        raw = _bytes(file)
        arrived_at = read_arrival(raw) or at or bootstrap.now()
        pending.append((file, arrived_at, judgement.sandbox.submit(raw, arrived_at)))
    for file, arrived_at, answer in pending:
        try:
            yield explain_mail(judgement, file.name, answer.result(), arrived_at, lookup)
        except ReadingFailedError as problem:
            yield unreadable(file.name, str(problem))


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.eml"))
        else:
            yield path


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise InputError(f"{file}: {problem.strerror}") from None


def _lookup(parts: ExitStack, settings: Settings, orders: Path | None) -> Lookup:
    if orders is None:
        store = parts.enter_context(bootstrap.open_store(settings))
        session = parts.enter_context(reading(store))
        return lambda keys: {key: found for key in keys if (found := book.find(session, key)) is not None}
    known: dict[str, BookedOrder] = {}
    for order in bootstrap.read_orders(orders):
        if isinstance(order, BookedOrder):
            known[order.key] = order
        else:
            say(f"{orders}: {order.where}: {order.problem}")
    return lambda keys: {key: known[key] for key in keys if key in known}


def worker(context: typer.Context, *, config: Config = None) -> None:
    """The half that takes in, decides and sends, until it is told to stop."""
    with bootstrap.open_app(settings_for(context, config)) as opened, working(bootstrap.note_start(opened)):
        say("working; stop with Ctrl-C")
        _wait_for_signal()


def console(context: typer.Context, *, config: Config = None) -> None:
    """The half that operators look at, in a browser."""
    with bootstrap.open_app(settings_for(context, config)) as app, _console(app):
        _wait_for_signal()


def run(context: typer.Context, *, config: Config = None) -> None:
    """Worker, scheduler and console in one process, until it is told to stop."""
    with bootstrap.open_app(settings_for(context, config)) as app, _console(app), working(bootstrap.note_start(app)):
        _wait_for_signal()


@contextmanager
def _console(app: App) -> Iterator[None]:
    from mailbot.console.app import make_console, serving  # noqa: PLC0415 (a web server, which a worker does not need)

    host, _, port = app.settings.console.listen.rpartition(":")
    with serving(make_console(app), host, int(port)) as address:
        with reading(app.engine) as session:
            nobody = users.is_empty(session)
        how = f"be its first admin by {make_link(app, Link.FIRST_ADMIN, None, address)}" if nobody else "sign in there"
        say(f"console at {address}; {how}")
        yield


def _wait_for_signal() -> None:
    """Wait until the process is asked to end, by Ctrl-C or by SIGTERM."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: asked.set())
    asked.wait()


def demo(
    *, once: Annotated[bool, typer.Option("--once", help="To the end of the sample inbox, then exit.")] = False
) -> None:
    """The whole system on embedded parts: sample mails in, replies out, the console to look at."""
    from mailbot.demo.run import run_demo  # noqa: PLC0415 (IMAP and SMTP servers, which nothing else needs)

    raise typer.Exit(run_demo(once=once, listen=_ANY_PORT, show=typer.echo, wait=_wait_for_signal))
