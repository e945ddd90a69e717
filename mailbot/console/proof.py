"""The one page that customers see, without signing in: it proves who wrote, when its button is pressed.

A GET shows the page and changes nothing, because mail scanners follow links; only the form's POST uses the link.
Every link gets the same page, and a used one the same answer as one that never was. The browser says in which language.
Source: RELIABILITY.md, Who is the sender, "Verification mail".
"""

import tomllib
from typing import Any

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from mailbot.settings import find_folder
from mailbot.steps.acting import PROOF_PATH
from mailbot.steps.app import App
from mailbot.steps.proving import prove_by_link

_MOST_TOKEN = 100
_MOST_WANTED = 20  # languages of a browser that are looked at


def proof_routes(app: App) -> list[BaseRoute]:
    """The route of the page; none where the shop has no public address."""
    if not app.settings.console.public_url:
        return []
    page = _Page(app)
    return [Route(PROOF_PATH, page.show, methods=["GET"]), Route(PROOF_PATH, page.use, methods=["POST"])]


class _Page:
    """Shows the page and takes its form."""

    def __init__(self, app: App) -> None:
        self._app = app
        folder = find_folder("templates") / "console"
        loader = jinja2.FileSystemLoader(folder)
        environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
        self._template = environment.get_template("proof.html")
        shop = {"shop": app.settings.shop.name, "address": app.settings.shop.support_address}
        written = tomllib.loads((folder / "proof.toml").read_text(encoding="utf-8"))
        self._words = {
            language: {name: text.format_map(shop) for name, text in words.items()}
            for language, words in written.items()
        }

    async def show(self, request: Request) -> Response:
        """The page with its button."""
        token = request.query_params.get("token", "")[:_MOST_TOKEN]
        return self._page(request, step="ask" if token else "bad", token=token)

    async def use(self, request: Request) -> Response:
        """The button was pressed."""
        form = await request.form(max_files=0, max_fields=2)
        proven = await run_in_threadpool(prove_by_link, self._app, str(form.get("token", "")))
        return self._page(request, 200 if proven else 403, step="done" if proven else "bad", token="")

    def _page(self, request: Request, status: int = 200, **values: Any) -> Response:
        language = self._language(request.headers.get("accept-language", ""))
        page = self._template.render(language=language, words=self._words[language], **values)
        return HTMLResponse(page, status_code=status, headers={"Vary": "Accept-Language"})

    def _language(self, wanted: str) -> str:
        """The first of a browser's languages that the page has, as browsers list them (RFC 9110, 12.5.4)."""
        ranges = [each.strip().partition("-")[0].partition(";")[0].lower() for each in wanted.split(",")[:_MOST_WANTED]]
        return next(each for each in (*ranges, self._app.settings.shop.language, "en") if each in self._words)
