"""The customers' side: what was handed over is listed, readable, and its HTML can do nothing."""

from collections.abc import Iterator
from email.message import EmailMessage
from http.client import HTTPResponse
from urllib.error import HTTPError
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
from starlette.applications import Starlette

from mailbot.console.app import serving
from mailbot.demo.mailbox_page import outside
from mailbot.demo.servers import MailServers
from mailbot.ports import Envelope

HTML = "<p>Dear <b>Jane</b></p><script>alert(1)</script>"


def letter(recipient: str, subject: str, text: str) -> Envelope:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Aurelia & Wren <support@shop.example>", recipient, subject
    message["Date"] = "Mon, 23 Nov 2026 10:30:00 +0000"
    message.set_content(text)
    message.add_alternative(HTML, subtype="html")
    return Envelope(sender="", recipient=recipient, data=message.as_bytes())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve the pages over two messages."""
    servers = MailServers()
    servers.start()
    servers.sent += [
        letter("jane@example.org", "Re: my ring", "You can return it."),
        letter("joe@example.net", "Re: <script>alert(2)</script>", "No & no."),
    ]
    page = Starlette(routes=[outside(servers, ZoneInfo("America/New_York"))])
    with serving(page, "127.0.0.1", 0) as address:
        yield address
    servers.stop()


def get(url: str) -> tuple[HTTPResponse, str]:
    with urlopen(url, timeout=10) as response:  # noqa: S310 (our own page on the loopback address)
        return response, response.read().decode()


def test_messages_are_listed_with_the_newest_first(address: str) -> None:
    _, page = get(f"{address}/outside/")
    assert page.index("joe@example.net") < page.index("jane@example.org")
    assert "Mon 23 Nov 05:30" in page
    assert "Re: &lt;script&gt;" in page


def test_a_message_is_shown_as_text_beside_a_sandboxed_frame(address: str) -> None:
    _, page = get(f"{address}/outside/2")
    assert "No &amp; no." in page
    assert '<iframe sandbox src="/outside/2/html"' in page


@pytest.mark.parametrize("path", ["/outside/", "/outside/1"])
def test_a_page_runs_no_script_of_its_own(path: str, address: str) -> None:
    response, page = get(address + path)
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert "<script" not in page
    assert " style=" not in page


def test_the_html_of_a_message_can_do_nothing(address: str) -> None:
    response, page = get(f"{address}/outside/1/html")
    assert response.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'; ")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert page.strip() == HTML


@pytest.mark.parametrize("path", ["/outside/0", "/outside/3", "/outside/3/html", "/outside/x"])
def test_what_was_not_sent_is_not_there(path: str, address: str) -> None:
    with pytest.raises(HTTPError, match="404"):
        get(address + path)
