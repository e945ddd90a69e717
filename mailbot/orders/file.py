"""Orders from a file: a JSON array, JSON lines, or CSV with one row an order line. Source: CONTRACT.md."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mailbot.errors import InputError
from mailbot.model.book import BadOrder, BookedOrder, parse_booked_order
from mailbot.model.facts import FactsError

_ORDER_COLUMNS = (
    *("number", "status", "paid_at", "shipped_at", "delivered_at", "currency", "shipping", "captured", "refunded"),
    *("payment_method", "transaction_fee", "dispute_open", "invoice_number", "customer_name", "customer_email"),
)
_LINE_COLUMNS = ("sku", "quantity", "unit_price", "discount", "tax")
COLUMNS = _ORDER_COLUMNS + _LINE_COLUMNS
_NULLABLE = ("shipped_at", "delivered_at", "transaction_fee", "invoice_number")
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "": False}


class OrderFileError(InputError):
    """An order file that cannot be read at all."""


def read_orders(path: Path) -> Iterator[BookedOrder | BadOrder]:
    """Every order of a file in its order, good or bad.

    Args:
        path: ``.csv`` is read as CSV, anything else as JSON (an array, or one object a line).

    Raises:
        OrderFileError: the file is not there, is no UTF-8, no JSON array, or lacks CSV columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise OrderFileError(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise OrderFileError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    if path.suffix.lower() == ".csv":
        forms = _csv_forms(path, text)
    elif text.lstrip().startswith("["):
        forms = _array_forms(path, text)
    else:
        forms = _line_forms(text)
    for line, form in forms:
        yield form if isinstance(form, BadOrder) else _parsed(line, form)


def _parsed(line: int, form: object) -> BookedOrder | BadOrder:
    try:
        return parse_booked_order(form)
    except FactsError as problem:
        return BadOrder(where=f"line {line}", problem=str(problem))


def _array_forms(path: Path, text: str) -> Iterator[tuple[int, object]]:
    decoder = json.JSONDecoder()
    at = _after_space(text, text.index("[") + 1)
    line, counted = 1, 0
    while not text.startswith("]", at):
        line, counted = line + text.count("\n", counted, at), at
        try:
            form, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as problem:
            raise OrderFileError(f"{path}: line {line}: is not JSON: {problem}") from None
        yield line, form
        at = _after_space(text, at)
        if text.startswith(",", at):
            at = _after_space(text, at + 1)
        elif not text.startswith("]", at):
            raise OrderFileError(f"{path}: line {line + text.count(chr(10), counted, at)}: a comma or ] is missing")


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _line_forms(text: str) -> Iterator[tuple[int, object]]:
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            yield line, json.loads(content)
        except (ValueError, RecursionError) as problem:
            yield line, BadOrder(where=f"line {line}", problem=f"is not JSON: {problem}")


def _csv_forms(path: Path, text: str) -> Iterator[tuple[int, object]]:
    reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise OrderFileError(f"{path}: line 1: the header lacks {missing[0]!r}; it needs {','.join(COLUMNS)}")
    orders: dict[str, tuple[int, list[dict[str, Any]]]] = {}
    try:
        for row in reader:
            orders.setdefault(row["number"], (reader.line_num, []))[1].append(row)
    except csv.Error as problem:
        raise OrderFileError(f"{path}: line {reader.line_num}: is not CSV: {problem}") from None
    for line, rows in orders.values():
        yield line, _csv_form(line, rows)


def _csv_form(line: int, rows: list[dict[str, Any]]) -> dict[str, Any] | BadOrder:
    first = rows[0]
    for row in rows:
        if None in row or None in row.values():
            return BadOrder(where=f"line {line}", problem="a row has more or fewer cells than the header")
        unlike = [column for column in _ORDER_COLUMNS if row[column] != first[column]]
        if unlike:
            return BadOrder(
                where=f"line {line}", problem=f"order {first['number']!r}: its rows differ in {unlike[0]!r}"
            )
    form: dict[str, Any] = {column: first[column] for column in _ORDER_COLUMNS}
    form["customer"] = {"name": form.pop("customer_name"), "email": form.pop("customer_email")}
    form.update({column: form[column] or None for column in _NULLABLE})
    form["dispute_open"] = _FLAGS.get(first["dispute_open"].strip().lower(), first["dispute_open"])
    form["lines"] = [_csv_line(row) for row in rows]
    return form


def _csv_line(row: dict[str, Any]) -> dict[str, Any]:
    quantity = row["quantity"].strip()
    return {
        "sku": row["sku"],
        "quantity": int(quantity) if _COUNT.fullmatch(quantity) else quantity,
        **{column: row[column] or "0" for column in ("unit_price", "discount", "tax")},
    }
