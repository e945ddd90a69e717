"""The chain that runs through each case's history, so that a changed, lost or added event shows (I11)."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot.store.tables import CaseEventRow, CaseRow

BEGINNING = ""
"""What the first event of a case is chained to."""

WORDS = ("text", "note", "to_person")
"""Parts of an event's detail that hold what a person wrote."""

_ERASED = "erased:"  # the triggers let nothing else into a detail
_FIELDS = ("case_id", "at", "actor", "kind", "from_state", "to_state", "detail")
_EVENTS = select(*(getattr(CaseEventRow, name) for name in (*_FIELDS, "hash"))).order_by(CaseEventRow.id)
_PAGE = 1000


def without_words(detail: Mapping[str, Any]) -> dict[str, Any]:
    """An event's detail with what people wrote replaced by its hash, as it stands when a person's data are erased."""
    return {
        name: _ERASED + hashlib.sha256(str(value).encode()).hexdigest()
        if name in WORDS and not str(value).startswith(_ERASED)
        else value
        for name, value in detail.items()
    }


def link(before: str, event: Mapping[str, Any]) -> str:
    """The hash of an event and of all before it in its case; erasing words later leaves it as it is."""
    form = {name: event[name] for name in _FIELDS}
    form["at"], form["detail"] = event["at"].astimezone(UTC).isoformat(), without_words(event["detail"])
    return hashlib.sha256(f"{before}\n{json.dumps(form, sort_keys=True)}".encode()).hexdigest()


def broken_links(session: Session) -> Iterator[tuple[int, bool]]:
    """Every event's case and whether its hash is wrong; and once more every case whose newest event is not the last."""
    heads: dict[int, str] = {}
    events = _EVENTS.execution_options(yield_per=_PAGE)
    for found in session.execute(events).mappings():
        row = {str(name): value for name, value in found.items()}
        yield row["case_id"], row["hash"] != link(heads.get(row["case_id"], BEGINNING), row)
        heads[row["case_id"]] = row["hash"]
    last = select(CaseRow.id, CaseRow.history_head).execution_options(yield_per=_PAGE)
    for case_id, head in session.execute(last):
        yield case_id, head != heads.get(case_id, BEGINNING)
