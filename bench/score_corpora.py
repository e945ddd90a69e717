"""The figures over other projects' collections: what is read of replies, requests, invoices, machines' and odd mail."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mailbot.bootstrap import example_settings
from mailbot.inbound.kind import classify
from mailbot.inbound.mime import parse_mail
from mailbot.inbound.sender import prove_sender, read_identity
from mailbot.model.facts import SenderStatus
from mailbot.model.reading import Topic
from mailbot.understand.invoice_papers import (
    Document,
    decode_text,
    read_html_document,
    read_pdf_document,
    read_text_document,
    read_xml_documents,
)
from tests.inbound import test_kind_corpus as kinds
from tests.inbound import test_mime_corpus as odd
from tests.mails.scoring import SURE, Share
from tests.understand import test_body_corpus as bodies
from tests.understand import test_claim_intents as intents
from tests.understand import test_invoice_corpora as invoices

CORPORA = Path(os.environ.get("MAILBOT_CORPORA", Path(__file__).parents[2] / "shared" / "corpora"))
_MONEY = {
    *("cancellation", "refund_unspecified", "return_unspecified", "not_received", "change_of_mind", "mistake_order"),
    *("wrong_item", "quality_defect"),
}


Figures = Iterator[tuple[str, Share]]


def measure() -> dict[str, dict[str, Share]]:
    """Every figure by corpus and by what it tells; a corpus that is not there has none."""
    return {
        name: dict(figures(CORPORA / name)) if (CORPORA / name).is_dir() else {} for name, figures in _MEASURES.items()
    }


def _replies(folder: Path) -> Figures:
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    files = {folder / name: label for name, label in labels.items()}
    plain = {file: label for file, label in files.items() if file.suffix == ".txt"}
    exact = sum(not bodies.faults(file, label) for file, label in plain.items())
    lost = [
        line
        for file, label in files.items()
        for line in bodies.split(label["reply_text"])
        if line not in bodies.new_lines(file)
    ]
    own = sum(len(bodies.split(label["reply_text"])) for label in files.values())
    yield "plain texts exactly right", Share(exact, len(plain))
    yield "lines of a customer's own lost", Share(len(lost), own)


def _intents(folder: Path) -> Figures:
    files = {
        name: [json.loads(line) for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines()]
        for name in ("bitext", "clinc150", "alexa-cookbook", "eu-withdrawal-form", "banking77")
    }
    shop = [row for name, rows in files.items() if name != "banking77" for row in rows]
    for name, rows in {**files, "all but banking77": shop}.items():
        read = [(row, intents.read(row["text"])) for row in rows]
        asked = [row["reason"] in _MONEY for row in rows]
        taken = [reading.topic is Topic.REFUND_REQUEST for _, reading in read]
        right = sum(is_asked and is_taken for is_asked, is_taken in zip(asked, taken, strict=True))
        never = [reading for row, reading in read if row["reason"] in intents._NEVER]
        sure = sum(r.topic is Topic.REFUND_REQUEST and r.claim.reason_confidence >= SURE for r in never)
        yield f"{name}: refund or cancel, precision", Share(right, sum(taken))
        yield f"{name}: refund or cancel, recall", Share(right, sum(asked))
        yield f"{name}: surely taken for one, and is none", Share(sure, len(never))


def _xml(folder: Path) -> Figures:
    wanted = {name: label for name, label in invoices.labels(folder).items() if "invoice_number" in label}
    documents = {name: read_xml_documents((folder / name).read_bytes())[0] for name in wanted}
    yield from _fields(documents, wanted)


def _pdf(folder: Path) -> Figures:
    wanted = {
        name: label
        for name, label in invoices.labels(folder).items()
        if "invoice_number" in label and name[-3:] != "png"
    }
    documents = {
        name: read_pdf_document((folder / name).read_bytes())
        if name.endswith(".pdf")
        else read_text_document(decode_text((folder / name).read_bytes()))
        for name in wanted
    }
    yield from _fields(documents, wanted)


def _fields(documents: Mapping[str, Document], wanted: Mapping[str, invoices.Wanted]) -> Figures:
    for field in invoices.FIELDS:
        of = sum(field in wanted[name] for name in documents)
        if of:
            yield field, Share(of - len(invoices.misread(documents, wanted, field)), of)


def _markup(folder: Path) -> Figures:
    labels = invoices.labels(folder)
    right = 0
    for name, label in labels.items():
        document = read_html_document((folder / name).read_text("utf-8"))
        number = document.references[0] if document.references else None
        right += number == label["order_number"] and document.currency == label.get("currency")
    yield "order number and currency", Share(right, len(labels))


def _automail(folder: Path) -> Figures:
    machines = answered = persons = caught = 0
    for name, label in json.loads((folder / "labels.json").read_text(encoding="utf-8")).items():
        if label.get("reply") is None:
            continue
        mail = parse_mail((folder / name).read_bytes())
        senders = " ".join(mail.values("from")).lower()
        sort = classify(mail, [address for address in mail.recipients if address not in senders], "instance")
        if label["reply"]:
            persons += 1
            caught += sort.kind.value != "customer"
        else:
            machines += 1
            answered += kinds.answers(sort)
    yield "machines answered", Share(answered, machines)
    yield "persons taken for machines", Share(caught, persons)


def _mime(folder: Path) -> Figures:
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    unlike = sum(bool(odd.unlike(parse_mail((folder / name).read_bytes()), label)) for name, label in labels.items())
    yield "odd mails read as others read them", Share(len(labels) - unlike, len(labels))


def _spoof(folder: Path) -> Figures:
    settings, trusted, told = example_settings(), 0, 0
    for name, label in json.loads((folder / "labels.json").read_text(encoding="utf-8")).items():
        pretended = label.get("must_not_be_trusted_as")
        if not pretended or not name.endswith(".eml"):
            continue
        told += 1
        identity = read_identity(
            (folder / name).read_bytes(), settings.identity.authserv_ids, trust_unnamed=False, received_hosts=()
        )
        trusted += prove_sender(identity, pretended).status is SenderStatus.VERIFIED
    yield "pretended senders believed", Share(trusted, told)


_MEASURES: dict[str, Callable[[Path], Figures]] = {
    "replies": _replies,
    "intents": _intents,
    "invoices-xml": _xml,
    "invoices-pdf": _pdf,
    "order-markup": _markup,
    "automail": _automail,
    "mime": _mime,
    "spoof": _spoof,
}
