"""The figures that the reading of invoices reaches over collections of real ones; it may not fall below them."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from mailbot.model.reading import InvoiceSource
from mailbot.understand.invoice_papers import (
    Document,
    decode_text,
    read_html_document,
    read_pdf_document,
    read_text_document,
    read_xml_documents,
)
from mailbot.understand.invoice_pdf import read_pdf

Corpus = Callable[[str], Path]
Wanted = Mapping[str, Any]

FIELDS = ("invoice_number", "date", "amount", "currency", "order_reference", "credit_note")


def labels(folder: Path) -> dict[str, Wanted]:
    found: dict[str, Wanted] = json.loads((folder / "labels.json").read_text("utf-8"))
    return found


def given(document: Document) -> dict[str, object]:
    return {
        "invoice_number": document.number,
        "date": None if document.issued_on is None else document.issued_on.isoformat(),
        "amount": document.amount,
        "currency": document.currency,
        "order_reference": document.references[0] if document.references else None,
        "credit_note": document.no_proof,
    }


def misread(documents: Mapping[str, Document], wanted: Mapping[str, Wanted], field: str) -> dict[str, object]:
    """The files whose field was not read as labelled, with what was read instead; the share is asserted by callers."""
    wrong: dict[str, object] = {}
    for name, document in documents.items():
        if field in wanted[name]:
            right = wanted[name][field]
            right = Decimal(str(right)) if field == "amount" else right
            if given(document)[field] != right:
                wrong[name] = given(document)[field]
    return wrong


def shares(documents: Mapping[str, Document], wanted: Mapping[str, Wanted]) -> dict[str, float]:
    counts = {field: sum(field in wanted[name] for name in documents) for field in FIELDS}
    return {field: 1 - len(misread(documents, wanted, field)) / count for field, count in counts.items() if count}


def test_every_field_of_electronic_invoices_is_read(corpus: Corpus) -> None:
    folder = corpus("invoices-xml")
    wanted = {name: label for name, label in labels(folder).items() if "invoice_number" in label}
    documents = {name: read_xml_documents((folder / name).read_bytes())[0] for name in wanted}
    assert {field: misread(documents, wanted, field) for field in FIELDS} == {field: {} for field in FIELDS}


def test_other_xml_is_no_invoice_and_broken_xml_is_unreadable(corpus: Corpus) -> None:
    folder = corpus("invoices-xml")
    for name, label in labels(folder).items():
        documents = read_xml_documents((folder / name).read_bytes())
        if label.get("unreadable"):
            assert [document.unreadable for document in documents] == ["the XML file is damaged"]
        elif "kind" in label:
            assert documents == ()


def test_pdf_invoices_are_read(corpus: Corpus) -> None:
    folder = corpus("invoices-pdf")
    wanted = {name: label for name, label in labels(folder).items() if "invoice_number" in label and name[-3:] != "png"}
    documents = {
        name: read_pdf_document((folder / name).read_bytes())
        if name.endswith(".pdf")
        else read_text_document(decode_text((folder / name).read_bytes()))
        for name in wanted
    }
    assert [name for name, document in documents.items() if document.unreadable] == []
    assert {field for field, share in shares(documents, wanted).items() if share < 0.98} == set()


def test_pdf_invoices_are_read_by_their_printed_text_alone(corpus: Corpus) -> None:
    folder = corpus("invoices-pdf")
    wanted = {
        name: label
        for name, label in labels(folder).items()
        if name.endswith(".pdf") and "invoice_number" in label and label.get("number_printed", True)
    }
    texts = {name: read_pdf((folder / name).read_bytes()).text for name in wanted}
    documents = {name: read_text_document(text, InvoiceSource.PDF) for name, text in texts.items()}
    # Where amounts differ, the print does: credit notes show a minus that their XML leaves out, one file another sum.
    floors = {"invoice_number": 0.98, "date": 0.98, "amount": 0.92, "currency": 1.0, "order_reference": 0.96}
    found = shares(documents, wanted)
    assert {field: found[field] for field, floor in floors.items() if found[field] < floor} == {}


def test_order_markup_is_read(corpus: Corpus) -> None:
    folder = corpus("order-markup")
    for name, label in labels(folder).items():
        document = read_html_document((folder / name).read_text("utf-8"))
        assert (document.references[0] if document.references else None) == label["order_number"], name
        assert document.amount == (Decimal(label["amount"]) if "amount" in label else None), name
        assert document.currency == label.get("currency"), name
