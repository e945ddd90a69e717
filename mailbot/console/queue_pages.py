"""The queue: its views and filters as an address, counts, search, saved views, and giving cases to somebody."""

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from mailbot.console.visit import Visit
from mailbot.desk import orders
from mailbot.desk.verbs import Verb
from mailbot.errors import InputError
from mailbot.model.case import CaseState
from mailbot.model.money import decimals_of
from mailbot.store import case_views, queue, saved_views, users
from mailbot.store.queue import Filter, View
from mailbot.store.transaction import reading, transaction

_LONGEST = 200
_MOST = 10**9
_Word = TypeVar("_Word", View, CaseState)


def show_queue(visit: Visit) -> Response:
    """One page of the queue, as its address asks for it."""
    asked = visit.request.query_params
    wanted, now = parse_filter(asked), visit.app.now()
    with reading(visit.app.engine) as session:
        counts = queue.counts(session, visit.name, now)
        page = queue.page(session, wanted, visit.name, now, counts)
        return visit.page(
            "queue.html",
            page=page,
            any_case=bool(page.cases) or case_views.newest_event(session) > 0,
            wanted=wanted,
            counts=counts,
            most_counted=queue.MOST_COUNTED,
            forecast=queue.forecast(session, now),
            choices=queue.choices(session),
            people=users.names(session),
            saved=saved_views.of(session, visit.name),
            states=list(CaseState),
            query=filter_query(wanted),
            narrowed=filter_query(wanted) != filter_query(Filter(view=wanted.view)),
        )


def parse_filter(asked: Mapping[str, str]) -> Filter:
    """A filter from the query of an address; whatever is no known value counts as not given."""

    def text(name: str) -> str:
        return asked.get(name, "").replace("\0", "").strip()[:_LONGEST]

    def number(name: str) -> int | None:
        value = text(name)
        return min(int(value), _MOST) if value.isascii() and value.isdigit() and len(value) < 15 else None  # noqa: PLR2004 (no sum is longer)

    currency = text("currency").upper()
    try:
        decimals_of(currency)
    except InputError:
        currency = ""
    return Filter(
        view=_word(View, text("view")) or View.PEOPLE,
        state=_word(CaseState, text("state")),
        reason=text("reason"),
        language=text("language"),
        assignee=text("assignee"),
        currency=currency,
        least=number("least"),
        most=number("most"),
        words=text("q"),
        page=number("page") or 1,
    )


def filter_query(wanted: Filter) -> str:
    """The query of the address that asks for this, without its page."""
    named = {
        "view": wanted.view.value,
        "state": wanted.state.value if wanted.state else "",
        "reason": wanted.reason,
        "language": wanted.language,
        "assignee": wanted.assignee,
        "currency": wanted.currency,
        "least": wanted.least if wanted.least is not None else "",
        "most": wanted.most if wanted.most is not None else "",
        "q": wanted.words,
    }
    return urlencode({name: value for name, value in named.items() if value != ""})


def save_view(visit: Visit) -> Response:
    """Keep the present filter under a name."""
    wanted = parse_filter(dict(parse_qsl(visit.form.get("query", ""))))
    with transaction(visit.app.engine) as session:
        saved_views.save(session, visit.name, visit.form.get("name", ""), filter_query(wanted))
    return visit.go(f"/?{filter_query(wanted)}")


def drop_view(visit: Visit) -> Response:
    """Forget a saved view of one's own."""
    with transaction(visit.app.engine) as session:
        saved_views.drop(session, visit.name, visit.form.get("name", ""))
    return visit.go("/")


def assign_many(visit: Visit) -> Response:
    """Give the chosen cases to somebody, or to nobody."""
    assignee = visit.form.get("assignee", "")
    for number in visit.several.get("case", []):
        orders.order(visit.app, number, visit.name, Verb.ASSIGN, {"to": assignee}, seen=None)
    return visit.go(f"/?{filter_query(parse_filter(dict(parse_qsl(visit.form.get('query', '')))))}")


def _word(kind: type[_Word], text: str) -> _Word | None:
    return kind(text) if text in list(kind) else None
