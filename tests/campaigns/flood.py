"""T10: a flood of forged mails. Nobody is written to more than twice a day, nor strangers more than 50 an hour."""

from collections import Counter
from pathlib import Path
from random import Random

from mailbot.store.tables import OutboxRow
from tests.campaigns.desk import SUPPORT, open_desk
from tests.campaigns.outcome import Outcome
from tests.journey.mails import an_invoice, an_order

_VICTIMS = 1_000
_AN_HOUR = 50
_A_DAY = 2
_BATCH = 100


def _forged(chance: Random, number: int, victims: list[str]) -> bytes:
    victim = chance.choice(victims)
    domain = victim.partition("@")[2]
    verdict = chance.choice(("none", "fail", "temperror", "pass"))
    order = f"AW-{10001 + chance.randrange(200):05d}"
    body = f"I want a refund for {order}, I changed my mind. {number}\n"
    if chance.random() < 0.5:
        body += "\n" + an_invoice(order)
    head = (
        f"Return-Path: <{victim}>\r\nReceived: from x.example by mx.shop.example with SMTP id {number}\r\n"
        f"Authentication-Results: mx.shop.example; dmarc={verdict} header.from={domain}\r\n"
        f"From: {victim}\r\nTo: {SUPPORT}\r\nSubject: {chance.choice(('Refund', 'Order', 'Help'))} {number}\r\n"
        f"Message-ID: <{number}@{domain}>\r\n\r\n"
    )
    return head.encode() + body.encode()


def run(seed: int, rounds: int, folder: Path) -> Outcome:
    """Send so many forged mails within some hours, in the names of a thousand people, a fifth of them customers."""
    chance, outcome = Random(seed), Outcome()
    victims = [f"victim{number}@d{number % 37}.example" for number in range(_VICTIMS)]
    hours: Counter[int] = Counter()
    people: Counter[str] = Counter()
    with open_desk(folder) as desk:
        desk.sells([an_order(desk.now, f"AW-{10001 + n}", customer=victims[n]) for n in range(200)])
        began = desk.now
        for start in range(0, rounds, _BATCH):
            batch = [_forged(chance, start + number, victims) for number in range(min(_BATCH, rounds - start))]
            for envelope in desk.answers(*batch):
                people[envelope.recipient] += 1
            desk.forward(minutes=max(1, 1_380 * _BATCH // max(rounds, 1)))
        for row in desk.rows(OutboxRow):
            if row.grade not in {"V2", "V3"}:
                hours[int((row.created_at - began).total_seconds() // 3600)] += 1
        for row in desk.rows(OutboxRow):
            strangers = row.template in {"generic", "verification"} or row.grade in {"V2", "V3"}
            outcome.expect(f"{row.recipient} was sent {row.template} at {row.grade}", holds=strangers)
        broken = desk.broken()
        outcome.expect(f"broken: {broken}", holds=not broken)
    unproven = Counter({to: sent for to, sent in people.items() if to not in victims[:200]})
    outcome.expect(
        f"a victim got {max(unproven.values(), default=0)}", holds=max(unproven.values(), default=0) <= _A_DAY
    )
    outcome.expect(f"{max(hours.values(), default=0)} in an hour", holds=max(hours.values(), default=0) <= _AN_HOUR)
    outcome.figures |= {"most to one": max(people.values(), default=0), "most an hour": max(hours.values(), default=0)}
    outcome.tried += rounds
    return outcome
