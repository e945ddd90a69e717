"""The customers' side of the demonstration: every message that mailbot handed over, as its reader would see it."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from mailbot.console.door import HEADERS
from mailbot.console.words import local
from mailbot.demo.servers import MailServers
from mailbot.ports import Envelope
from mailbot.settings import find_folder

_LETTER_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"


def outside(servers: MailServers, zone: ZoneInfo) -> Mount:
    """Pages under ``/outside``: a list of what the SMTP server took, and each message in text and HTML.

    They need the console's base page and style sheet, and are only as guarded as what they are mounted in.

    Args:
        servers: whose ``sent`` is shown.
        zone: times are shown in it.
    """
    views = _Views(servers, zone)
    return Mount(
        "/outside",
        routes=[
            Route("/", views.messages),
            Route("/{number:int}", views.message),
            Route("/{number:int}/html", views.html),
        ],
    )


class _Views:
    """One method a page; messages are numbered from 1, the oldest first."""

    def __init__(self, servers: MailServers, zone: ZoneInfo) -> None:
        self._servers = servers
        folder = find_folder("templates")
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader([folder / "demo", folder / "console"]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["local"] = partial(local, zone=zone)
        self._templates.globals |= {"shop": "Aurelia & Wren, seen from outside", "zone": str(zone)}

    def messages(self, _request: Request) -> Response:
        shown = [_shown(number, sent) for number, sent in enumerate(self._servers.sent, 1)]
        return self._page("outside.html", messages=shown[::-1])

    def message(self, request: Request) -> Response:
        number, sent = self._asked_for(request)
        return self._page("message.html", message=_shown(number, sent), text=_part(sent, "plain"))

    def html(self, request: Request) -> Response:
        _, sent = self._asked_for(request)
        return HTMLResponse(_part(sent, "html"), headers=HEADERS | {"Content-Security-Policy": _LETTER_POLICY})

    def _asked_for(self, request: Request) -> tuple[int, Envelope]:
        number: int = request.path_params["number"]
        if not 0 < number <= len(self._servers.sent):
            raise HTTPException(404, "There is no such message.")
        return number, self._servers.sent[number - 1]

    def _page(self, name: str, **values: Any) -> Response:
        return HTMLResponse(self._templates.get_template(name).render(**values), headers=HEADERS)


def _message(sent: Envelope) -> EmailMessage:
    """One message that mailbot itself has composed, so that the library's own reader will do."""
    return message_from_bytes(sent.data, policy=default)


def _shown(number: int, sent: Envelope) -> dict[str, Any]:
    message = _message(sent)
    return {
        "number": number,
        "recipient": sent.recipient,
        "sender": str(message["From"]),
        "subject": str(message["Subject"]),
        "at": parsedate_to_datetime(str(message["Date"])),
    }


def _part(sent: Envelope, subtype: str) -> str:
    body = _message(sent).get_body((subtype,))
    return "" if body is None else str(body.get_content())
