"""Every route, for every role, with and without the form's token: who may is decided here once more, by hand.

A route that the console has and this table has not fails. Source: RELIABILITY.md, T13.
"""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from secrets import token_hex
from urllib.parse import urlsplit

import pytest

from mailbot import operators
from mailbot.console.app import PAGES
from mailbot.demo.run import demo_app, fill_inbox, work_off
from mailbot.model.people import Role
from mailbot.store import api_tokens
from mailbot.store.transaction import transaction
from tests.console.visits import Console, Serve, Visitor

V, A, P, E, M = Role.VIEWER, Role.AGENT, Role.APPROVER, Role.POLICY_EDITOR, Role.ADMIN
EVERYBODY = {V, A, P, E, M}
WORKERS, APPROVERS, EDITORS, ADMINS = {A, P, M}, {P, M}, {E, M}, {M}
OPEN = None

ROWS: dict[tuple[str, str], set[Role] | None] = {
    ("GET", "/sign-in"): OPEN,
    ("POST", "/sign-in"): OPEN,
    ("GET", "/sign-in/provider"): OPEN,
    ("GET", "/sign-in/return"): OPEN,
    ("GET", "/welcome"): OPEN,
    ("POST", "/welcome"): OPEN,
    ("GET", "/"): EVERYBODY,
    ("POST", "/queue/assign"): WORKERS,
    ("POST", "/views/save"): EVERYBODY,
    ("POST", "/views/drop"): EVERYBODY,
    ("GET", "/account"): EVERYBODY,
    ("POST", "/account/end"): EVERYBODY,
    ("GET", "/account/code"): EVERYBODY,
    ("POST", "/account/code"): EVERYBODY,
    ("GET", "/account/code/picture"): EVERYBODY,
    ("GET", "/cases/{number}"): EVERYBODY,
    ("GET", "/cases/{number}/mails/{mail:int}/html"): EVERYBODY,
    ("GET", "/cases/{number}/mails/{mail:int}/raw"): EVERYBODY,
    ("GET", "/cases/{number}/mails/{mail:int}/parts/{path}"): EVERYBODY,
    ("GET", "/cases/{number}/mails/{mail:int}/parts/{path}/pages"): EVERYBODY,
    ("GET", "/cases/{number}/mails/{mail:int}/parts/{path}/pages/{page:int}"): EVERYBODY,
    ("GET", "/cases/{number}/letters/{letter:int}/html"): EVERYBODY,
    ("GET", "/previews/{name}"): EVERYBODY,
    ("POST", "/cases/{number}/undo"): WORKERS,
    ("POST", "/cases/{number}/dismiss"): WORKERS,
    ("GET", "/dashboard"): EVERYBODY,
    ("GET", "/refunds"): EVERYBODY,
    ("GET", "/policy"): EVERYBODY,
    ("POST", "/policy"): EDITORS,
    ("GET", "/templates"): EVERYBODY,
    ("GET", "/health"): EVERYBODY,
    ("GET", "/playground"): EVERYBODY,
    ("POST", "/playground"): EVERYBODY,
    ("GET", "/people"): ADMINS,
    ("POST", "/people/invite"): ADMINS,
    ("POST", "/people/role"): ADMINS,
    ("POST", "/people/disable"): ADMINS,
    ("POST", "/people/end-session"): ADMINS,
    ("POST", "/people/token"): ADMINS,
    ("POST", "/people/end-token"): ADMINS,
    ("GET", "/audit"): ADMINS,
}
for _verb in (
    "decline",
    "reply",
    "ask",
    "correct",
    "receive",
    "note",
    "assign",
    "snooze",
    "close",
    "reopen",
    "requeue",
    "merge",
):
    ROWS |= {(method, f"/cases/{{number}}/{_verb}"): WORKERS for method in ("GET", "POST")}
    ROWS[("POST", f"/cases/{{number}}/{_verb}/preview")] = WORKERS
for _verb in ("approve", "change", "agree", "pay", "hold", "release", "call-off"):
    ROWS |= {(method, f"/cases/{{number}}/{_verb}"): APPROVERS for method in ("GET", "POST")}
    ROWS[("POST", f"/cases/{{number}}/{_verb}/preview")] = APPROVERS
