"""The JSON API: the same cases and actions for scripts, by a token with a role's grants. ``/api/v1/openapi.json``."""

import json
from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from mailbot.console.queue_pages import parse_filter
from mailbot.console.routes import Page, get, post
from mailbot.console.visit import Visit
from mailbot.desk import orders
from mailbot.desk.orders import StaleError
from mailbot.desk.verbs import NEEDS, SENDS, Verb
from mailbot.errors import InputError
from mailbot.model.people import Permission
from mailbot.store import audit, case_views, cases, queue
from mailbot.store.queue import Listed
from mailbot.store.transaction import reading, transaction

ROOT = "/api/v1"
_MOST_BODY = 100_000
_FILTERS = ("view", "state", "reason", "language", "assignee", "currency", "least", "most", "q", "page")


def list_cases(visit: Visit) -> Response:
    """A page of the queue; the filters are those of the console's addresses. ``total`` is null beyond 1,000 cases."""
    wanted = parse_filter(visit.request.query_params)
    with reading(visit.app.engine) as session:
        page = queue.page(session, wanted, visit.name, visit.app.now())
    forms = [_listed(case, visit) for case in page.cases]
    return JSONResponse(
        {"cases": forms, "total": page.total, "page": page.number, "pages": page.pages, "more": page.more}
    )


def show_case(visit: Visit) -> Response:
    """One case, as ``mailbot case show --json``; ``seen`` goes with an action, so that a stale one is stopped."""
    with reading(visit.app.engine) as session:
        case = cases.get(session, visit.request.path_params["number"])
        form = case_views.show_case(session, case, visit.app.now())
        form["seen"] = case_views.last_event(session, case.id)
    with transaction(visit.app.engine) as session:
        audit.record(session, visit.name, "seen", form["case"], visit.app.now())
    return JSONResponse(form)


def act(visit: Visit, verb: Verb) -> Response:
    """Order an action; what sends something is held for 20 seconds, and can be undone until then."""
    form = _body(visit)
    seen = form.pop("seen", None)
    if seen is not None and (isinstance(seen, bool) or not isinstance(seen, int)):
        raise InputError("seen: is not a whole number; give the one that the case showed, or leave it out")
    details = {name: str(value) for name, value in form.items() if value is not None}
    try:
        done = orders.order(visit.app, visit.request.path_params["number"], visit.name, verb, details, seen=seen)
    except StaleError as stale:
        return JSONResponse({"error": str(stale)}, status_code=409)
    return JSONResponse({"said": done.said, "held": done.is_held}, status_code=202 if done.is_held else 200)


def undo(visit: Visit) -> Response:
    """Take back what is held."""
    return JSONResponse({"said": orders.undo(visit.app, visit.request.path_params["number"], visit.name)})


def show_stats(visit: Visit) -> Response:
    """The figures of the dashboard, at most a minute old."""
    found = visit.desk.figures.find(visit.app).stats
    return JSONResponse(
        {
            "promises": [
                {"kind": one.kind, "kept": one.kept, "broken": one.broken, "median_hours": one.hours}
                for one in found.promises
            ],
            "cases": found.cases,
            "by_itself": found.by_itself,
            "ages": dict(found.ages),
            "ahead": dict(found.ahead),
        }
    )


def show_openapi(_visit: Visit) -> Response:
    """This API, described (OpenAPI 3.1)."""
    return JSONResponse(openapi())


def openapi() -> dict[str, Any]:
    """The OpenAPI document, made from the table of pages, so that it names every one of them."""
    paths: dict[str, dict[str, Any]] = {}
    for page in PAGES:
        summary = (page.view.__doc__ or "").partition("\n")[0]
        operation: dict[str, Any] = {
            "summary": summary,
            "description": f"Needs a token whose role grants `{page.needs}`.",
            "responses": {
                **{code: {"description": what} for code, what in _ANSWERS.items()},
                "200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}},
            },
        }
        if "{number}" in page.path:
            operation["parameters"] = [_parameter("number", "path", "The case, such as RF-000123.")]
        if page.path == f"{ROOT}/cases":
            operation["parameters"] = [_parameter(name, "query", "As in the console's addresses.") for name in _FILTERS]
        if page.method == "POST":
            schema = {"type": "object", "properties": {"seen": {"type": "integer"}}, "additionalProperties": True}
            operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
        paths.setdefault(page.path, {})[page.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "mailbot", "version": "1", "description": __doc__},
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }


_ANSWERS = {
    "202": "Held for 20 seconds, then done.",
    "400": "It does not fit the case; `error` says why.",
    "401": "No valid token.",
    "403": "The token's role does not grant it.",
    "404": "There is no such case.",
    "409": "The case has changed since `seen`.",
}


def _parameter(name: str, place: str, what: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": what,
        "schema": {"type": "string"},
    }


def _listed(case: Listed, visit: Visit) -> dict[str, Any]:
    deadline = case.deadline
    return {
        "case": case.number,
        "state": case.state,
        "why": case.why,
        "subject": case.subject,
        "customer": case.customer,
        "order_number": case.order_number,
        "sum": case.amount,
        "language": case.language,
        "assigned_to": case.assignee,
        "held": case.sending,
        "deadline": None
        if deadline is None
        else {
            "kind": deadline.kind.value,
            "due": deadline.due_at.isoformat(),
            "limit": deadline.limit_at.isoformat(),
            "state": deadline.state(visit.app.now()).value,
        },
    }


def _body(visit: Visit) -> dict[str, Any]:
    text = visit.form.get("body", "")
    if not text.strip():
        return {}
    try:
        form = json.loads(text[:_MOST_BODY])
    except (ValueError, RecursionError):
        raise InputError("the body is not JSON") from None
    if not isinstance(form, dict) or not all(isinstance(value, str | int | None) for value in form.values()):
        raise InputError("the body is not a JSON object of plain values")
    return form


def _about(verb: Verb) -> Callable[[Visit], Response]:
    def ordered(visit: Visit) -> Response:
        return act(visit, verb)

    held = " It is held for 20 seconds and can be undone until then." if verb in SENDS else ""
    ordered.__doc__ = f"{verb.replace('-', ' ').capitalize()} a case.{held}"
    return ordered


PAGES: list[Page] = [
    get(f"{ROOT}/openapi.json", Permission.LOOK, show_openapi),
    get(f"{ROOT}/cases", Permission.LOOK, list_cases),
    get(f"{ROOT}/cases/{{number}}", Permission.LOOK, show_case),
    get(f"{ROOT}/stats", Permission.LOOK, show_stats),
    post(f"{ROOT}/cases/{{number}}/undo", Permission.WORK, undo),
    *(post(f"{ROOT}/cases/{{number}}/{verb.value}", NEEDS[verb], _about(verb)) for verb in Verb),
]
