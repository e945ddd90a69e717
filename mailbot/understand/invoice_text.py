"""What a document in plain text is, and the number, day, total and orders that it names."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mailbot.model.card_numbers import find_card_numbers
from mailbot.model.reading import GoodsRow
from mailbot.understand.goods import goods_of
from mailbot.understand.invoice_dates import day_first, issued_on
from mailbot.understand.invoice_lexicon import PROOF, Label, LabelKind, fold, invoice_lexicon
from mailbot.understand.invoice_numbers import find_numbers, order_references, own_number
from mailbot.understand.invoice_rows import PAPER_LABELS, Row, read_lines, read_rows
from mailbot.understand.invoice_total import Currencies, Total, find_total

_MARKUP = re.compile(r"<style\b[^<]*<|<[^<>]*>|&[A-Za-z0-9#]{1,10};", re.IGNORECASE)
_NO_PROOF = PAPER_LABELS - PROOF
_MAY_NAME = (
    (LabelKind.DELIVERY, LabelKind.INVOICE),
    (LabelKind.OFFER, LabelKind.INVOICE),
    (LabelKind.OFFER, LabelKind.ORDER),
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_SEPARATED = re.compile(r" [-|\u2013\u2014] ")
_MOST_NUMBERED = 4
_FEWEST_PRICES = 2
_SENTENCE_END = re.compile(r"[.!?,;:]$")
_MOST_ABOVE = 8
_LONGEST_TITLE, _MOST_BEFORE, _MOST_BEHIND_SUBJECT = 10, 2, 6
_WHOLE_VOTE = 60
_FEWEST_KINDS = 2


class PaperKind(StrEnum):
    """What a document says that it is."""

    INVOICE = "invoice"
    ORDER = "order"
    NO_PROOF = "no_proof"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document as read.

    Attributes:
        kind: an invoice or receipt, an order confirmation, another paper (credit note, delivery note, offer,
            reminder), or one that does not say.
        mentions_invoice: a paper of some kind is spoken of anywhere in it.
        number, issued_on, total: ``None`` where not found or not certain.
        references: order numbers as printed.
        names_money: some amount in it has a currency next to it.
        understood: it has words that the lexicon knows.
        goods: the rows that sell something.
    """

    kind: PaperKind
    mentions_invoice: bool
    number: str | None
    issued_on: date | None
    total: Total | None
    references: tuple[str, ...]
    names_money: bool
    understood: bool
    goods: tuple[GoodsRow, ...]


def read_paper(text: str) -> Paper:
    """Read a document that stands as text: a PDF's, an HTML page's as shown, or plain.

    Of one that shows a card number no rows of goods are kept: its groups could pass for prices.
    """
    lexicon = invoice_lexicon()
    rows = read_rows(text, lexicon)
    kinds = {label.kind for row in rows for label in row.labels}
    titles = [(label.kind, _stands_alone(row, label)) for row in rows if (label := _title(row)) is not None]
    language = _language(rows)
    currencies = Currencies(rows, language, lexicon)
    total = find_total(rows, currencies)
    numbers = find_numbers(rows)
    return Paper(
        kind=_kind(titles, kinds, total),
        mentions_invoice=bool(kinds & (PAPER_LABELS | {LabelKind.INVOICE_NUMBER})),
        number=own_number(numbers, rows),
        issued_on=issued_on(rows, day_first=day_first(rows, language, currencies.only)),
        total=total,
        references=order_references(numbers),
        names_money=any(amount.meanings for row in rows for amount in row.amounts),
        understood=len(kinds) >= _FEWEST_KINDS,
        goods=() if find_card_numbers(text) else goods_of(rows, total.currency if total else currencies.only),
    )


def from_title(text: str) -> str | None:
    """The part of a mail's text from the first title of an invoice or order confirmation on; ``None`` without one.

    A line that begins with the number of an invoice serves as its title too where two prices follow, as when people
    copy an invoice by hand; the bare figures that a shop asks for are no invoice.
    """
    lexicon = invoice_lexicon()
    if not lexicon.proof_titles.search(fold(text)):
        return None
    for row in read_lines(text, lexicon, lambda line: bool(lexicon.proof_titles.search(fold(line)))):
        label = _title(row)
        if (label is not None and label.kind in PROOF) or (
            _begins_with_number(row) and _priced(read_rows(text[row.start :], lexicon)) >= _FEWEST_PRICES
        ):
            return text[row.start :]
    return None


