"""How a page becomes a route: who may ask, what a form must bring, and what trouble looks like.

Every route states the permission that it asks for; one that states none cannot be made.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailbot.console.door import API
from mailbot.console.visit import Desk, Visit, is_form_token
from mailbot.errors import InputError, PermanentError, RetryableError
from mailbot.model.people import Permission
from mailbot.store.cases import CaseNotFoundError

OPEN = None
"""What a page asks for that everybody may see: the sign-in page and those that a one-time link leads to."""

_MOST_FIELDS = 400
_MOST_BYTES = 26_000_000
View = Callable[[Visit], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One path of the console, for one method.

    Attributes:
        needs: the permission; ``OPEN`` for everybody.
    """

    path: str
    method: str
    needs: Permission | None
    view: View


def get(path: str, needs: Permission | None, view: View) -> Page:
    """A page to look at; looking changes nothing."""
    return Page(path=path, method="GET", needs=needs, view=view)


def post(path: str, needs: Permission | None, view: View) -> Page:
    """A form; it must come from a page of the same session."""
    return Page(path=path, method="POST", needs=needs, view=view)


def make_routes(desk: Desk, pages: list[Page]) -> list[Route]:
    """Routes, the pages of one path joined, so that a method that none of them takes is refused by name."""
    by_path: dict[str, dict[str, Page]] = {}
    for page in pages:
        by_path.setdefault(page.path, {})[page.method] = page
    return [Route(path, _endpoint(desk, of_path), methods=[*of_path]) for path, of_path in by_path.items()]


def _endpoint(desk: Desk, pages: dict[str, Page]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        page = pages["GET" if request.method == "HEAD" else request.method]
        visit = await _visit(desk, request, read=page.method == "POST")
        return await run_in_threadpool(_guarded, page, visit)

    return answer


async def _visit(desk: Desk, request: Request, *, read: bool) -> Visit:
    who = request.state.who
    if not read or request.url.path.startswith(API):
        return Visit(desk=desk, request=request, who=who, form={"body": (await _body(request)) if read else ""})
    form: dict[str, str] = {}
    files: dict[str, bytes] = {}
    several: dict[str, list[str]] = {}
    async with request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_MOST_BYTES) as fields:
        for name, value in fields.multi_items():
            if isinstance(value, UploadFile):
                files[name] = await value.read(_MOST_BYTES)
            else:
                clean = value.replace("\0", "").replace("\r\n", "\n")
                form[name] = clean
                several.setdefault(name, []).append(clean)
    return Visit(desk=desk, request=request, who=who, form=form, several=several, files=files)


async def _body(request: Request) -> str:
    return (await request.body())[:_MOST_BYTES].decode("utf-8", "replace")


def _guarded(page: Page, visit: Visit) -> Response:
    """Ask for permission and for the form's token, then answer; whatever a person can mend is said as a page."""
    is_api = visit.request.url.path.startswith(API)
    if page.needs is not OPEN:
        if not visit.may(page.needs):
            return _refused(visit, HTTPStatus.FORBIDDEN, f"This needs the permission to {_said(page.needs)}.", is_api)
        if (
            page.method == "POST"
            and not is_api
            and not is_form_token(visit.app, visit.who, visit.form.get("form_token", ""))
        ):
            why = "This form is from another session, or too old. Load its page again and repeat what you did."
            return _refused(visit, HTTPStatus.FORBIDDEN, why, is_api)
    try:
        return page.view(visit)
    except CaseNotFoundError as problem:
        return _refused(visit, HTTPStatus.NOT_FOUND, str(problem), is_api)
    except (InputError, PermanentError) as problem:
        return _refused(visit, HTTPStatus.BAD_REQUEST, str(problem), is_api)
    except RetryableError as problem:
        if visit.who is None:
            raise
        return _refused(visit, HTTPStatus.SERVICE_UNAVAILABLE, str(problem), is_api)


def _refused(visit: Visit, status: HTTPStatus, why: str, is_api: bool) -> Response:  # noqa: FBT001 (a fact, no switch)
    if is_api:
        return JSONResponse({"error": why}, status_code=status)
    headings = {HTTPStatus.NOT_FOUND: "Not found", HTTPStatus.FORBIDDEN: "Not allowed"}
    return visit.page("refused.html", status, heading=headings.get(status, "That did not work"), problem=why)


def _said(permission: Permission) -> str:
    return permission.value.replace("_", " ")
