"""T4: customers, operators, the book, the clock and bad luck act on one shop in any order; I1 to I10 must hold."""

import hashlib
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import Message
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, Engine, bindparam, select

from mailbot import journey, operators
from mailbot.errors import AmbiguousError, InputError, PermanentError, RetryableError
from mailbot.model.case import IllegalTransitionError
from mailbot.model.facts import ClaimLine
from mailbot.model.money import Money
from mailbot.model.reading import Reading
from mailbot.model.refund import IllegalRefundError, RefundOrder
from mailbot.operators import Inspection, Verdict
from mailbot.ports import CaptureStanding, Envelope
from mailbot.steps.app import App
from mailbot.store.tables import CaseEventRow, CaseRow, ClockRow, KillSwitchRow, MailRow, OrderRow, OutboxRow, RefundRow
from mailbot.store.transaction import open_engine
from tests.campaigns.desk import NOON, Desk, message_of, open_desk, text_of
from tests.campaigns.outcome import Outcome
from tests.journey.mails import CANCEL, DEFECT, DISPUTE, JANE, MALLORY, QUESTION, RETURN, a_mail, an_invoice, an_order

NUMBERS = ("AW-10001", "AW-10002", "AW-10003")
ANN = "ann@example.net"
OWNERS = {"AW-10001": JANE, "AW-10002": JANE, "AW-10003": ANN}
PEOPLE = ("mia", "ann")
TEXTS = (CANCEL, RETURN, DEFECT, DISPUTE, QUESTION, RETURN.replace(" The invoice is attached.", ""))
ANSWERS = (
    "Here is the invoice.",
    "Never mind, I have decided to keep it.",
    "Where is my refund?",
    "I posted the parcel today. Tracking number: RR123456789GB",
    "Thank you so much!",
    "I have opened a PayPal case about order AW-10001.",
    "The clasp is broken, that is a defect.",
    "Is the silver nickel free?",
)
REFUSED = (InputError, IllegalTransitionError, IllegalRefundError)
"""What an operator is told where a case does not allow what was asked; anything else is a bug."""

_MEMORY = Path("/dev/shm")  # noqa: S108 (a folder in memory, for the databases of a test)
_A_DAY = timedelta(hours=24)
_RINGS = [{"sku": "R-1", "quantity": 2, "unit_price": "40.00", "discount": "0.00", "tax": "0.00"}]
_NAMES = st.sampled_from(PEOPLE)
_PAYING = (
    *("pay_refunds", "confirm_refund", "confirm_refund", "approve_refund", "hold_refund", "release_refund"),
    *("approve_refund", "cancel_refund", "thaw"),
)
_PROMISED = ("awaiting_approval", "due", "held", "submitting", "unknown", "refused")
_MAY_BE_PAID = frozenset({"due", "submitting", "unknown", "refused"})
_FOUR_EYES_FROM = 80_00
_CASES = st.integers(1, 4)
_ORDERS = st.sampled_from(NUMBERS)

# What every step asks the database, each put together once.
_MOVED = (CaseEventRow.id, CaseEventRow.case_id, CaseEventRow.from_state, CaseEventRow.to_state)
_MOVES = (
    select(*_MOVED, CaseEventRow.actor, CaseEventRow.detail)
    .where(CaseEventRow.to_state.is_not(None), CaseEventRow.id > bindparam("since"))
    .order_by(CaseEventRow.id)
)
_CASE_STATES = select(CaseRow.id, CaseRow.state)
_REFUNDS = select(
    *(RefundRow.id, RefundRow.order_key, RefundRow.amount_minor, RefundRow.state, RefundRow.reference),
    *(RefundRow.approved_by, RefundRow.second_approver, RefundRow.submitted_at),
)
_FROZEN = select(KillSwitchRow.frozen_at)
_FIRED = select(ClockRow.id, ClockRow.fired_at).where(ClockRow.fired_at.is_not(None))
_LETTERS = select(OutboxRow.case_id, OutboxRow.recipient, OutboxRow.created_at, OutboxRow.content).where(
    OutboxRow.automatic
)
_MAIL_STATES = select(MailRow.state).distinct()


