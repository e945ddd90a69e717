"""T16: card numbers in twelve notations, and order numbers that must stay; made by chance from a seed."""

import base64
import quopri
from collections.abc import Callable
from pathlib import Path
from random import Random

from mailbot.inbound.card_redaction import apply_edits, find_edits
from mailbot.inbound.mime import parse_mail
from mailbot.model.card_numbers import mask_card_numbers
from mailbot.understand.body import read_body
from tests.campaigns.outcome import Outcome

_ISSUERS = ("4", "51", "55", "2221", "2720", "34", "37", "6011", "65", "3528", "36", "62")
_LENGTHS = {"34": 15, "37": 15, "36": 14}


def a_card(chance: Random) -> str:
    """Make a number that an issuer could have given out."""
    issuer = chance.choice(_ISSUERS)
    length = _LENGTHS.get(issuer, 16)
    body = issuer + "".join(chance.choice("0123456789") for _ in range(length - len(issuer) - 1))
    doubled = (sum(divmod(int(digit) * 2, 10)) for digit in body[::-2])
    total = sum(doubled) + sum(int(digit) for digit in body[-2::-2])
    return body + str(-total % 10)


def an_order_number(chance: Random) -> str:
    """Make a number of a shop: letters and five digits, or a date and a count."""
    return chance.choice(
        (
            f"AW-{chance.randrange(10**5):05d}",
            f"INV-2026-{chance.randrange(10**4):04d}",
            f"2026{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}-{chance.randrange(10**4):04d}",
            f"1Z{chance.randrange(10**6):06d}{chance.randrange(10**10):010d}",
        )
    )


def _grouped(card: str, between: str) -> str:
    sizes = (4, 6, 5) if len(card) == 15 else (4, 6, 4) if len(card) == 14 else (4, 4, 4, 4)
    groups, at = [], 0
    for size in sizes:
        groups.append(card[at : at + size])
        at += size
    return between.join(groups)


def _full_width(card: str) -> str:
    return "".join(chr(0xFF10 + int(digit)) for digit in card)


NOTATIONS: dict[str, Callable[[str], str]] = {
    "plain": lambda card: card,
    "spaces": lambda card: _grouped(card, " "),
    "hyphens": lambda card: _grouped(card, "-"),
    "dots": lambda card: _grouped(card, "."),
    "no-break spaces": lambda card: _grouped(card, "\u00a0"),
    "zero-width": lambda card: _grouped(card, "\u200b"),
    "full-width": _full_width,
    "digit by digit": " ".join,
    "line break": lambda card: _grouped(card, "\r\n"),
    "entities": lambda card: "".join(f"&#{ord(digit)};" for digit in card),
    "tags": lambda card: _grouped(card, "</b><b>"),
    "dashes": lambda card: _grouped(card, " \u2013 "),
}
ENCODINGS = ("8bit", "quoted-printable", "base64")


def a_mail_with(text: str, *, subtype: str, encoding: str, field: str = "") -> bytes:
    """Write a customer's mail whose one text part holds ``text``, wrapped for the journey."""
    octets = text.encode()
    if encoding == "base64":
        octets = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        octets = quopri.encodestring(octets)
    head = (
        "From: jane@example.org\r\nTo: support@shop.example\r\nMessage-ID: <4111111111111111@example.org>\r\n"
        f"Subject: My order {field}\r\nMIME-Version: 1.0\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode() + octets + b"\r\n"


def digits_of(text: str) -> str:
    """Every digit of a text as ASCII, and nothing else."""
    return "".join(str(int(sign)) for sign in text if sign.isdecimal())


def run(seed: int, rounds: int, _folder: Path) -> Outcome:
    """Take so many card numbers out of mails in every notation and encoding, and leave as many order numbers alone."""
    chance, outcome = Random(seed), Outcome()
    for number in range(rounds):
        card, order = a_card(chance), an_order_number(chance)
        notation = list(NOTATIONS)[number % len(NOTATIONS)]
        markup = notation in {"entities", "tags"}
        text = f"Order {order}, card {NOTATIONS[notation](card)} please."
        raw = a_mail_with(text, subtype="html" if markup else "plain", encoding=ENCODINGS[number % len(ENCODINGS)])
        clean = parse_mail(apply_edits(raw, find_edits(raw)))
        shown = clean.plain or read_body(None, clean.html).text
        outcome.expect(f"{card} as {notation} stays in {shown!r}", holds=card not in digits_of(shown))
        outcome.expect(f"{order} beside {notation} is gone from {shown!r}", holds=order in shown)
        outcome.expect(f"{order} alone is changed", holds=mask_card_numbers(order) == order)
    outcome.tried //= 3
    return outcome