API_ROWS: dict[tuple[str, str], set[Role]] = {
    ("GET", "/api/v1/openapi.json"): EVERYBODY,
    ("GET", "/api/v1/cases"): EVERYBODY,
    ("GET", "/api/v1/cases/{number}"): EVERYBODY,
    ("GET", "/api/v1/stats"): EVERYBODY,
    ("POST", "/api/v1/cases/{number}/undo"): WORKERS,
    **{
        (method, f"/api/v1{path}"): roles
        for (method, path), roles in ROWS.items()
        if roles is not OPEN and method == "POST" and path.count("/") == 3 and "dismiss" not in path
    },
}
ROWS[("POST", "/sign-out")] = EVERYBODY  # the last, for it ends the session that the others need
GUARDED = {row: roles for row, roles in ROWS.items() if roles is not OPEN}
VALUES = {
    "{number}": "RF-000016",
    "{mail:int}": "16",
    "{path}": "2",
    "{page:int}": "1",
    "{letter:int}": "1",
    "{name}": "x",
}


@pytest.fixture(scope="module")
def trodden(served: Serve) -> Iterator[Console]:
    """A demonstration that forms are thrown at."""
    with demo_app("127.0.0.1:0") as (app, servers):
        fill_inbox(app, servers)
        assert work_off(app) == ()
        with served(app) as console:
            yield console


def address(path: str) -> str:
    for name, value in VALUES.items():
        path = path.replace(name, value)
    return path


def ask(visitor: Visitor, method: str, path: str, form: dict[str, str]) -> int:
    if method == "GET":
        return visitor.ask(address(path)).status
    return visitor.submit(address(path), form).status


def test_every_route_has_a_row() -> None:
    assert {(page.method, page.path) for page in PAGES} == set(ROWS) | set(API_ROWS)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_reaches_what_it_may_and_nothing_else(role: Role, trodden: Console) -> None:
    operator = trodden.operator(role)
    token, wrong = operator.form_token(), []
    for (method, path), roles in GUARDED.items():
        assert roles is not None
        status = ask(operator, method, path, {"form_token": token})
        if (status == 403) != (role not in roles) or status >= 500:
            wrong.append((method, path, status))
    assert wrong == []


def test_no_form_is_taken_without_its_token(trodden: Console) -> None:
    operator, stranger = trodden.operator(), trodden.operator()
    forms: list[dict[str, str]] = [{}, {"form_token": ""}, {"form_token": "x" * 64}]
    forms.append({"form_token": stranger.form_token()})
    taken = [
        (path, form)
        for (method, path), _ in GUARDED.items()
        if method == "POST"
        for form in forms
        if ask(operator, method, path, form) != 403
    ]
    assert taken == []


def test_nothing_but_sign_in_is_open_to_strangers(trodden: Console) -> None:
    stranger = trodden.visitor()
    for method, path in GUARDED:
        answer = stranger.submit(address(path), {}) if method == "POST" else stranger.ask(address(path))
        assert (answer.status, answer.headers["location"], answer.text) == (303, "/sign-in", ""), path
    live = stranger.ask("/live")
    assert live.status == 303


@pytest.mark.parametrize(
    "path",
    [
        *("/cases/RF-000016/mails/1/html", "/cases/RF-000016/mails/1/raw", "/cases/RF-000016/mails/999/raw"),
        *("/cases/RF-999999/mails/16/raw", "/cases/RF-000016/letters/999/html", "/cases/RF-000016/mails/16/parts/9"),
        *("/cases/RF-000016/mails/1/parts/2/pages/1", "/cases/RF-000016/mails/16/parts/9/pages/1"),
        "/previews/guessed",
    ],
)
def test_what_belongs_to_another_case_is_not_given(path: str, trodden: Console) -> None:
    assert trodden.operator().ask(path).status in {400, 404}


@pytest.mark.parametrize("number", ["RF-999999", "x", "0"])
@pytest.mark.parametrize("verb", ["approve", "reply", "undo", "note"])
def test_an_order_on_a_case_that_is_not_there_is_refused(verb: str, number: str, trodden: Console) -> None:
    assert trodden.operator().order(f"/cases/{number}/{verb}", {"text": "x"}).status in {400, 404}


def a_token(console: Console, role: Role) -> str:
    with transaction(console.app.engine) as session:
        return api_tokens.make(session, f"{role} {token_hex(4)}", role, "test", console.app.now())