class _Reader:
    """Reads each text once; what differs from mail to mail, its ids, is put in."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._read = cache(self._first)
        self.ids: dict[bytes, tuple[Any, str, str | None]] = {}

    def _first(self, key: tuple[Any, ...]) -> Reading:
        text, sender, dmarc, invoice = key
        raw = a_mail(text, sender=sender, dmarc=dmarc, invoice=invoice, message_id="<first@mail.example>")
        answer: Future[Reading] = self._reader.submit(raw, NOON)
        return answer.result()

    def begin(self) -> None:
        pass

    def submit(self, raw: bytes, _received_at: datetime) -> Future[Reading]:
        key, message_id, answers = self.ids[raw]
        thread = () if answers is None else (answers,)
        answer: Future[Reading] = Future()
        answer.set_result(
            replace(
                self._read(key),
                message_id=message_id,
                in_reply_to=thread,
                references=thread,
                content_key=hashlib.sha256(raw).hexdigest(),
            )
        )
        return answer


class _Sink:
    """A mail server with moods: it takes a message, refuses it for now or for good, or does not say."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.mood = "takes"

    @contextmanager
    def connect(self) -> Iterator["_Sink"]:
        yield self

    def send(self, envelope: Envelope, before_dot: Callable[[], None], after_dot: Callable[[], None]) -> None:
        if self.mood == "refuses":
            raise RetryableError("450 try again")
        if self.mood == "rejects":
            raise PermanentError("550 no such user")
        before_dot()
        self.taken.append(envelope)
        if self.mood == "is silent":
            raise AmbiguousError("no answer to the dot")
        after_dot()


@dataclass(slots=True)
class _Till:
    """A payment service with books of its own, which may lose the line after it has paid."""

    booked: dict[str, RefundOrder] = field(default_factory=dict)
    breaks: bool = False
    name: str = "till"

    def look(self, order: RefundOrder) -> CaptureStanding:
        reference = f"re-{order.key}" if order.key in self.booked else None
        return CaptureStanding(left=Money.parse("86.00", "USD"), disputed=False, reference=reference)

    def pay(self, order: RefundOrder) -> str:
        self.booked.setdefault(order.key, order)
        if self.breaks:
            raise RetryableError("the line went dead")
        return f"re-{order.key}"


@dataclass(slots=True)
class _Shop:
    """The parts that every run shares; each run begins with a copy of an empty database in place of the last one's."""

    desk: Desk
    folder: Path
    blank: Path
    path: Path
    engine: Engine
    reader: _Reader


