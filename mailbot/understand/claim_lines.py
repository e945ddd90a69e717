"""Which lines of the order are the pieces of its invoice that a customer names?"""

from collections.abc import Sequence

from mailbot.model.facts import ClaimLine, Order, OrderLine
from mailbot.model.reading import ClaimedPiece, GoodsRow
from mailbot.understand.pieces import fold, load_pieces


def find_lines(
    claimed: Sequence[ClaimedPiece], goods: Sequence[GoodsRow], order: Order
) -> tuple[ClaimLine, ...] | None:
    """The order lines that pieces of its invoice are; ``None`` where that is not certain.

    A row is a line by the article number printed in it, else by how many pieces it sells and what they cost. It must
    fit one line only, and the line this row only; and the invoice must sell as many kinds of pieces as the order has.

    Args:
        claimed: rows of the invoice, each with how many pieces of it are claimed.
        goods: all rows of the invoice, which is this order's.
        order: as the book has it.
    """
    sold = [row for row in goods if row in {piece.row for piece in claimed} or load_pieces().kinds_of(row.text)]
    if len(sold) != len(order.lines) or len({line.sku for line in order.lines}) != len(order.lines):
        return None
    lines = []
    for piece in claimed:
        fitting = [line for line in order.lines if _fits(piece.row, line, sold)]
        if len(fitting) != 1 or sum(_fits(row, fitting[0], sold) for row in sold) != 1:
            return None
        if piece.quantity > fitting[0].quantity:
            return None
        lines.append(ClaimLine(sku=fitting[0].sku, quantity=piece.quantity))
    return tuple(lines) if len({line.sku for line in lines}) == len(lines) else None


def _fits(row: GoodsRow, line: OrderLine, goods: Sequence[GoodsRow]) -> bool:
    if row.quantity != line.quantity:
        return False
    if any(_names(each, line) for each in goods):
        return _names(row, line)
    price = line.unit_price.amount
    whole = price * line.quantity
    return not {whole, whole + line.tax.amount - line.discount.amount}.isdisjoint(row.amounts) or (
        price in row.amounts and len(row.amounts) == 1 and line.quantity == 1
    )


def _names(row: GoodsRow, line: OrderLine) -> bool:
    """Whether a row prints a line's article number, by itself."""
    text, sku = fold(row.text), fold(line.sku)
    before, found, behind = text.partition(sku)
    return bool(found) and not (before[-1:].isalnum() or behind[:1].isalnum())
