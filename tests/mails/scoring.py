"""How well the product reads and decides the mails of this folder, field by field, beside what a careful clerk says."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from mailbot.bootstrap import example_settings, open_judgement, read_orders, reading_rules
from mailbot.model.book import BookedOrder
from mailbot.sandbox.examine import Examiner
from mailbot.sandbox.rules import request_bytes, rules_bytes
from mailbot.settings import Settings
from mailbot.steps.explaining import explain

Form = dict[str, Any]

HERE = Path(__file__).parent
TUNING, RESERVE = HERE, HERE / "reserve"
SURE = 0.8
FACTS = ("item_used", "item_altered", "original_box", "received_on", "repurchased")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One mail: what a clerk says, and what the product makes of it (the object of ``explain --json``)."""

    label: Form
    seen: Form

    @property
    def language(self) -> str:
        """The one that the mail is written in."""
        return str(self.label["file"][:2])

    @property
    def is_request(self) -> bool:
        """Whether a clerk sees a refund request."""
        topic: object = self.label["topic"]
        return topic == "refund_request"

    @property
    def decided(self) -> tuple[str, str, str | None] | None:
        """Outcome, rule and sum of the product's decision or proposal; ``None`` where it decides nothing."""
        decision = self.seen["decision"]
        if decision is None:
            return None
        settlement = decision["settlement"] or (decision["proposal"] or {}).get("settlement") or {}
        return decision["outcome"], decision["rule"], settlement.get("refund")

    @property
    def reason_right(self) -> bool:
        """Whether the reason read of a request is the clerk's, or one that a clerk may as well see."""
        claim = self.label["claim"]
        return self.seen["claim"]["reason"] in {claim["reason"], *claim["or_reason"]}

    @property
    def right(self) -> bool:
        """Whether outcome, rule and sum are the clerk's."""
        if self.decided is None or not self.is_request:
            return self.decided is None and not self.is_request
        if self.decided[1] in self.label["also"]:
            return True
        return self.decided == (self.label["outcome"], self.label["rule"], self.label["refund"])

    @property
    def wrongly_approved(self) -> bool:
        """Whether money would go out that a clerk would not have let go, or another sum."""
        if self.decided is None or not self.decided[0].startswith("approve_"):
            return False
        wanted = (self.label.get("outcome"), self.label.get("refund"))
        return (self.decided[0], self.decided[2]) != wanted

    @property
    def wrongly_declined(self) -> bool:
        """Whether a customer would be refused whom a clerk would not have refused."""
        return self.decided is not None and self.decided[0] == "decline" != self.label.get("outcome")

    @property
    def settleable(self) -> bool:
        """Whether a rule settles it, by the clerk's facts."""
        return self.is_request and self.label["outcome"] != "escalate"

    @property
    def needlessly_escalated(self) -> bool:
        """Whether it went to a person, though a rule settles it."""
        if not self.settleable or self.decided is None:
            return self.settleable
        return self.decided[0] == "escalate" and self.decided[1] not in self.label["also"]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int
    of: int

    def __str__(self) -> str:
        """In per cent, with the counts."""
        return f"{self.hits / self.of:6.1%} {self.hits:>4}/{self.of:<4}" if self.of else "     -          "

    @property
    def value(self) -> float:
        """The share; 1 of nothing."""
        return self.hits / self.of if self.of else 1.0

    def __lt__(self, other: "Share") -> bool:
        """By the share."""
        return self.value < other.value


def labels_of(folder: Path) -> list[Form]:
    """What a clerk says about the mails of a folder."""
    labels: list[Form] = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return labels


def orders(folder: Path = HERE) -> dict[str, BookedOrder]:
    """The order book that all mails of a folder are about, by key."""
    return {order.key: order for order in read_orders(folder / "orders.json") if isinstance(order, BookedOrder)}


def score(folder: Path, settings: Settings | None = None) -> list[Scored]:
    """Read and decide every mail of a folder as ``mailbot explain`` does; another shop's folder has its own orders."""
    known, labels = orders(HERE if settings is None else folder), labels_of(folder)
    with open_judgement(settings or example_settings()) as judgement:
        arrived = [datetime.fromisoformat(label["arrived_at"]) for label in labels]
        raw = [(folder / label["file"]).read_bytes() for label in labels]
        pending = [judgement.sandbox.submit(content, at) for content, at in zip(raw, arrived, strict=True)]
        return [
            Scored(
                label=label,
                seen=explain(
                    judgement,
                    label["file"],
                    answer.result(),
                    at,
                    lambda keys: {key: known[key] for key in keys if key in known},
                ).form,
            )
            for label, answer, at in zip(labels, pending, arrived, strict=True)
        ]


def cost(folder: Path) -> dict[str, float]:
    """Median CPU milliseconds of reading one mail in this process: without attachments, and with a text PDF."""
    examiner = Examiner(rules_bytes(reading_rules(example_settings())))
    spent: dict[str, list[float]] = {"no attachment": [], "a text PDF": []}
    for label in labels_of(folder):
        raw = (folder / label["file"]).read_bytes()
        request = request_bytes(raw, datetime.fromisoformat(label["arrived_at"]))
        source = label.get("invoice", {}).get("source")
        what = "a text PDF" if source == "pdf" else None if b"attachment" in raw else "no attachment"
        examiner.examine(request)
        start = time.process_time()
        examiner.examine(request)
        if what is not None:
            spent[what].append((time.process_time() - start) * 1000)
    return {what: median(times) for what, times in spent.items() if times}


