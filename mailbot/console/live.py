"""News for open pages, as server-sent events: the queue has changed, this case has, somebody else is looking."""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from mailbot.console.visit import Desk
from mailbot.errors import RetryableError
from mailbot.store import case_views, cases, queue
from mailbot.store.cases import CaseNotFoundError
from mailbot.store.transaction import reading

_EVERY_SECONDS = 3
_AT_MOST = 200


async def news(desk: Desk, request: Request) -> Response:
    """Tell one page; it asks again after some minutes, so that an ended session hears no more."""
    try:
        await run_in_threadpool(_state, desk, request.query_params.get("case"))
    except CaseNotFoundError as problem:
        return PlainTextResponse(str(problem), status_code=404)
    return StreamingResponse(_events(desk, request), media_type="text/event-stream")


async def _events(desk: Desk, request: Request) -> AsyncIterator[str]:
    number, name = request.query_params.get("case"), request.state.who.name
    known: object = None
    looking: list[str] = []
    yield "retry: 5000\n\n"
    for _ in range(_AT_MOST):
        try:
            state, breached = await run_in_threadpool(_state, desk, number)
        except RetryableError:
            return
        if known is not None and state != known:
            yield f"event: changed\ndata: {json.dumps({'breached': breached})}\n\n"
        known = state
        if number is not None:
            others = desk.presence.look(number, name, desk.app.now())
            if others != looking:
                looking = others
                yield f"event: others\ndata: {json.dumps(others)}\n\n"
        await asyncio.sleep(_EVERY_SECONDS)
        if await request.is_disconnected():
            return


def _state(desk: Desk, number: str | None) -> tuple[object, int]:
    now = desk.app.now()
    with reading(desk.app.engine) as session:
        if number is not None:
            return case_views.last_event(session, cases.get(session, number).id), 0
        breached = queue.forecast(session, now).breached
        return (case_views.newest_event(session), breached), breached
