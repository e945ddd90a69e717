"""What the pieces of a claim about a part of an order are called in a letter."""

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from mailbot.model.facts import ClaimLine, Order
from mailbot.model.forms import parse_facts
from mailbot.model.reading import Reading
from mailbot.store import cases, readings
from mailbot.store.tables import MailRow
from mailbot.understand.claim_lines import find_lines

Piece = tuple[int, str]
"""How many, and of what."""


def called(lines: Sequence[ClaimLine], read: Iterable[Reading], order: Order) -> tuple[Piece, ...]:
    """The claimed lines as the customer's invoice calls them, with the article number; else by that alone."""
    names = {
        line.sku: piece.row.text
        for reading in read
        for invoice in reading.invoices
        for line, piece in zip(find_lines(reading.part, invoice.goods, order) or (), reading.part, strict=False)
    }
    return tuple(
        (line.quantity, name if line.sku in name else f"{name} ({line.sku})" if name else line.sku)
        for line in lines
        for name in (names.get(line.sku, ""),)
    )


def claimed_pieces(session: Session, case_id: int, mail: MailRow) -> tuple[Piece, ...]:
    """The pieces that a case's present decision is about; none where that is the whole order.

    Args:
        session: of the transaction.
        case_id: the case.
        mail: the one that is answered, perhaps not filed with the case yet.
    """
    row = cases.latest_decision(session, case_id)
    if row is None or not row.facts["claim"]["lines"]:
        return ()
    facts = parse_facts(row.facts)
    if facts.order is None:
        return ()
    read = [each.reading for each in readings.said_in(session, case_id) or ()]
    if mail.reading is not None:
        read.append(readings.parse_reading(mail.reading))
    return called(facts.claim.lines, read, facts.order)