def run(seed: int, rounds: int, folder: Path, *, steps: int = 100) -> Outcome:
    """Let chance act on so many shops, so many steps each."""
    outcome = Outcome()
    memory = _MEMORY if _MEMORY.is_dir() else folder
    with tempfile.TemporaryDirectory(dir=memory) as place, open_desk(Path(place)) as desk:
        desk.app.engine.dispose()
        reader = _Reader(desk.app.judgement.sandbox)
        blank, path = Path(place) / "desk.db", Path(place) / "run.db"
        engine = open_engine(f"sqlite:///{path}")
        CaseMachine.shop = _Shop(desk=desk, folder=Path(place), blank=blank, path=path, engine=engine, reader=reader)
        CaseMachine.reached = Counter()
        terms = settings(
            max_examples=rounds,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=(Phase.generate,),  # a seed repeats it; making it shorter takes minutes
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(seeded(seed)(CaseMachine), settings=terms)
        except AssertionError as failure:
            where = traceback.extract_tb(failure.__traceback__)[-1]
            notes = getattr(failure, "__notes__", ())
            outcome.failures.append("; ".join([f"{where.name}: {where.line} {failure}", *notes]))
    outcome.tried = rounds
    outcome.figures = {"steps": steps, "states": len(CaseMachine.reached), "changes": CaseMachine.reached.total()}
    return outcome


class CaseMachine(RuleBasedStateMachine):
    """One shop from its opening on; ``shop`` is what all of them share, ``reached`` which states cases came to."""

    shop: ClassVar[_Shop]
    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        shop = self.shop
        self.reader, self.sink, self.till = shop.reader, _Sink(), _Till()
        self.engine = shop.engine  # one for all runs, so that each statement is put together once
        for left in shop.path.parent.glob(f"{shop.path.name}-*"):
            left.unlink()
        shutil.copy(shop.blank, shop.path)
        self.desk = Desk(app=shop.desk.app, sink=cast("Any", self.sink))
        judgement = replace(shop.desk.app.judgement, clock=lambda: self.desk.now, sandbox=cast("Any", self.reader))
        self.desk.app = replace(
            shop.desk.app,
            judgement=judgement,
            engine=self.engine,
            transport=cast("Any", self.sink),
            journal_folder=shop.folder / "sending",
        )
        self.external: Counter[str] = Counter()
        self.fired: dict[int, datetime] = {}
        self.references: dict[int, str] = {}
        self.at: dict[int, str] = {}
        self.frozen_at: datetime | None = None
        self.asked_to_pay: object = None
        self.four_eyes = False
        self.copies: Counter[str] = Counter()
        self.moves = self.counted = 0
        self.doubts = 0
        self.changed = True
        self.serial = 0
        self.latest = NOON

    def teardown(self) -> None:
        broken = self.desk.broken()
        assert not broken, broken
        with self.engine.connect() as connection:
            moves = select(CaseEventRow.to_state).where(CaseEventRow.to_state.is_not(None))
            self.reached.update(state for state in connection.execute(moves).scalars() if state)
        self.engine.dispose()
        shutil.rmtree(self.shop.folder / "sending", ignore_errors=True)

    @property
    def app(self) -> App:
        return self.desk.app

    @initialize(
        automatic=st.booleans(),
        four_eyes=st.booleans(),
        asked=st.tuples(*[st.sampled_from([CANCEL, RETURN, RETURN, DEFECT, None])] * len(NUMBERS)),
    )
    def opens(self, *, automatic: bool, four_eyes: bool, asked: tuple[str | None, ...]) -> None:
        """Sell three orders, whose customers ask at once; people pay or the till does, with one approver or two."""
        self.four_eyes = four_eyes
        terms = {"automatic": automatic, "four_eyes_limit": {"USD": "80"} if four_eyes else {}, "most_a_customer": 9}
        ours = self.app.settings
        changed = ours.model_copy(update={"refunds": ours.refunds.model_copy(update=terms)})
        self.desk.app = replace(
            self.app,
            payments=self.till if automatic else None,
            judgement=replace(self.app.judgement, settings=changed),
        )
        came = {"status": "delivered", "shipped_at": NOON.isoformat(), "delivered_at": NOON.isoformat()}
        for number, text in zip(NUMBERS, asked, strict=True):
            self.desk.sells([self._order(number, NOON, **({} if text in {CANCEL, None} else came))])
            if text is not None:
                self._writes(text.replace("AW-10001", number), OWNERS[number], "pass", an_invoice(number), None)
        self.desk.works()

    def _order(self, number: str, paid: datetime, **changes: Any) -> Any:
        return an_order(paid, number, customer=OWNERS[number], lines=_RINGS, **changes)

    def _writes(self, text: str, sender: str, dmarc: str | None, invoice: str | None, answers: str | None) -> None:
        self.serial += 1
        message_id = f"<{self.serial}@mail.example>"
        raw = a_mail(text, sender=sender, dmarc=dmarc, invoice=invoice, answers=answers, message_id=message_id)
        self.reader.ids[raw] = ((text, sender, dmarc, invoice), message_id, answers)
        self.desk.gets([raw])
        self.changed = True

    # Customers

    @rule(
        text=st.sampled_from(TEXTS),
        number=_ORDERS,
        stranger=st.sampled_from([False, False, False, False, True]),
        dmarc=st.sampled_from(["pass", "pass", "pass", "pass", "none", "fail", None]),
        invoice=st.sampled_from([True, True, False]),
    )
    def writes(self, *, text: str, number: str, stranger: bool, dmarc: str | None, invoice: bool) -> None:
        sender = MALLORY if stranger else OWNERS[number]
        papers = an_invoice(number) if invoice else None
        self._writes(text.replace("AW-10001", number), sender, dmarc, papers, None)
        journey.handle_all(self.app)

    @precondition(lambda self: self.sink.taken)
    @rule(
        letter=st.integers(0, 4),
        text=st.sampled_from(ANSWERS),
        dmarc=st.sampled_from(["pass", "pass", "pass", "pass", "none", "fail"]),
        stranger=st.sampled_from([False] * 6 + [True]),
    )
    def answers(self, *, letter: int, text: str, dmarc: str, stranger: bool) -> None:
        sent = self.sink.taken[-1 - letter % len(self.sink.taken)]
        message = message_of(sent)
        code = _code(message, sent)
        invoice = an_invoice(_named(text_of(sent))) if text == ANSWERS[0] else None
        words = f"{code}\n{text}" if code else text
        sender = MALLORY if stranger else sent.recipient
        self._writes(words, sender, dmarc, invoice, str(message["Message-ID"]))
        journey.handle_all(self.app)

    @rule(number=_ORDERS, text=st.sampled_from([CANCEL, RETURN, DEFECT]), pays=st.booleans())
    def asks_again(self, *, number: str, text: str, pays: bool) -> None:
        """What an order's cases were about is over for the operators, and its customer asks anew, in a new case."""
        with self.engine.connect() as connection:
            cases = list(connection.execute(select(CaseRow.id).where(CaseRow.order_number == number)).scalars())
        for case in cases:
            if pays:
                self._tries(lambda: operators.confirm_refund(self.app, str(case), "mia", f"5TX-{case}"))  # noqa: B023 (called at once)
            self._tries(lambda: operators.close(self.app, str(case), "mia", "over"))  # noqa: B023 (called at once)
        self._writes(text.replace("AW-10001", number), OWNERS[number], "pass", an_invoice(number), None)
        journey.handle_all(self.app)

    # Time, the worker, the mail server and the book

    @rule(hours=st.sampled_from([0.1, 1, 6, 20, 30, 60, 200, -2]))
    def time_passes(self, hours: float) -> None:
        self.desk.now += timedelta(hours=hours)
        self.latest = max(self.latest, self.desk.now)

    @rule(mood=st.sampled_from(["takes", "takes", "takes", "refuses", "rejects", "is silent"]), breaks=st.booleans())
    def works(self, *, mood: str, breaks: bool) -> None:
        self.sink.mood, self.till.breaks = mood, breaks
        self.doubts += mood == "is silent"
        self.changed = True
        journey.look_after(self.app)
        journey.watch_clocks(self.app)
        journey.deliver(self.app)

    @rule(number=_ORDERS, news=st.sampled_from(["shipped", "delivered", "dispute", "caught up", "refunded elsewhere"]))
    def is_imported(self, number: str, news: str) -> None:
        with self.engine.connect() as connection:
            row = connection.execute(select(OrderRow).where(OrderRow.number == number)).mappings().one()
        self.changed = True
        refunded = self.external[number]
        changes: dict[str, Any] = {"status": row["status"], "dispute_open": row["dispute_open"] or news == "dispute"}
        changes |= {name: row[name] and row[name].isoformat() for name in ("shipped_at", "delivered_at")}
        if news in {"shipped", "delivered"}:
            changes |= {"status": news, "shipped_at": row["shipped_at"] or self.latest}
            changes["delivered_at"] = self.latest if news == "delivered" else changes["delivered_at"]
            changes = {
                name: value.isoformat() if isinstance(value, datetime) else value for name, value in changes.items()
            }
        ours = self._sum(number, ("paid", "paid_elsewhere"))
        left = row["captured_minor"] - refunded - ours - self._sum(number, _PROMISED)
        if news == "refunded elsewhere" and left >= 1000:
            self.external[number] += 1000
            refunded += 1000
        shown = refunded + (ours if news != "shipped" else min(ours, max(0, row["refunded_minor"] - refunded)))
        changes["refunded"] = f"{max(shown, row['refunded_minor']) / 100:.2f}"
        changes["paid_at"] = NOON.isoformat()
        self.desk.sells([self._order(number, NOON, **{key: value for key, value in changes.items() if value != ""})])

    # Operators

    @rule(
        case=_CASES,
        who=_NAMES,
        verb=st.sampled_from(["approve", "decline", "reply", "assign", "close", "reopen", "note"]),
    )
    def decides(self, *, case: int, who: str, verb: str) -> None:
        words = {"decline": ("used_or_altered",), "reply": ("Hello.",), "assign": ("ann",), "note": ("Hm.",)}
        arguments = words.get(verb, ("because",) if verb in {"close", "reopen"} else ())
        self._tries(lambda: getattr(operators, verb)(self.app, str(case), who, *arguments))

    @rule(case=_CASES, who=_NAMES, verdict=st.sampled_from(Verdict))
    def receives(self, *, case: int, who: str, verdict: Verdict) -> None:
        part = verdict is Verdict.PARTLY
        lines = (ClaimLine(sku="R-1", quantity=1),) if part else ()
        self._tries(
            lambda: operators.receive(self.app, str(case), who, Inspection(verdict=verdict, lines=lines, note="Worn."))
        )

    @rule(
        case=_CASES,
        who=_NAMES,
        verb=st.sampled_from(_PAYING),
        reference=st.integers(1, 4),
    )
    def pays(self, *, case: int, who: str, verb: str, reference: int) -> None:
        of_case = {
            "confirm_refund": (str(case), who, f"5TX-{reference}"),
            "approve_refund": (str(case), who),
            "hold_refund": (str(case), who, "wait"),
            "release_refund": (str(case), who),
            "cancel_refund": (str(case), who, "no"),
        }
        self._tries(lambda: getattr(operators, verb)(self.app, *of_case.get(verb, (who,))))

    @rule(who=_NAMES, stays=st.sampled_from([False, False, True]))
    def pays_though_money_stands_still(self, *, who: str, stays: bool) -> None:
        """Somebody stops all money; another, who has not heard of it, and the worker go on paying."""
        self._tries(lambda: operators.freeze(self.app, "mia", "audit"))
        self.everything_holds()
        self._tries(lambda: operators.pay_refunds(self.app, who))
        journey.look_after(self.app)
        self.changed = True
        self.everything_holds()
        if not stays:
            self._tries(lambda: operators.thaw(self.app, "mia"))

    def _tries(self, ask: Callable[[], object]) -> None:
        with suppress(*REFUSED):
            ask()
            self.changed = True

    # What must hold after every step

    @invariant()
    def everything_holds(self) -> None:
        """Hold what has changed against every invariant; a verb that was refused changes nothing."""
        if self.changed:
            self.changed = False
            self.the_store_is_sound()
            with self.engine.connect() as connection:
                self.every_change_of_a_case_follows_the_one_before(connection)
                self.no_payment_gives_back_more_than_it_took_and_what_is_paid_stays_paid_once(connection)
                self.two_people_agree_to_much_money(connection)
                self.nobody_is_asked_to_pay_while_money_stands_still(connection)
                self.no_level_of_a_clock_fires_twice(connection)
                self.no_letter_is_sent_twice_but_in_doubt_and_none_tells_a_stranger_or_floods(connection)
                assert set(connection.execute(_MAIL_STATES).scalars()) <= {"handled", "filed", "duplicate"}

    def the_store_is_sound(self) -> None:
        """Hold all of the store, but of mails and letters only those that came in this step."""
        broken = self.desk.broken(since=self.desk.now)
        assert not broken, broken

    def every_change_of_a_case_follows_the_one_before(self, connection: Connection) -> None:
        for move in connection.execute(_MOVES, {"since": self.moves}):
            assert move.from_state == self.at.get(move.case_id, "new")
            assert move.actor
            assert move.detail["why"] is not None
            self.at[move.case_id], self.moves = move.to_state, move.id
        states = dict(connection.execute(_CASE_STATES).all())
        assert {case: state for case, state in states.items() if state != "new"} == self.at

    def no_payment_gives_back_more_than_it_took_and_what_is_paid_stays_paid_once(self, connection: Connection) -> None:
        gone = Counter({number.replace("-", ""): self.external[number] for number in NUMBERS})
        for row in connection.execute(_REFUNDS):
            gone[row.order_key] += row.amount_minor if row.state != "cancelled" else 0
            if row.state == "paid":
                assert self.references.setdefault(row.id, row.reference) == row.reference
            else:
                assert row.id not in self.references
        assert len(set(self.references.values())) == len(self.references)
        assert all(sum_ <= 8600 for sum_ in gone.values()), gone
        till = Counter[str]()
        for order in self.till.booked.values():
            till[order.capture] += order.amount.minor
        assert all(sum_ <= 8600 for sum_ in till.values())

    def two_people_agree_to_much_money(self, connection: Connection) -> None:
        for row in connection.execute(_REFUNDS):
            if self.four_eyes and row.amount_minor > _FOUR_EYES_FROM and row.state in _MAY_BE_PAID:
                assert {row.approved_by, row.second_approver} == set(PEOPLE)

    def nobody_is_asked_to_pay_while_money_stands_still(self, connection: Connection) -> None:
        frozen_at, before = connection.execute(_FROZEN).scalar(), (self.frozen_at, self.asked_to_pay)
        handed_out = {
            (row.id, row.submitted_at) for row in connection.execute(_REFUNDS) if row.submitted_at is not None
        }
        self.frozen_at, self.asked_to_pay = frozen_at, (set(self.till.booked), handed_out)
        assert frozen_at is None or frozen_at != before[0] or self.asked_to_pay == before[1]

    def no_level_of_a_clock_fires_twice(self, connection: Connection) -> None:
        for row in connection.execute(_FIRED):
            assert self.fired.setdefault(row.id, row.fired_at) == row.fired_at

    def no_letter_is_sent_twice_but_in_doubt_and_none_tells_a_stranger_or_floods(self, connection: Connection) -> None:
        while self.counted < len(self.sink.taken):
            sent = self.sink.taken[self.counted]
            self.copies[str(message_of(sent)["Message-ID"])] += 1
            assert sent.recipient in {JANE, ANN, MALLORY}
            self.counted += 1
        assert max(self.copies.values(), default=0) <= (2 if self.doubts else 1)
        letters = []
        for row in connection.execute(_LETTERS):
            letters += [(row.case_id, row.recipient, row.created_at)] if row.case_id is not None else []
            if row.recipient == MALLORY:
                assert b"AW-1" not in row.content
                assert b"$" not in row.content
        for case, recipient, at in letters:
            lately = [other for other in letters if at - _A_DAY < other[2] <= at]
            assert sum(other[0] == case for other in lately) <= 6
            assert sum(other[1] == recipient for other in lately) <= 10

    def _sum(self, number: str, states: tuple[str, ...]) -> int:
        with self.engine.connect() as connection:
            key = number.replace("-", "")
            rows = [row for row in connection.execute(_REFUNDS) if row.order_key == key]
        return sum(row.amount_minor for row in rows if row.state in states)


def _code(message: Message, sent: Envelope) -> str | None:
    """The code of a verification letter."""
    if "confirm your message" not in str(message["Subject"]):
        return None
    lines = [line.strip() for line in text_of(sent).splitlines() if line.startswith("    ")]
    return next((line for line in lines if len(line) == 9 and line[4] == "-"), None)


def _named(text: str) -> str:
    return next((number for number in NUMBERS if number in text), NUMBERS[0])