def orders_above(text: str) -> tuple[str, ...]:
    """The orders that headings right above a title name: a confirmation's "Order #AW-10231", or its subject line.

    Args:
        text: what stands above the title; only its last lines count, and no sentences.
    """
    lines = [line for line in text.splitlines()[-_MOST_ABOVE:] if not _SENTENCE_END.search(line.strip())]
    rows = read_rows("\n".join(lines), invoice_lexicon())
    return order_references(find_numbers([row for row in rows if len(_WORD.findall(row.line)) <= _LONGEST_TITLE]))


def may_hold_title(html: str) -> bool:
    """Whether a page may hold a title of an invoice or order confirmation; a cheap look before the page is read."""
    return bool(invoice_lexicon().proof_titles.search(fold(_MARKUP.sub(" ", html))))


def _language(rows: Sequence[Row]) -> str | None:
    """The language that most of the document's labels are in; a word that several share counts for each in part."""
    votes: Counter[str] = Counter()
    for label in (label for row in rows for label in row.labels):
        for language in label.languages:
            votes[language] += _WHOLE_VOTE // len(label.languages)
    (first, most), (_, next_most) = [*votes.most_common(2), ("", 0), ("", 0)][:2]
    return first if most > next_most else None


def _title(row: Row) -> Label | None:
    """The label that makes a line a title: little stands before and around it, and no value is labelled by it."""
    start, most_before = 0, _MOST_BEFORE
    for each in row.labels:
        if each.kind is LabelKind.FORWARDED_SUBJECT and not _WORD.search(row.line[start : each.start]):
            start, most_before = each.end, _MOST_BEHIND_SUBJECT
    label = next((label for label in row.labels if label.kind in PAPER_LABELS and label.start >= start), None)
    if label is None or len(_WORD.findall(row.line[start:])) > _LONGEST_TITLE:
        return None
    before = len(_WORD.findall(_SEPARATED.split(row.line[start : label.start])[-1]))
    numbered = (each.end for each in row.labels if each.kind is LabelKind.NUMBER_WORD and each.start - label.end <= 1)
    labels_value = row.line[next(numbered, label.end) :].lstrip().startswith(":")
    sentence = before and label.kind is not LabelKind.ORDER and _SENTENCE_END.search(row.line)
    return None if before > most_before or labels_value or sentence else label


def _begins_with_number(row: Row) -> bool:
    if not row.labels or row.labels[0].kind is not LabelKind.INVOICE_NUMBER:
        return False
    sentence = len(_WORD.findall(row.line)) > _MOST_NUMBERED or _SENTENCE_END.search(row.line)
    return not sentence and not _WORD.search(row.line[: row.labels[0].start])


def _priced(rows: Sequence[Row]) -> int:
    return sum(any(amount.meanings for amount in row.amounts) for row in rows)


def _stands_alone(row: Row, label: Label) -> bool:
    return not any(map(str.isalnum, row.line[: label.start] + row.line[label.end :]))


def _kind(titles: Sequence[tuple[LabelKind, bool]], kinds: set[LabelKind], total: Total | None) -> PaperKind:
    """What the first title says; without one, a labelled invoice number makes an invoice.

    A paper may name others in lines like titles: a credit note the invoice, an invoice the delivery note, a
    confirmation further offers. A line of nothing but "Credit note" is never in an invoice, wherever it stands.
    """
    first = titles[0][0] if titles else LabelKind.INVOICE if LabelKind.INVOICE_NUMBER in kinds else None
    if (LabelKind.CREDIT, True) in titles or (LabelKind.CREDIT_NUMBER in kinds and not titles):
        first = LabelKind.CREDIT
    if first is None:
        return PaperKind.UNKNOWN
    if first is LabelKind.CREDIT and LabelKind.SELF_BILLED in kinds:
        first = LabelKind.INVOICE
    for by_the_way, proof in _MAY_NAME if total is not None else ():
        if first is by_the_way and proof in dict(titles):
            first = proof
    if first in _NO_PROOF or (total is not None and total.amount < 0):
        return PaperKind.NO_PROOF
    return PaperKind.ORDER if first is LabelKind.ORDER else PaperKind.INVOICE