def fields(mails: Sequence[Scored]) -> dict[str, tuple[Share, Share]]:
    """Precision and recall of every field; where a field always has a value, both are the share that is right."""
    customers = [mail for mail in mails if mail.label["kind"] == "customer"]
    requests = [mail for mail in customers if mail.is_request and mail.seen["claim"]]
    found: dict[str, tuple[Share, Share]] = {
        "kind": _agreeing(mails, lambda form: form["kind"]),
        "topic": _retrieved(
            customers,
            lambda form: True if form["topic"] == "refund_request" else None,
        ),
        "language": _retrieved(customers, lambda form: form["language"]),
        "order_number": _retrieved(customers, lambda form: form["order_number"]),
        "sender": _agreeing(requests, _status_of_sender),
        "invoice.status": _agreeing(requests, lambda form: form["invoice"]["status"]),
    }
    for field in ("number", "amount", "currency"):
        told = [mail for mail in requests if field in mail.label["invoice"]]
        found[f"invoice.{field}"] = _retrieved(told, partial(_invoice_field, field))
    reasons = Share(sum(mail.reason_right for mail in requests), len(requests))
    found["reason"] = reasons, reasons
    found["wants"] = _agreeing(requests, lambda form: form["claim"]["wants"])
    for fact in FACTS:
        found[fact] = _retrieved(requests, partial(_claimed, fact))
    found["dispute"] = _retrieved(requests, lambda form: form["claim"]["mentions_dispute"] or None)
    found["lines"] = _retrieved(requests, lambda form: _lines(form["claim"]["lines"]))
    return found


def _status_of_sender(form: Form) -> object:
    return form["sender"]["status"] if isinstance(form["sender"], dict) else form["sender"]


def _claimed(fact: str, form: Form) -> object:
    return form["claim"][fact]


def _invoice_field(field: str, form: Form) -> object:
    value = form["invoice"].get(field)
    return Decimal(value) if field == "amount" and value is not None else value


def _lines(lines: Iterable[Form]) -> object:
    return sorted((line["sku"], line["quantity"]) for line in lines) or None


def _agreeing(mails: Sequence[Scored], value: Callable[[Form], object]) -> tuple[Share, Share]:
    share = Share(sum(value(mail.seen) == value(mail.label) for mail in mails), len(mails))
    return share, share


def _retrieved(mails: Sequence[Scored], value: Callable[[Form], object]) -> tuple[Share, Share]:
    pairs = [(value(mail.seen), value(mail.label)) for mail in mails]
    right = sum(seen is not None and seen == wanted for seen, wanted in pairs)
    given = sum(seen is not None for seen, _ in pairs)
    return Share(right, given), Share(right, sum(wanted is not None for _, wanted in pairs))


def surely_right(mails: Sequence[Scored]) -> Share:
    """Of the reasons that the product is sure of, those that are right (calibration)."""
    sure = [
        mail
        for mail in mails
        if mail.seen["topic"] == "refund_request"
        and mail.label["kind"] == "customer"
        and mail.seen["claim"]["reason_confidence"] >= SURE
    ]
    right = [mail for mail in sure if mail.is_request and mail.reason_right]
    return Share(len(right), len(sure))


def decisions(mails: Sequence[Scored]) -> Share:
    """Requests decided as a clerk does: outcome, rule and sum."""
    requests = [mail for mail in mails if mail.is_request]
    return Share(sum(mail.right for mail in requests), len(requests))


def needless(mails: Sequence[Scored]) -> Share:
    """Requests that a rule settles, but that went to a person."""
    settleable = [mail for mail in mails if mail.settleable]
    return Share(sum(mail.needlessly_escalated for mail in settleable), len(settleable))


def wrong_approvals(mails: Iterable[Scored]) -> list[str]:
    """Files whose money would go out wrongly: must be none."""
    return [mail.label["file"] for mail in mails if mail.wrongly_approved]


def wrong_declines(mails: Iterable[Scored]) -> list[str]:
    """Files whose customer would be refused wrongly."""
    return [mail.label["file"] for mail in mails if mail.wrongly_declined]


def faults(mails: Iterable[Scored]) -> dict[str, str]:
    """What is not as a clerk has it, a line a mail."""
    return {mail.label["file"]: told for mail in mails if (told := "; ".join(_faults(mail)))}


def _faults(mail: Scored) -> Iterable[str]:
    seen, label = mail.seen, mail.label
    for field in ("kind", "topic", "language", "order_number"):
        if seen[field] != label[field] and (field != "language" or label["kind"] == "customer"):
            yield f"{field} {seen[field]}, not {label[field]}"
    if not mail.is_request:
        return
    if seen["claim"] is not None:
        if seen["invoice"]["status"] != label["invoice"]["status"]:
            yield f"invoice {seen['invoice']['status']}, not {label['invoice']['status']}"
        if not mail.reason_right:
            yield f"reason {seen['claim']['reason']}, not {label['claim']['reason']}"
        for field in ("wants", *FACTS, "mentions_dispute", "lines"):
            if seen["claim"][field] != label["claim"][field]:
                yield f"{field} {seen['claim'][field]}, not {label['claim'][field]}"
    if mail.decided is not None and not mail.right:
        doubts = f" ({', '.join(seen['doubts'])})" if seen["doubts"] else ""
        yield f"DECIDED {mail.decided[1]} {mail.decided[2] or ''}, not {label['rule']} {label['refund'] or ''}{doubts}"
