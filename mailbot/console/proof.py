"""The one page that customers see, without signing in: it proves who wrote, when its button is pressed.

A GET shows the page and changes nothing, because mail scanners follow links; only the form's POST uses the link.
Every link gets the same page, and a used one the same answer as one that never was.
Source: RELIABILITY.md, Who is the sender, "Verification mail".
"""

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
        loader = jinja2.FileSystemLoader(find_folder("templates") / "console")
        environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
        self._template = environment.get_template("proof.html")

    async def show(self, request: Request) -> Response:
        """The page with its button."""
        token = request.query_params.get("token", "")[:_MOST_TOKEN]
        return self._page(step="ask" if token else "bad", token=token)

    async def use(self, request: Request) -> Response:
        """The button was pressed."""
        form = await request.form(max_files=0, max_fields=2)
        proven = await run_in_threadpool(prove_by_link, self._app, str(form.get("token", "")))
        return self._page(200 if proven else 403, step="done" if proven else "bad", token="")

    def _page(self, status: int = 200, **values: Any) -> Response:
        shop = self._app.settings.shop
        page = self._template.render(shop=shop.name, support_address=shop.support_address, **values)
        return HTMLResponse(page, status_code=status)
