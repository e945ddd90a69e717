"""One request as the views see it: who asks, what was sent, and how a page is answered."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mailbot.console import words
from mailbot.console.banner import Banner
from mailbot.console.figures import Figures
from mailbot.console.presence import Presence
from mailbot.console.previews import Drawings, Previews
from mailbot.model.people import GRANTS, Permission
from mailbot.settings import find_folder
from mailbot.steps.app import App
from mailbot.store.sessions import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the console keeps while it runs: its mailbot, its templates, and who looks at what."""

    app: App
    templates: jinja2.Environment
    presence: Presence
    previews: Previews
    drawings: Drawings
    banner: Banner
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request.

    Attributes:
        who: ``None`` on the pages that are open to everybody.
        form: the fields that were sent, the last of each name; ``several`` has them all.
        files: what was uploaded, by field.
    """

    desk: Desk
    request: Request
    who: SignedIn | None
    form: Mapping[str, str] = field(default_factory=dict)
    several: Mapping[str, list[str]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def app(self) -> App:
        """The mailbot behind the console."""
        return self.desk.app

    @property
    def name(self) -> str:
        """Who asks, as the history and the audit name them."""
        return "" if self.who is None else self.who.name

    def may(self, permission: Permission) -> bool:
        """Whether the person's role grants this."""
        return self.who is not None and permission in GRANTS[self.who.role]

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page from its template."""
        shown = {
            "who": self.who,
            "may": {permission.value for permission in Permission if self.may(permission)},
            "form_token": form_token(self.app, self.who),
            "path": self.request.url.path,
            "now": self.app.now(),
            "alarms": self.desk.banner.texts(self.app) if self.who is not None else (),
        }
        html = self.desk.templates.get_template(template).render(shown | values)
        return HTMLResponse(html, status_code=status)

    def go(self, path: str) -> Response:
        """Lead on to a page after something was done."""
        return RedirectResponse(path, status_code=303)


def form_token(app: App, who: SignedIn | None) -> str:
    """What a form of this session must bring along; useless to any other session."""
    if who is None:
        return ""
    return hmac.new(app.instance.message_key, f"form/{who.session}".encode(), hashlib.sha256).hexdigest()


def is_form_token(app: App, who: SignedIn | None, given: str) -> bool:
    """Whether a form came from a page of this session."""
    wanted = form_token(app, who)
    return bool(wanted) and hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogatepass"))


def open_desk(app: App) -> Desk:
    """Load the templates of the console."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(find_folder("templates") / "console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "local": partial(words.local, zone=app.settings.shop.zone),
        "words": words.plain,
        "size": words.size,
        "span": words.span,
        "browser": words.browser,
    }
    templates.globals |= {"shop": app.settings.shop.name, "zone": app.settings.shop.timezone}
    return Desk(
        app=app,
        templates=templates,
        presence=Presence(),
        previews=Previews(),
        drawings=Drawings(),
        banner=Banner(),
        figures=Figures(),
    )
