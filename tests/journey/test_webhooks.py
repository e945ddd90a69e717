"""Webhooks: signed calls to a server on loopback, repeated until answered, and never to inner addresses."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import ValidationError

from mailbot import journey
from mailbot.demo.run import demo_app
from mailbot.errors import PermanentError, RetryableError
from mailbot.model.case import CaseState, ClockKind, Deadline
from mailbot.settings import Webhook, WebhookEvent
from mailbot.steps.app import App
from mailbot.steps.parking import leave_to_people
from mailbot.store import cases, clocks, webhooks
from mailbot.store.transaction import reading, transaction
from mailbot.webhooks import Caller, ForbiddenAddressError

SECRET = "a secret of thirty-two characters"


@dataclass(slots=True, kw_only=True)
class Listener:
    """Answers calls with the statuses given, then with 204, and keeps what it heard."""

    address: str = ""
    statuses: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], str]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            listener.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = listener.statuses.pop(0) if listener.statuses else 204
            self.send_response(status)
            self.send_header("Location", listener.address)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    listener.address = f"http://127.0.0.1:{server.server_port}/hook?a=b"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(slots=True, kw_only=True)
class Told:
    """A mailbot with a webhook, the listener that it calls, and a clock that can be put forward."""

    app: App
    listener: Listener
    ahead: timedelta = timedelta()

    def escalate(self, why: str = "low_confidence") -> str:
        with transaction(self.app.engine) as session:
            now = self.app.now()
            case = cases.open_case(
                session, subject="Ring", customer="jane@example.org", language="en", requested_at=now, now=now
            )
            leave_to_people(session, case, why, now)
            return cases.number_of(case.id)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """Give a mailbot whose webhook listens; its past has been left behind."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with demo_app("127.0.0.1:0") as (app, _), listening() as listener:
        hook = Webhook(name="crm", url=listener.address, secret_env="HOOK_SECRET", private=True)
        settings = app.settings.model_copy(update={"webhooks": (hook,)})
        told = Told(app=app, listener=listener)
        real = app.judgement.clock
        judgement = replace(app.judgement, settings=settings, clock=lambda: real() + told.ahead)
        told.app = replace(app, judgement=judgement)
        told.escalate("long ago")
        assert journey.tell_others(told.app) == 0
        yield told


def test_an_escalation_is_told_once_and_signed_over_time_and_body(told: Told) -> None:
    number = told.escalate()
    assert journey.tell_others(told.app) == 1
    assert journey.tell_others(told.app) == 0
    ((headers, body),) = told.listener.heard
    assert json.loads(body)["case"] == number
    assert {name: json.loads(body)[name] for name in ("event", "why")} == {
        "event": "case_escalated",
        "why": "low_confidence",
    }
    assert "jane" not in body
    time, _, digest = headers["x-mailbot-signature"].partition(",v1=")
    signed = hmac.new(SECRET.encode(), f"{time.removeprefix('t=')}.{body}".encode(), hashlib.sha256)
    assert hmac.compare_digest(digest, signed.hexdigest())
    assert abs(int(time.removeprefix("t=")) - told.app.now().timestamp()) < 60
    assert headers["x-mailbot-id"] == json.loads(body)["id"]


def test_a_call_that_is_not_answered_is_made_again_later_with_the_same_body(told: Told) -> None:
    told.escalate()
    told.listener.statuses = [500, 302]
    assert [journey.tell_others(told.app) for _ in range(2)] == [0, 0]
    assert len(told.listener.heard) == 1, "the second try waits a minute"
    told.ahead = timedelta(minutes=1, seconds=1)
    assert journey.tell_others(told.app) == 0
    told.ahead = timedelta(minutes=7)
    assert journey.tell_others(told.app) == 1
    assert len({body for _, body in told.listener.heard}) == 1
    assert len({headers["x-mailbot-signature"] for headers, _ in told.listener.heard}) == 3
    assert len({headers["x-mailbot-id"] for headers, _ in told.listener.heard}) == 1


def test_after_the_last_try_and_after_a_410_no_more_calls_are_made(told: Told) -> None:
    told.escalate()
    told.listener.statuses = [410]
    assert journey.tell_others(told.app) == 0
    told.escalate()
    told.listener.statuses = [503] * 20
    for _ in range(20):
        journey.tell_others(told.app)
        told.ahead += timedelta(days=2)
    assert len(told.listener.heard) == 1 + 1 + len(webhooks.PAUSES)
    with reading(told.app.engine) as session:
        ((_, state, count, problem),) = webhooks.counts(session)
    assert (state, count) == ("failed", 2)
    assert problem


def test_a_broken_promise_and_a_refund_that_is_due_are_told(told: Told) -> None:
    number, now = told.escalate(), told.app.now()
    with transaction(told.app.engine) as session:
        case = cases.get(session, number, lock=True)
        hour = timedelta(hours=1)
        promise = Deadline(kind=ClockKind.REPLY, started_at=now - 3 * hour, due_at=now - 2 * hour, limit_at=now - hour)
        clocks.start(session, case.id, promise, running=False)
        cases.move(session, case, CaseState.REFUND_DUE, "decided", now, why="cancel")
    journey.watch_clocks(told.app)
    assert journey.tell_others(told.app) == 3
    events = {json.loads(body)["event"]: json.loads(body) for _, body in told.listener.heard}
    assert set(events) == set(WebhookEvent) - {WebhookEvent.ALARM}
    assert events["promise_breached"]["promise"] == "reply"
    assert {event["case"] for event in events.values()} == {number}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "[2002:a00:1::]"]
)
def test_no_call_goes_inside_unless_that_is_said(host: str) -> None:
    with pytest.raises(ForbiddenAddressError, match="not public"):
        Caller().call(f"https://{host}:9/", b"{}", {}, private=False)


def test_a_server_that_is_not_there_is_called_again_later() -> None:
    with pytest.raises(RetryableError):
        Caller().call("http://127.0.0.1:9/", b"{}", {}, private=True)
    assert issubclass(ForbiddenAddressError, PermanentError)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"url": "http://example.com/"}, "in the clear"),
        ({"url": "https://user:word@example.com/"}, "holds a password"),
        ({"url": "ftp://example.com/"}, "web address"),
        ({"events": ()}, "at least 1"),
    ],
)
def test_an_unsafe_webhook_is_refused(wrong: dict[str, object], why: str) -> None:
    given = {"name": "x", "url": "https://example.com/", "secret_env": "X"}
    with pytest.raises(ValidationError, match=why):
        Webhook.model_validate(given | wrong)
