"""T9: machines that answer machines. At most five messages, then silence, whichever guard is left alone.

Three guards: what we know of others' automatic mail (inbound), how others know ours (outbound), and the rates of I10.
A model answers each of our letters; which guards can help against it is said beside it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from random import Random

from mailbot.ports import Envelope
from tests.campaigns.desk import SUPPORT, Desk, message_of, open_desk, text_of
from tests.campaigns.outcome import Outcome
from tests.journey.mails import an_invoice, an_order

OTHER = "support@other.example"
JANE = "jane@example.org"
_MOST = 5
_TURNS = 8
_ASK = "Hello,\n\nI would like to return my order AW-10001 for a refund. I changed my mind.\n\nJane"
_ASK_WITH_INVOICE = _ASK + "\n\n" + an_invoice()

Answer = Callable[[Message, int, Random], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A machine on the other side; ``None`` from ``answer`` is silence."""

    name: str
    answer: Answer


def _reply(letter: Message, turn: int, text: str, **fields: str) -> bytes:
    head = {
        "Return-Path": f"<{JANE}>",
        "Received": "from out.example.org by mx.shop.example with ESMTPS id 1",
        "Authentication-Results": "mx.shop.example; dmarc=pass header.from=example.org",
        "From": JANE,
        "To": SUPPORT,
        "Subject": f"Re: {letter['Subject']}",
        "Message-ID": f"<{turn}.{abs(hash(text)) % 10**9}@example.org>",
        "In-Reply-To": str(letter["Message-ID"]),
        "References": str(letter["Message-ID"]),
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    lines = [f"{name}: {value}" for name, value in head.items() if value]
    return "\r\n".join([*lines, "", text, ""]).encode()


def _marked(**fields: str) -> Answer:
    return lambda letter, turn, _: _reply(letter, turn, f"I am away. {turn}", **fields)


def _polite(letter: Message, turn: int, _: Random) -> bytes | None:
    """Answers nothing that is marked as automatic (RFC 3834 §2)."""
    automatic = str(letter.get("Auto-Submitted", "no")).lower() != "no"
    return None if automatic else _reply(letter, turn, _ASK)


def _exchange(letter: Message, turn: int, _: Random) -> bytes | None:
    suppressed = "oof" in str(letter.get("X-Auto-Response-Suppress", "")).lower()
    return None if suppressed else _reply(letter, turn, _ASK)


def _bounce(letter: Message, turn: int, _: Random) -> bytes:
    return _reply(letter, turn, "550 5.1.1 User unknown", From="mailer-daemon@example.org", Return_Path="<>")


def _own(letter: Message, turn: int, _: Random) -> bytes:
    text = letter.as_bytes()
    return b"X-Forwarded: %d\r\n" % turn + text


def _echo(letter: Message, turn: int, _: Random) -> bytes:
    quoted = "\n".join(f"> {line}" for line in str(letter).splitlines()[:40])
    return _reply(letter, turn, f"{_ASK}\nturn {turn}\n\nOn Monday, you wrote:\n{quoted}")


def _stubborn(letter: Message, turn: int, _: Random) -> bytes:
    return _reply(letter, turn, f"{_ASK}\nticket {turn}")


def _stubborn_anew(letter: Message, turn: int, _: Random) -> bytes:
    return _reply(letter, turn, f"{_ASK}\nticket {turn}", In_Reply_To="", References="", Subject=f"Ticket {turn}")


def _stubborn_with_invoice(letter: Message, turn: int, chance: Random) -> bytes:
    anew = {"In_Reply_To": "", "References": ""} if chance.random() < 0.5 else {}
    return _reply(letter, turn, f"{_ASK_WITH_INVOICE}\nticket {turn}", **anew)


def _stranger(letter: Message, turn: int, _: Random) -> bytes:
    results = "mx.shop.example; dmarc=pass header.from=elsewhere.example"
    fields = {"From": "bot@elsewhere.example", "Authentication_Results": results, "In_Reply_To": "", "References": ""}
    return _reply(letter, turn, f"{_ASK}\nticket {turn}", **fields)


def _unproven(letter: Message, turn: int, _: Random) -> bytes:
    return _reply(letter, turn, f"{_ASK_WITH_INVOICE}\nticket {turn}", Authentication_Results="")


def _growing_subject(letter: Message, turn: int, _: Random) -> bytes:
    return _reply(letter, turn, f"{_ASK}\nticket {turn}", Subject=f"Re: {letter['Subject']} [ticket {turn}]")


MODELS = (
    Model(name="Auto-Submitted: auto-replied", answer=_marked(Auto_Submitted="auto-replied")),
    Model(name="Auto-Submitted: auto-generated", answer=_marked(Auto_Submitted="auto-generated; x=y")),
    Model(name="X-Autoreply", answer=_marked(X_Autoreply="yes")),
    Model(name="X-Autorespond", answer=_marked(X_Autorespond="")),
    Model(name="Precedence: auto_reply", answer=_marked(Precedence="auto_reply")),
    Model(name="Precedence: bulk", answer=_marked(Precedence="bulk")),
    Model(name="List-Id", answer=_marked(List_Id="<tickets.example.org>")),
    Model(name="no-reply", answer=_marked(From="no-reply@example.org")),
    Model(name="out of office", answer=_marked(Subject="Out of Office: back on Monday")),
    Model(name="Abwesenheit", answer=_marked(Subject="Abwesenheitsnotiz: bis Montag")),
    Model(name="bounce", answer=_bounce),
    Model(name="our own letter again", answer=_own),
    Model(name="knows Auto-Submitted", answer=_polite),
    Model(name="knows X-Auto-Response-Suppress", answer=_exchange),
    Model(name="echoes the letter", answer=_echo),
    Model(name="ignores every mark", answer=_stubborn),
    Model(name="ignores every mark, threads nothing", answer=_stubborn_anew),
    Model(name="ignores every mark, sends invoices", answer=_stubborn_with_invoice),
    Model(name="ignores every mark, a stranger", answer=_stranger),
    Model(name="ignores every mark, unproven", answer=_unproven),
    Model(name="ignores every mark, grows the subject", answer=_growing_subject),
)


def _first() -> bytes:
    return _reply(message_from_bytes(b"Subject: My order\r\nMessage-ID: <0@x>\r\n\r\n"), 0, _ASK)


def play(desk: Desk, model: Model, chance: Random, turns: int = _TURNS, *, nudged: bool = True) -> int:
    """Let a model answer every letter within one day, or nudge when none comes; how many letters we sent in all."""
    desk.sells([an_order(desk.now, paid=9, delivered=4)])
    waiting: list[Envelope] = desk.answers(_first())
    sent = len(waiting)
    for turn in range(1, turns):
        desk.forward(minutes=20)
        answers = [model.answer(message_of(envelope), turn, chance) for envelope in waiting]
        if nudged and not waiting and turn < turns // 2:  # a stubborn one asks again even where nobody answered it
            answers = [model.answer(message_from_bytes(b"Subject: x\r\nMessage-ID: <1@x>\r\n\r\n"), turn, chance)]
        waiting = desk.answers(*[raw for raw in answers if raw is not None])
        sent += len(waiting)
    return sent


def two_shops(folder: Path) -> int:
    """Let two mailbots write to each other until both are silent; how many letters went in all."""
    with ExitStack() as stack:
        one = stack.enter_context(open_desk(folder, name="one"))
        two = stack.enter_context(open_desk(folder, name="two", support=OTHER))
        one.sells([an_order(one.now, customer=OTHER, paid=9, delivered=4)])
        two.sells([an_order(two.now, customer=SUPPORT, paid=9, delivered=4)])
        begin = _reply(message_from_bytes(b"Subject: x\r\nMessage-ID: <0@x>\r\n\r\n"), 0, _ASK).replace(
            JANE.encode(), OTHER.encode()
        )
        begin = begin.replace(b"header.from=example.org", b"header.from=other.example")
        waiting, sent = one.answers(begin), 0
        for _ in range(_TURNS):
            sent += len(waiting)
            delivered = list(_delivered(waiting))
            waiting = [envelope for to, raw in delivered for envelope in (two if to == OTHER else one).answers(raw)]
        return sent


def _delivered(envelopes: list[Envelope]) -> Iterator[tuple[str, bytes]]:
    for envelope in envelopes:
        domain = str(message_of(envelope)["From"]).rpartition("@")[2].rstrip(">")
        head = f"Return-Path: <{envelope.sender}>\r\nDelivered-To: {envelope.recipient}\r\n"
        head += f"Authentication-Results: mx.shop.example; dmarc=pass header.from={domain}\r\n"
        yield envelope.recipient, head.encode() + envelope.data


def run(seed: int, rounds: int, folder: Path) -> Outcome:
    """Play every model by turns, each on a mailbot of its own, until so many rounds are over."""
    chance, outcome, longest = Random(seed), Outcome(), 0
    game = 0
    while outcome.tried < rounds:
        model = MODELS[game % len(MODELS)]
        place = folder / str(game)
        place.mkdir()
        with open_desk(place) as desk:
            sent = play(desk, model, chance)
            told = {envelope.recipient for envelope in desk.sink.taken} - {JANE, "bot@elsewhere.example"}
            broken = desk.broken()
            again = [envelope for envelope in desk.answers() if text_of(envelope)]
        longest = max(longest, sent)
        outcome.expect(f"{model.name}: {sent} letters", holds=sent <= _MOST)
        outcome.expect(f"{model.name}: wrote to {told}", holds=not told)
        outcome.expect(f"{model.name}: {broken} {len(again)}", holds=not broken and not again)
        game += 1
    outcome.figures["longest exchange"] = longest
    return outcome
