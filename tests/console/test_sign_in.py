"""Who gets in: one-time links, the cookie they are traded for, and when both end."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from tests.console.visits import Console, Visitor

PAGES = ("/", "/cases/RF-000001", "/cases/RF-999999", "/outside/", "/outside/1", "/outside/1/html", "/nothing")


def test_a_link_signs_in_once(console: Console, visitor: Visitor) -> None:
    link = console.link()
    first = visitor.sign_in(link)
    assert (first.status, first.headers["location"]) == (303, "/")
    assert visitor.ask("/").status == 200
    second = console.visitor().sign_in(link)
    assert second.status == 403
    assert "set-cookie" not in second.headers
    assert "used before" in second.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_at_a_link_does_not_use_it(method: str, console: Console, visitor: Visitor) -> None:
    link = console.link()
    looked = visitor.ask(link.removeprefix(console.address), method)
    assert "set-cookie" not in looked.headers
    assert visitor.sign_in(link).status == 303


@pytest.mark.parametrize(
    ("minutes", "status"), [pytest.param(59, 303, id="59 min"), pytest.param(61, 403, id="61 min")]
)
def test_a_link_is_good_for_an_hour(minutes: int, status: int, console: Console, visitor: Visitor) -> None:
    link = console.link()
    console.clock.ahead = timedelta(minutes=minutes)
    assert visitor.sign_in(link).status == status


@pytest.mark.parametrize(
    "token", ["", "x", "x" * 100_000, "\N{SNOWMAN}", "\0", "' OR 1=1 --", "../../", "%s{{token}}"], ids=ascii
)
def test_a_token_that_nobody_gave_out_signs_nobody_in(token: str, visitor: Visitor) -> None:
    answer = visitor.submit("/sign-in", {"token": token})
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert token[:20] not in answer.text or len(token) < 2


def test_a_sign_in_form_without_its_field_signs_nobody_in(visitor: Visitor) -> None:
    assert visitor.submit("/sign-in", {}).status == 403


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(console: Console, visitor: Visitor) -> None:
    answer = visitor.sign_in(console.link())
    cookie = answer.headers["set-cookie"]
    name, *flags = (part.strip().lower() for part in cookie.split(";"))
    assert re.fullmatch(r"mailbot=[\w-]{43}", name)
    assert {"httponly", "samesite=lax", "path=/", "max-age=43200"} <= set(flags)
    assert not any(flag.startswith("domain") for flag in flags)


def test_over_tls_the_cookie_goes_over_nothing_else(console: Console, visitor: Visitor) -> None:
    form = {"token": console.link().partition("token=")[2]}
    secure = console.address.replace("http:", "https:")
    answer = visitor.submit("/sign-in", form, Origin=secure, X_Forwarded_Proto="https")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-mailbot=")
    assert {"secure", "httponly", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert visitor.ask("/", headers={"Cookie": cookie.partition(";")[0]}).status == 303, "not without TLS"


def test_a_console_without_an_identity_provider_offers_none(visitor: Visitor) -> None:
    assert "/sign-in/provider" not in visitor.ask("/sign-in").text
    assert [visitor.ask(path).status for path in ("/sign-in/provider", "/sign-in/return?code=x&state=")] == [404, 404]


def test_each_sign_in_is_a_session_of_its_own(console: Console) -> None:
    first, second = console.operator(), console.operator()
    assert first.cookie != second.cookie


def test_a_link_s_token_is_no_session(console: Console, visitor: Visitor) -> None:
    token = console.link().partition("token=")[2]
    visitor.cookie = f"mailbot={token}"
    assert visitor.ask("/").status == 303


def test_a_session_s_token_is_no_link(console: Console, operator: Visitor) -> None:
    assert operator.cookie is not None
    assert console.visitor().sign_in("?token=" + operator.cookie.partition("=")[2]).status == 403


def test_a_session_ends_after_half_an_hour_without_use(console: Console, operator: Visitor) -> None:
    console.clock.ahead = timedelta(minutes=29)
    assert operator.ask("/").status == 200
    console.clock.ahead = timedelta(minutes=29 + 29)
    assert operator.ask("/").status == 200
    console.clock.ahead = timedelta(minutes=29 + 29 + 31)
    assert operator.ask("/").status == 303
    console.clock.ahead = timedelta()
    assert operator.ask("/").status == 200, "only the clock had been wrong"


def test_a_session_ends_after_twelve_hours_of_use(console: Console, operator: Visitor) -> None:
    for minutes in range(0, 12 * 60, 25):
        console.clock.ahead = timedelta(minutes=minutes)
        assert operator.ask("/").status == 200
    console.clock.ahead = timedelta(hours=12, minutes=1)
    assert operator.ask("/").status == 303


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_no_page_without_a_session(method: str, path: str, visitor: Visitor) -> None:
    answer = visitor.ask(path, method, {"Origin": visitor.address})
    assert (answer.status, answer.headers["location"], answer.text) == (303, "/sign-in", "")


@pytest.mark.parametrize(
    "cookie",
    ["mailbot=", "mailbot=x", "mailbot", "__Host-mailbot=x", "mailbot=" + "x" * 8000, 'mailbot="', "mailbot=\xff"],
    ids=lambda cookie: ascii(cookie)[:30],
)
def test_a_cookie_that_nobody_gave_out_opens_nothing(cookie: str, visitor: Visitor) -> None:
    visitor.cookie = cookie
    assert visitor.ask("/").status == 303


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.example"}, id="other site"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, id="other port"),
        pytest.param({"Origin": "http://127.0.0.1.evil.example"}, id="longer name"),
        pytest.param({"Origin": "null"}, id="null and nothing else"),
        pytest.param({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, id="sandboxed frame"),
        pytest.param({"Origin": ""}, id="empty"),
        pytest.param({"Origin": "http://[::1"}, id="no address"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="fetch metadata alone"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="neighbour port"),
        pytest.param({"Sec-Fetch-Site": "none"}, id="typed in"),
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/", "/cases/RF-000001"])
def test_a_form_of_another_site_is_refused(
    path: str, headers: dict[str, str], console: Console, operator: Visitor
) -> None:
    token = console.link().partition("token=")[2]
    answer = operator.submit(path, {"token": token}, **headers)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert operator.sign_in(f"?token={token}").status == 303, "the refused form has not used the link"


def test_a_form_that_names_no_origin_is_refused(console: Console, visitor: Visitor) -> None:
    body = "token=" + console.link().partition("token=")[2]
    answer = visitor.ask("/sign-in", "POST", {"Content-Type": "application/x-www-form-urlencoded"}, body)
    assert answer.status == 403


def test_a_browser_that_keeps_its_origin_to_itself_is_let_in(console: Console, visitor: Visitor) -> None:
    """Under ``Referrer-Policy: no-referrer`` a browser names its origin ``null`` (Fetch, "append a request Origin")."""
    form = {"token": console.link().partition("token=")[2]}
    assert visitor.submit("/sign-in", form, Origin="null", Sec_Fetch_Site="same-origin").status == 303


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "x/static/?", "x/sign-in?", "static", "", "127.0.0.1@evil.example", "a b"],
)
@pytest.mark.parametrize(
    "path", ["/", "/cases/RF-000001", "/cases/RF-000001/", "//evil.example/", "/static", "/sign-in/"]
)
def test_a_made_up_host_opens_nothing_and_is_never_led_to(path: str, host: str, visitor: Visitor) -> None:
    answer = visitor.ask(path, headers={"Host": host})
    assert answer.status in {303, 307, 400, 404}
    assert "RF-0" not in answer.text
    assert urlsplit(answer.headers.get("location", "")).netloc in {"", urlsplit(visitor.address).netloc}


@pytest.mark.parametrize(
    "path",
    [
        *("/static/../queue.html", "/static/%2e%2e/queue.html", "/static/..%2fqueue.html", "/static/..%5cqueue.html"),
        *("/static//etc/passwd", "/static/console.css/../../case.html", "/sign-in/../", "/sign-in/%2e%2e/", "/static/"),
        *("http://evil.example/static/../", "/sign-inside", "/static%00", "/static/console.css%00.html"),
    ],
)
def test_the_open_paths_lead_nowhere_else(path: str, visitor: Visitor) -> None:
    answer = visitor.ask(path)
    assert answer.status in {303, 400, 404}
    assert "RF-0" not in answer.text
    assert "{%" not in answer.text
