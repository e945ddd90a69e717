"""T7 and T11: hostile mails and bombs, read in the limited child, with a good mail behind each that is on time."""

import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random

from mailbot.sandbox.pool import ReadingFailedError, Sandbox
from mailbot.sandbox.rules import ReadingRules
from mailbot.store.tables import CaseRow, MailRow
from tests.campaigns.desk import NOON, SUPPORT, open_desk
from tests.campaigns.outcome import Campaign, Outcome
from tests.hostile.mails import NAMED, mutated
from tests.journey.mails import a_mail, an_invoice, an_order
from tests.servers.postgres import postgres_server

_BATCH = 20
_WHOLE_SHARE = 0.25
"""Of the mutations of long mails that keep their length; each has been read whole once by its name."""
_END = 2_000
_ENDED = {"handled", "filed", "parked", "duplicate"}
_BOMBS = ("PDF: ", "picture: ", "XML: ", "HTML of ", "zip of", "multiparts in", "messages in", "text of ", "parts")
RULES = ReadingRules(
    order_number=r"AW-\d{5}",
    own_addresses=(SUPPORT,),
    instance="desk",
    authserv_ids=("mx.shop.example",),
    trust_unnamed_results=False,
    received_hosts=(),
    timezone="America/New_York",
)


def _good(number: int) -> bytes:
    order = f"AW-{20000 + number:05d}"
    text = f"Hello,\n\nplease cancel my order {order}. I changed my mind. The invoice is attached.\n\nJane"
    return a_mail(text, sender=f"good{number}@example.org", invoice=an_invoice(order))


def _chosen(chance: Random, rounds: int) -> Iterator[tuple[str, bytes]]:
    """Every named one first, in another order each time, then mutations of the small ones."""
    names = list(NAMED)
    chance.shuffle(names)
    for name in names[:rounds]:
        yield name, NAMED[name]()
    small = [name for name in names if not name.startswith(_BOMBS)]
    built = {name: NAMED[name]() for name in small}
    for number in range(rounds - len(names)):
        name = chance.choice(small)
        raw = built[name] if chance.random() < _WHOLE_SHARE else _ends_of(built[name])
        yield f"{name}, mutation {number}", mutated(raw, chance)


def _ends_of(raw: bytes) -> bytes:
    """A long mail's first and last lines: what is changed by chance in the filler between teaches little."""
    return raw if len(raw) <= 2 * _END else raw[:_END] + raw[-_END:]


def run(seed: int, rounds: int, folder: Path, database: str = "sqlite") -> Outcome:
    """Let so many hostile mails arrive in batches, a good one behind each.

    Args:
        seed: of the order and of the mutations.
        rounds: mails.
        folder: for files.
        database: ``sqlite`` or ``postgres``.
    """
    chance, outcome, batch = Random(seed), Outcome(), 0
    mails = _chosen(chance, rounds)
    with ExitStack() as stack:
        url = stack.enter_context(postgres_server()).new_database() if database == "postgres" else ""
        sandbox = stack.enter_context(Sandbox(RULES, children=1))
        desk = stack.enter_context(open_desk(folder, sandbox=sandbox, database=url))
        while names_and_raws := [pair for _, pair in zip(range(_BATCH), mails, strict=False)]:
            batch += 1
            desk.sells([an_order(desk.now, f"AW-{20000 + batch:05d}", customer=f"good{batch}@example.org")])
            sent = desk.answers(*(raw for _, raw in names_and_raws), _good(batch))
            answered = any(envelope.recipient == f"good{batch}@example.org" for envelope in sent)
            outcome.expect(f"the good mail behind {[name for name, _ in names_and_raws]}", holds=answered)
            desk.forward(minutes=61)
            outcome.tried += len(names_and_raws) - 1
        for row in desk.rows(MailRow):
            if row.state not in _ENDED:
                outcome.failures.append(f"mail {row.id} is {row.state}: {row.problem}")
        outcome.figures["parked"] = sum(row.state == "parked" for row in desk.rows(MailRow))
        refunds = [case.id for case in desk.rows(CaseRow) if case.outcome == "approve_cancellation"]
        outcome.expect(f"{len(refunds)} approved of {batch} good ones", holds=len(refunds) == batch)
        outcome.expect(f"broken: {desk.broken()}", holds=not desk.broken())
    return outcome


def bombs(seed: int, rounds: int, _folder: Path) -> Outcome:
    """Read so many bombs, a good mail behind each; what each cost is among the figures."""
    chance, outcome, times = Random(seed), Outcome(), []
    names = [name for name in NAMED if name.startswith(_BOMBS) or any(bomb in name for bomb in _BOMBS)]
    chance.shuffle(names)
    with Sandbox(RULES, children=1) as sandbox:
        for number in range(rounds):
            name = names[number % len(names)]
            raw = NAMED[name]() if number < len(names) else mutated(NAMED[name](), chance)
            began = time.monotonic()
            try:
                read = sandbox.read(raw, NOON).body is not None
            except ReadingFailedError:
                read = True  # its limit was met, and it is parked
            times.append(time.monotonic() - began)
            outcome.expect(f"{name} was neither read nor refused", holds=read)
            behind = sandbox.read(_good(number % 1_000), NOON)
            outcome.expect(f"the good mail behind {name}", holds=len(behind.order_numbers) > 0)
    outcome.tried //= 2
    times.sort()
    outcome.figures |= {
        "p99 seconds": round(times[int(len(times) * 0.99) - 1], 2),
        "slowest": round(times[-1], 2),
        "children's peak MB": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
    return outcome


CAMPAIGNS: dict[str, tuple[Campaign, int]] = {
    "T7": (run, 100_000),
    "T7-postgres": (partial(run, database="postgres"), 100_000),
    "T11": (bombs, 400),
}
