"""Payment card numbers in a text, however they are written, and the text without them.

Of a card number the first six and the last four digits are kept, of the security code beside it nothing; what is taken
out is replaced sign by sign, so that every place in the text stays where it was.
Source: RELIABILITY.md, Limits, "Card numbers"; PCI DSS 4.0.1, requirement 3.4.1.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass

MASK = "*"
_UNSEEN = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_BETWEEN = r"[ \t\r\n\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000._/|\-\u2010-\u2015\u2212]"
_RUN = re.compile(
    rf"(?<![0-9])(?<![0-9][A-Za-z])[0-9](?:[{_UNSEEN}]{{0,4}}(?:{_BETWEEN}{{1,3}}[{_UNSEEN}]{{0,4}})?[0-9]){{12,}}+"
)
_GROUP = re.compile(rf"[0-9](?:[{_UNSEEN}]{{0,4}}[0-9])*+")
_SHORTEST, _LONGEST = 13, 19
_KEPT_FIRST, _KEPT_LAST = 6, 4
_FORMS = {(4, 6, 5), (4, 6, 4), (6, 4, 4, 4), (6, 6, 4), (6, 10)}
_EVEN = {1, 2}
_QUARTER = 4
_FIRSTS = _EVEN | {sizes[0] for sizes in _FORMS} | set(range(_QUARTER, _SHORTEST, _QUARTER))
"""How long the first of several groups may be."""
_ISSUER = re.compile(
    r"4|5[0-9]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720|3[47]|30[0-5]|3[689]|35(?:2[89]|[3-8]\d)|6(?:011|2|4[4-9]|5|[0-9])"
)
_SECURITY = re.compile(
    r"(?:\bc[vsi][vc]2?\b|\bcid\b|security|pr[üu]f(?:nummer|ziffer|code)|sicherheitscode|s[ée]curit[ée]|cryptogramme"
    r"|seguri(?:dad|dade|tat)|sicurezza|beveiligingscode|bezpiecze[nń]stwa|セキュリティ|安全码|安全碼|보안)"
    r"[^\d\n]{0,30}?((?<!\d)\d{3,4})(?!\d)",
    re.IGNORECASE,
)
_EXPIRY_AND_CODE = re.compile(
    r"[\s,;/|-]{1,4}(?:exp[a-z.]{0,8}:?\s{0,2})?(?:0?[1-9]|1[0-2])\s?[/.-]\s?\d{2,4}[\s,;/|-]{1,4}(\d{3,4})(?!\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardNumber:
    """One card number of a text.

    Attributes:
        digits: 13 to 19 of them.
        places: where in the text each digit stands.
    """

    digits: str
    places: tuple[int, ...]


def find_card_numbers(text: str) -> list[CardNumber]:
    """Every stretch that reads as a card number: 13 to 19 digits, Luhn's sum, an issuer's range, a usual grouping."""
    plain = _plain_digits(text)
    return [card for run in _RUN.finditer(plain) for card in _cards_in(plain, run.start(), run.end())]


def mask_card_numbers(text: str, spared: Collection[str] = ()) -> str:
    """The text without card numbers and the security codes beside them.

    Args:
        text: of any length; time grows with it alone.
        spared: digits that are an order's or an invoice's number and stay.
    """
    cards = [card for card in find_card_numbers(text) if card.digits not in spared]
    if not cards:
        return text
    signs = list(text)
    for card in cards:
        for place in card.places[_KEPT_FIRST:-_KEPT_LAST]:
            signs[place] = MASK
        code = _EXPIRY_AND_CODE.match(text, card.places[-1] + 1)
        if code:
            signs[code.start(1) : code.end(1)] = MASK * len(code[1])
    for code in _SECURITY.finditer(text):
        signs[code.start(1) : code.end(1)] = MASK * len(code[1])
    return "".join(signs)


def _plain_digits(text: str) -> str:
    """The same text with every script's digits as ASCII ones."""
    if text.isascii():
        return text
    foreign = {sign for sign in set(text) if not sign.isascii() and sign.isdecimal()}
    return text.translate({ord(sign): str(unicodedata.decimal(sign)) for sign in foreign}) if foreign else text


def _cards_in(text: str, start: int, end: int) -> Iterator[CardNumber]:
    """The card numbers among the groups of one run; none shares a group with another."""
    groups = [found.span() for found in _GROUP.finditer(text, start, end)]
    lengths = [sum(map(str.isdecimal, text[first:last])) for first, last in groups]
    at = 0
    while at < len(groups):
        for until in _windows(lengths, at):
            stretches = (range(*group) for group in groups[at:until])
            places = [place for stretch in stretches for place in stretch if text[place].isdecimal()]
            digits = "".join(text[place] for place in places)
            if _is_card(digits):
                yield CardNumber(digits=digits, places=tuple(places))
                at = until - 1
                break
        at += 1


def _windows(lengths: list[int], at: int) -> list[int]:
    """Where stretches of groups that begin at ``at`` may end, if their lengths are a card's; the longest first."""
    length = lengths[at]
    if length in _EVEN and at and lengths[at - 1] == length:
        return []  # digits that stand singly are a number only as a whole
    if length < _SHORTEST and length not in _FIRSTS:
        return []
    sizes: tuple[int, ...] = ()
    ends = []
    for until in range(at + 1, min(len(lengths), at + _LONGEST) + 1):
        sizes = (*sizes, lengths[until - 1])
        if sum(sizes) > _LONGEST:
            break
        if sum(sizes) >= _SHORTEST and _is_grouped(sizes):
            ends.append(until)
    return ends[::-1]


def _is_grouped(sizes: tuple[int, ...]) -> bool:
    if len(sizes) == 1 or sizes in _FORMS:
        return True
    even = sizes[0] in _EVEN and set(sizes[:-1]) == {sizes[0]} and sizes[-1] <= sizes[0]
    return even or all(size % _QUARTER == 0 for size in sizes[:-1])


def _is_card(digits: str) -> bool:
    if not _SHORTEST <= len(digits) <= _LONGEST or not _ISSUER.match(digits) or len(set(digits)) == 1:
        return False
    doubled = (sum(divmod(int(digit) * 2, 10)) for digit in digits[-2::-2])
    return (sum(int(digit) for digit in digits[::-2]) + sum(doubled)) % 10 == 0
