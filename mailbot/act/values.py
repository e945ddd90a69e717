"""How each value of a letter is worded in its language, by the closed list of names that templates may say.

Nothing is formatted before it gets here, and nothing gets out that was not cleaned.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import groupby

from mailbot.act.letter import Block, BlockKind, Letter, LetterError
from mailbot.act.phrases import BILL, LINKS, MISSING, PROOF_LINK, STATUS, Phrases, clean, cut
from mailbot.model.decision import ReturnPostage

_REPLY_MARKS = re.compile(r"^(?:(?:re|aw|sv|antw|odp|rif)(?:\[\d{1,3}\])? ?: ?)+", re.ASCII | re.IGNORECASE)
_MOST_INLINE = 200
_MOST_TEXT = 20_000
_CODE_GROUP = 4


class Values:
    """The values of one letter, worded when they are asked for.

    Raises:
        LetterError: from ``inline`` and ``blocks``: a value that this template cannot do without is absent.
    """

    __slots__ = ("_letter", "_phrases")

    def __init__(self, letter: Letter, phrases: Phrases) -> None:
        self._letter, self._phrases = letter, phrases

    def inline(self, name: str) -> str | None:
        """A value inside a sentence; ``None`` where a letter may well be without it."""
        value = _INLINE[name](self._letter, self._phrases)
        if value is None and name not in _OPTIONAL:
            raise LetterError(f"reply {self._letter.template!r} says {name}, which this letter does not have")
        return value

    def blocks(self, name: str) -> tuple[Block, ...]:
        """A value that is a paragraph or more; empty where there is nothing to say."""
        blocks = _BLOCKS[name](self._letter, self._phrases)
        if not blocks and name in _NEEDED:
            raise LetterError(f"reply {self._letter.template!r} says {name}, which this letter does not have")
        return blocks


def _short(text: str | None) -> str | None:
    return cut(clean(text[:_MOST_TEXT]), _MOST_INLINE) or None if text else None


def _greeting(letter: Letter, phrases: Phrases) -> str:
    name = _short(letter.customer_name)
    return phrases.say("greeting_named", customer_name=name) if name else phrases.say("greeting")


def _subject(letter: Letter, phrases: Phrases) -> str:
    subject = _REPLY_MARKS.sub("", clean(letter.subject[:_MOST_TEXT])).strip()
    return subject or phrases.say("no_subject", shop_name=clean(letter.shop_name))


def _refund(letter: Letter, phrases: Phrases) -> str | None:
    refund = letter.settlement.refund if letter.settlement else letter.refund
    return phrases.money(refund) if refund else None


def _refund_by(letter: Letter, phrases: Phrases) -> str | None:
    return phrases.moment(letter.refund_by, letter.zone) if letter.refund_by else None


def _reply_by(letter: Letter, phrases: Phrases) -> str | None:
    return phrases.moment(letter.reply_by, letter.zone) if letter.reply_by else None


def _refund_within(letter: Letter, phrases: Phrases) -> str | None:
    return phrases.hours(letter.refund_within) if letter.refund_within else None


def _day(day: date | None, phrases: Phrases) -> str | None:
    return phrases.day(day) if day else None


def _return_postage(letter: Letter, phrases: Phrases) -> str | None:
    return phrases.say(f"return_postage.{letter.settlement.return_postage}") if letter.settlement else None


def _goods_come_back(letter: Letter) -> bool:
    return letter.settlement is not None and letter.settlement.return_postage is ReturnPostage.CUSTOMER


def _send_back(letter: Letter, phrases: Phrases) -> str | None:
    return phrases.say("send_back") if _goods_come_back(letter) else None


def _status(letter: Letter, phrases: Phrases) -> str | None:
    """How the case stands, in a sentence or two; ``None`` where this letter does not know all of it."""
    if letter.status is None or letter.status not in STATUS:
        return None
    values = {name: _INLINE[name](letter, phrases) for name in STATUS[letter.status]}
    known = {name: value for name, value in values.items() if value is not None}
    return phrases.say(f"status.{letter.status}", **known) if len(known) == len(values) else None


_INLINE: Mapping[str, Callable[[Letter, Phrases], str | None]] = {
    "shop_name": lambda letter, _: clean(letter.shop_name),
    "support_address": lambda letter, _: clean(letter.support_address),
    "case_number": lambda letter, _: clean(letter.case_number),
    "customer_name": lambda letter, _: _short(letter.customer_name),
    "order_number": lambda letter, _: _short(letter.order_number),
    "greeting": _greeting,
    "subject": _subject,
    "refund": _refund,
    "refund_by": _refund_by,
    "refund_within": _refund_within,
    "reply_by": _reply_by,
    "dispatch_by": lambda letter, phrases: _day(letter.dispatch_by, phrases),
    "paid_on": lambda letter, phrases: _day(letter.paid_on, phrases),
    "status": _status,
    "inspection_note": lambda letter, _: _short(letter.inspection_note),
    "received_on": lambda letter, phrases: _day(letter.received_on, phrases),
    "window_ended_on": lambda letter, phrases: _day(letter.window_ended_on, phrases),
    "return_postage": _return_postage,
    "send_back": _send_back,
}
_OPTIONAL = {
    *("customer_name", "order_number", "received_on", "window_ended_on"),
    *("reply_by", "refund_within", "return_postage", "send_back", "inspection_note"),
}
INLINE_NAMES = frozenset(_INLINE)
"""Names of the values that may stand in a sentence."""


def _bill(letter: Letter, phrases: Phrases) -> tuple[Block, ...]:
    bill = letter.settlement
    if bill is None:
        return ()
    lines = [(name, getattr(bill, name)) for name in BILL]
    rows = [(name, money) for name, money in lines if money.amount or name == "items"]
    rows.append(("refund", bill.refund))
    worded = tuple((phrases.say(f"bill.{name}"), phrases.money(money)) for name, money in rows)
    return (Block(BlockKind.BILL, rows=worded),)


def _part(letter: Letter, phrases: Phrases) -> tuple[Block, ...]:
    """Which pieces the letter is about; nothing where it is about the whole order."""
    if not letter.pieces:
        return ()
    named = tuple(f"{number} \u00d7 {_short(name) or ''}" for number, name in letter.pieces)
    return (Block(BlockKind.PARAGRAPH, (phrases.say("part"),)), Block(BlockKind.ITEMS, named))


def _clauses(letter: Letter, _: Phrases) -> tuple[Block, ...]:
    clauses = tuple(filter(None, map(clean, letter.clauses)))
    return (Block(BlockKind.CLAUSES, clauses),) if clauses else ()


def _missing(letter: Letter, phrases: Phrases) -> tuple[Block, ...]:
    asked = tuple(phrases.say(f"missing.{what}") for what in MISSING if what in letter.missing)
    return (Block(BlockKind.ITEMS, asked),) if asked else ()


def _return_address(letter: Letter, phrases: Phrases) -> tuple[Block, ...]:
    if not _goods_come_back(letter):
        return ()
    lines = tuple(filter(None, map(clean, letter.return_address.splitlines())))
    return (Block(BlockKind.ADDRESS, lines or (phrases.say("parcel_sender"),)),)


def _links(letter: Letter, phrases: Phrases) -> tuple[Block, ...]:
    urls = zip(LINKS, (letter.policy_url, letter.care_guide_url, letter.faq_url), strict=True)
    rows = tuple((phrases.say(f"links.{name}"), clean(url)) for name, url in urls if url)
    return (Block(BlockKind.LINKS, rows=rows),) if rows else ()


def _code(letter: Letter, _: Phrases) -> tuple[Block, ...]:
    code = clean(letter.code or "")
    groups = [code[start : start + _CODE_GROUP] for start in range(0, len(code), _CODE_GROUP)]
    return (Block(BlockKind.CODE, ("-".join(groups),)),) if code else ()


def _proof_link(letter: Letter, phrases: Phrases) -> tuple[Block, ...]:
    if not letter.proof_url:
        return ()
    return (Block(BlockKind.LINKS, rows=((phrases.say(PROOF_LINK), clean(letter.proof_url)),)),)


def _text(letter: Letter, _: Phrases) -> tuple[Block, ...]:
    lines = map(clean, (letter.text or "").splitlines())
    return tuple(block for written, chunk in groupby(lines, bool) if written for block in _written([*chunk]))


def _written(lines: list[str]) -> Iterator[Block]:
    """A paragraph of a person's: ``# `` begins a heading and ``- `` an item, as in templates; other line ends stay."""
    while lines and lines[0].startswith("# "):
        yield Block(BlockKind.HEADING, (lines.pop(0)[2:],))
    if lines and all(line.startswith("- ") for line in lines):
        yield Block(BlockKind.ITEMS, tuple(line[2:] for line in lines))
    elif lines:
        yield Block(BlockKind.PARAGRAPH, tuple(lines))


def _closing(letter: Letter, phrases: Phrases) -> tuple[Block, ...]:
    lines = (phrases.say("closing"), clean(letter.shop_name), clean(letter.support_address))
    return (Block(BlockKind.CLOSING, lines),)


def _reference(letter: Letter, phrases: Phrases) -> tuple[Block, ...]:
    lines = [phrases.say("reference.case", case_number=clean(letter.case_number))]
    if order_number := _short(letter.order_number):
        lines.append(phrases.say("reference.order", order_number=order_number))
    return (Block(BlockKind.REFERENCE, tuple(lines)),)


_BLOCKS: Mapping[str, Callable[[Letter, Phrases], tuple[Block, ...]]] = {
    "part": _part,
    "settlement": _bill,
    "clauses": _clauses,
    "missing": _missing,
    "return_address": _return_address,
    "links": _links,
    "code": _code,
    "proof_link": _proof_link,
    "text": _text,
    "closing": _closing,
    "reference": _reference,
}
_NEEDED = {"missing", "code", "text"}
BLOCK_NAMES = frozenset(_BLOCKS)
"""Names of the values that are a paragraph by themselves."""
