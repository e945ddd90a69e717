"""Every answer keeps to itself, whatever it answers. Source: RELIABILITY.md, "Console"."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailbot.store.transaction import open_engine
from tests.console.visits import Answer, Console, Serve, Visitor

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
WANTED = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def protection(answer: Answer) -> dict[str, str | None]:
    return {name: answer.headers.get(name) for name in WANTED}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/cases/RF-000001", 200),
        ("GET", "/cases/RF-999999", 404),
        ("GET", "/nothing", 404),
        ("GET", "/favicon.ico", 404),
        ("POST", "/", 405),
        ("DELETE", "/cases/RF-000001", 405),
        ("OPTIONS", "/", 405),
        ("GET", "/sign-in", 200),
        ("PUT", "/sign-in", 405),
        ("POST", "/sign-in", 403),
        ("GET", "/static/console.css", 200),
        ("HEAD", "/static/console.css", 200),
        ("GET", "/static/nothing.css", 404),
        ("POST", "/static/console.css", 405),
        ("GET", "/outside/", 200),
        ("GET", "/outside/999", 404),
    ],
)
def test_an_answer_to_an_operator_is_protected(method: str, path: str, status: int, operator: Visitor) -> None:
    answer = operator.ask(path, method, {"Origin": operator.address})
    assert (answer.status, protection(answer)) == (status, WANTED)


@pytest.mark.parametrize(
    ("method", "path", "origin", "status"),
    [
        ("GET", "/", None, 303),
        ("GET", "/nothing", None, 303),
        ("GET", "/sign-in?token=x", None, 200),
        ("POST", "/sign-in", "https://evil.example", 403),
        ("POST", "/", None, 403),
        ("GET", "/static/../x", None, 404),
    ],
)
def test_an_answer_to_a_stranger_is_protected(
    method: str, path: str, origin: str | None, status: int, visitor: Visitor
) -> None:
    answer = visitor.ask(path, method, {"Origin": origin} if origin else {})
    assert (answer.status, protection(answer)) == (status, WANTED)


def test_head_says_what_get_says_without_the_page(operator: Visitor) -> None:
    said, shown = operator.ask("/", "HEAD"), operator.ask("/")
    assert said.text == ""
    assert said.headers["content-length"] == shown.headers["content-length"] == str(len(shown.text.encode()))


def test_a_method_that_a_page_does_not_take_is_named_with_those_it_does(operator: Visitor) -> None:
    answer = operator.ask("/", "POST", {"Origin": operator.address})
    assert {method.strip() for method in answer.headers["allow"].split(",")} == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/", "/cases/RF-000001", "/sign-in", "/cases/RF-999999"])
def test_pages_are_kept_nowhere(path: str, operator: Visitor) -> None:
    assert operator.ask(path).headers["cache-control"] == "no-store"


def test_over_tls_the_browser_is_told_to_stay_there(visitor: Visitor) -> None:
    answer = visitor.ask("/sign-in", headers={"X-Forwarded-Proto": "https"})
    assert "max-age=" in answer.headers.get("strict-transport-security", "")


def test_without_tls_the_browser_is_not_told_to_use_it(visitor: Visitor) -> None:
    assert "strict-transport-security" not in visitor.ask("/sign-in").headers


def test_the_server_says_nothing_of_what_it_is(visitor: Visitor) -> None:
    assert "server" not in visitor.ask("/sign-in").headers


@pytest.mark.parametrize("path", ["/", "/sign-in"])
def test_trouble_inside_is_told_without_its_inside(
    path: str, console: Console, served: Serve, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = open_engine(f"sqlite:///{tmp_path}/no-tables.db")
    try:
        with served(replace(console.app, engine=gone)) as broken:
            operator = broken.visitor()
            operator.cookie = "mailbot=" + "x" * 43
            answer = operator.submit(path, {"token": "x"}) if path == "/sign-in" else operator.ask(path)
    finally:
        gone.dispose()
    assert (answer.status, protection(answer)) == (500, WANTED)
    assert "sessions" not in answer.text
    assert "Traceback" not in answer.text
    assert "Traceback" not in capfd.readouterr().err, "the log names the place; it quotes nothing"
