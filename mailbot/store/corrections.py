"""Mails that a person has read otherwise than mailbot, as labelled examples: the mail, and what it should have said."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot.model.book import booked_order_form
from mailbot.store import mails, orders
from mailbot.store.cases import number_of
from mailbot.store.tables import CaseEventRow, CaseRow, DecisionRow, MailRow

CORRECTED = "corrected"
_UNNAMED = "xx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One corrected mail.

    Attributes:
        name: of its file; begins with the mail's language, as the scoreboard's files do.
        label: as in ``tests/mails/labels.json``, with ``corrected``: what was read, and what a person says, by fact.
        order: as ``orders import`` reads it, as it stood when the person decided; ``None`` where there was none.
    """

    name: str
    raw: bytes
    label: dict[str, Any]
    order: dict[str, Any] | None


def examples(session: Session) -> Iterator[Example]:
    """The newest correction of each mail, oldest case first; mail whose bytes are gone is left out."""
    events = select(CaseEventRow).where(CaseEventRow.kind == CORRECTED).order_by(CaseEventRow.id)
    newest = {event.detail["mail"]: event for event in session.scalars(events)}
    for mail_id, event in sorted(newest.items(), key=lambda pair: (pair[1].case_id, pair[0])):
        mail, case = session.get_one(MailRow, mail_id), session.get_one(CaseRow, event.case_id)
        raw, decided = mails.raw_bytes(session, mail.sha256), _decided_then(session, event)
        if raw and decided is not None:
            label = {**_label(case, mail, decided), "corrected": event.detail["facts"]}
            yield Example(name=label["file"], raw=raw, label=label, order=_order(session, case, decided))


def write_examples(folder: Path, found: Sequence[Example]) -> None:
    """Write examples as the scoreboard reads them: the mails, ``labels.json``, ``orders.json``."""
    for example in found:
        (folder / example.name).write_bytes(example.raw)
    labels = ",\n".join(json.dumps(example.label, ensure_ascii=False) for example in found)
    (folder / "labels.json").write_text(f"[\n{labels}\n]\n", encoding="utf-8")
    entries = {example.order["number"]: example.order for example in found if example.order is not None}
    (folder / "orders.json").write_text(json.dumps([*entries.values()], indent=1, ensure_ascii=False), encoding="utf-8")


def _decided_then(session: Session, event: CaseEventRow) -> DecisionRow | None:
    """What came out of a correction: the decision of the same moment."""
    then = (DecisionRow.case_id == event.case_id, DecisionRow.decided_at == event.at)
    return session.scalars(select(DecisionRow).where(*then).order_by(DecisionRow.id.desc()).limit(1)).one_or_none()


def _label(case: CaseRow, mail: MailRow, decided: DecisionRow) -> dict[str, Any]:
    facts, decision = decided.facts, decided.decision
    settlement = decision["settlement"] or (decision["proposal"] or {}).get("settlement") or {}
    return {
        "file": f"{case.language or _UNNAMED}-{number_of(case.id)}-{mail.id}.eml",
        "kind": mail.kind,
        "topic": "refund_request",
        "language": case.language,
        "arrived_at": mail.received_at.isoformat(),
        "sender": facts["sender"],
        "order_number": case.order_number,
        "invoice": {"status": facts["evidence"]["invoice"]},
        "claim": {**facts["claim"], "or_reason": []},
        "outcome": decision["outcome"],
        "rule": decision["rule"],
        "also": [],
        "refund": settlement.get("refund"),
        "currency": settlement.get("currency"),
    }


def _order(session: Session, case: CaseRow, decided: DecisionRow) -> dict[str, Any] | None:
    booked = None if case.order_key is None else orders.find(session, case.order_key)
    then = decided.facts["order"]
    return None if then is None or booked is None else {**booked_order_form(booked), **then}