@pytest.mark.parametrize("role", list(Role))
def test_news_is_for_everybody_who_is_signed_in_and_by_get_alone(role: Role, trodden: Console) -> None:
    operator = trodden.operator(role)
    for path in ("/live", "/live?case=RF-000016"):
        assert first_line(operator, path) == (200, "text/event-stream; charset=utf-8", b"retry: 5000\n")
    assert operator.ask("/live?case=RF-999999").status == 404
    assert operator.submit("/live", {"form_token": operator.form_token()}).status == 405


def first_line(visitor: Visitor, path: str) -> tuple[int, str | None, bytes]:
    """The beginning of an answer that never ends."""
    link = HTTPConnection(urlsplit(visitor.address).netloc, timeout=20)
    try:
        link.request("GET", path, headers={"Cookie": visitor.cookie or ""})
        answer = link.getresponse()
        return answer.status, answer.getheader("content-type"), answer.readline()
    finally:
        link.close()


@pytest.mark.parametrize("role", list(Role))
def test_a_token_reaches_what_its_role_may_and_nothing_else(role: Role, trodden: Console) -> None:
    script, wrong = trodden.visitor(), []
    headers = {"Authorization": f"Bearer {a_token(trodden, role)}", "Content-Type": "application/json"}
    for (method, path), roles in API_ROWS.items():
        status = script.ask(address(path), method, headers, "{}" if method == "POST" else None).status
        if (status == 403) != (role not in roles) or status >= 500:
            wrong.append((method, path, status))
    assert wrong == []


@pytest.mark.parametrize("bearer", [None, "", "Bearer", "Bearer x", "Basic eDp5", "Bearer mbt_" + "x" * 43])
def test_the_api_takes_no_cookie_and_no_made_up_token(bearer: str | None, trodden: Console) -> None:
    operator = trodden.operator()
    headers = {} if bearer is None else {"Authorization": bearer}
    for method, path in API_ROWS:
        assert operator.ask(address(path), method, headers).status == 401


def test_a_token_that_was_ended_lets_nobody_in(trodden: Console) -> None:
    token = a_token(trodden, Role.ADMIN)
    headers = {"Authorization": f"Bearer {token}"}
    assert trodden.visitor().ask("/api/v1/cases", headers=headers).status == 200
    with transaction(trodden.app.engine) as session:
        for row in api_tokens.all_tokens(session):
            api_tokens.end(session, row.id, trodden.app.now())
    assert trodden.visitor().ask("/api/v1/cases", headers=headers).status == 401


def test_a_script_sees_acts_and_is_stopped_when_stale(trodden: Console) -> None:
    headers = {"Authorization": f"Bearer {a_token(trodden, Role.APPROVER)}", "Content-Type": "application/json"}
    script = trodden.visitor()
    listed = json.loads(script.ask("/api/v1/cases?q=AW-10369&view=all", headers=headers).text)
    (case,) = listed["cases"]
    shown = json.loads(script.ask(f"/api/v1/cases/{case['case']}", headers=headers).text)
    body = json.dumps({"text": "from a script", "seen": shown["seen"]})
    assert script.ask(f"/api/v1/cases/{case['case']}/note", "POST", headers, body).status == 200
    held = script.ask(f"/api/v1/cases/{case['case']}/reply", "POST", headers, json.dumps({"text": "Soon."}))
    assert (held.status, json.loads(held.text)["held"]) == (202, True)
    assert script.ask(f"/api/v1/cases/{case['case']}/undo", "POST", headers, "").status == 200
    operators.reply(trodden.app, case["case"], "mia@shop.example", "Done.")
    assert script.ask(f"/api/v1/cases/{case['case']}/note", "POST", headers, body).status == 409
    for nonsense in ("[]", "{", '{"seen": "x"}', '{"text": {}}'):
        assert script.ask(f"/api/v1/cases/{case['case']}/note", "POST", headers, nonsense).status == 400


def test_the_openapi_document_names_every_path(trodden: Console) -> None:
    headers = {"Authorization": f"Bearer {a_token(trodden, Role.VIEWER)}"}
    document = json.loads(trodden.visitor().ask("/api/v1/openapi.json", headers=headers).text)
    named = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert named == set(API_ROWS)
    assert document["openapi"] == "3.1.0"
