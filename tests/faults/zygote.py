"""A process that makes passes of mailbot in children of its own: a child costs a fork, no start of Python.

It reads one JSON object a line and answers each with one: how the pass ended. Run as ``python -m tests.faults.zygote``.
"""

import gc
import json
import logging
import os
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast
from zoneinfo import ZoneInfo

import structlog
from alembic.script import ScriptDirectory
from sqlalchemy.orm import configure_mappers

from mailbot import bootstrap, failpoints, journey
from mailbot.act.reply import load_templates
from mailbot.errors import AmbiguousError, PermanentError, RetryableError
from mailbot.model.mail import RawMail
from mailbot.model.reading import Reading  # noqa: TC001 (said in an annotation only, and read by people)
from mailbot.policy.table import parse_policy
from mailbot.ports import Envelope, Folder, Handover, Listed, Mailbox, MailTransport, Mark
from mailbot.sandbox.examine import Examiner
from mailbot.sandbox.pool import ReadingFailedError, Sandbox
from mailbot.sandbox.rules import request_bytes, rules_bytes
from mailbot.settings import find_folder, load_settings
from mailbot.steps.app import App
from mailbot.store import instance
from mailbot.store.readings import parse_reading
from tests.journey.mails import a_mail, an_invoice
from tests.journey.shop import MORNING, reading_rules

WITHHELD, POISON, BUSY, DEAD, SILENT = b"X-Withheld: once", b"X-Poison: yes", "busy", "dead", "silent"
"""A mail that the server gives late; one that no reader survives; who cannot be written to now, never, or in doubt."""


@dataclass(frozen=True, slots=True)
class DirectReader:
    """Reads mails in this process, which saves a child a test pass; the limited child has tests of its own."""

    examiner: Examiner

    def begin(self) -> None:
        pass

    def submit(self, raw: bytes, received_at: datetime) -> "Future[Reading]":
        """Read one mail at once."""
        answer: Future[Reading] = Future()
        if POISON in raw:
            answer.set_exception(ReadingFailedError("the child ended"))
        else:
            answer.set_result(parse_reading(self.examiner.examine(request_bytes(raw, received_at)).decode()))
        return answer


@dataclass(frozen=True, slots=True)
class _LateFolder:
    inner: Folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def fetch(self, listed: Sequence[Listed]) -> Iterator[RawMail]:
        for mail in self.inner.fetch(listed):
            yield replace(mail, data=None) if WITHHELD in (mail.data or b"") else mail


@dataclass(frozen=True, slots=True)
class _LateMailbox:
    inner: Mailbox

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @contextmanager
    def open(self) -> Iterator[Folder]:
        with self.inner.open() as folder:
            yield cast("Folder", _LateFolder(folder))


@dataclass(frozen=True, slots=True)
class _Refusing:
    """A submission server that refuses some recipients."""

    inner: MailTransport
    busy: bool

    @contextmanager
    def connect(self) -> Iterator[Handover]:
        with self.inner.connect() as link:
            yield _RefusingLink(link, self.busy)


@dataclass(frozen=True, slots=True)
class _RefusingLink:
    inner: Handover
    busy: bool

    def send(self, envelope: Envelope, before_dot: Mark, after_dot: Mark) -> None:
        if envelope.recipient.startswith(DEAD):
            raise PermanentError("550 no such user")
        if self.busy and envelope.recipient.startswith(BUSY):
            raise RetryableError("451 come again")
        if self.busy and envelope.recipient.startswith(SILENT):
            self.inner.send(envelope, before_dot, lambda: None)
            raise AmbiguousError("no answer to the dot")
        self.inner.send(envelope, before_dot, after_dot)


def troubled(app: App, *, now: datetime, late: bool, reader: DirectReader) -> App:
    """A mailbot at a time of the test's, on servers that make difficulties."""
    judgement = replace(app.judgement, clock=lambda: now, sandbox=cast("Sandbox", reader))
    mailboxes = tuple(cast("Mailbox", _LateMailbox(each)) if late else each for each in app.mailboxes)
    return replace(app, judgement=judgement, mailboxes=mailboxes, transport=_Refusing(app.transport, late))


def _pass(request: dict[str, Any], examiner: Examiner, answer_fd: int) -> None:
    reached: Counter[str] = Counter()
    if request["place"]:
        failpoints.arm(failpoints.killing_at(request["place"]))
    else:
        failpoints.arm(lambda name, side: reached.update([f"{name}:{side}"]))
    settings = load_settings(Path(request["config"]), {})
    with bootstrap.open_app(settings) as opened:
        now = datetime.fromisoformat(request["now"])
        app = troubled(opened, now=now, late=request["late"], reader=DirectReader(examiner))
        app = replace(app, journal_folder=Path(request["config"]).parent / "sending")
        passed = journey.poll(app)
    os.write(answer_fd, json.dumps({"failed": passed.failed, "reached": reached}).encode())


def _load_once() -> None:
    """Read here what each child would read again: letters, policy, the tables' newest version."""
    letters, policy = cache(load_templates), cache(parse_policy)
    letters(find_folder("templates") / "reply")
    policy(bootstrap.policy_text(bootstrap.example_settings()), ZoneInfo("America/New_York"))
    scripts = ScriptDirectory(str(find_folder("migrations")))
    scripts.get_current_head()
    for where, name, instead in (
        (bootstrap, "load_templates", letters),
        (bootstrap, "parse_policy", policy),
        (instance, "ScriptDirectory", SimpleNamespace(from_config=lambda _: scripts)),
    ):
        setattr(where, name, instead)


def main() -> None:
    """Answer requests until there are no more."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # nobody reads it
    examiner = Examiner(rules_bytes(reading_rules()))
    DirectReader(examiner).submit(a_mail(invoice=an_invoice()), MORNING)
    configure_mappers()
    _load_once()
    gc.freeze()
    for line in sys.stdin:
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.dup2(os.open(os.devnull, os.O_RDWR), 1)
                _pass(json.loads(line), examiner, theirs)
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                os._exit(status)
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(child, 0)
        form = {"code": os.waitstatus_to_exitcode(status), **json.loads(answer or b"{}")}
        sys.stdout.write(json.dumps(form) + "\n")
        sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Zygote:
    """The test's end of it; use it as a context."""

    process: "subprocess.Popen[str]"

    @classmethod
    def start(cls) -> Self:
        """Start the process."""
        command = [sys.executable, "-m", "tests.faults.zygote"]
        return cls(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

    def poll(self, config: Path, now: datetime, *, place: str = "", late: bool = False) -> dict[str, Any]:
        """Make one pass in a child, which is killed at ``place``; ``code`` is -9 then, 0 where it came to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"config": str(config), "now": now.isoformat(), "place": place, "late": late}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def __enter__(self) -> Self:
        """It runs already."""
        return self

    def __exit__(self, *_error: object) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


if __name__ == "__main__":
    main()
