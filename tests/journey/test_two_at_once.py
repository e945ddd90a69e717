"""Two at once on one order: everybody locks the order, the case, then refund, proof or letter; nobody is in a ring."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier, get_ident
from typing import Any, cast

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from mailbot import journey, operators
from mailbot.errors import MailbotError, PermanentError, RetryableError
from mailbot.model.refund import RefundState
from mailbot.steps import adopting, proving, sending
from mailbot.steps.paying import _locked
from mailbot.steps.sorting import choose
from mailbot.store import cases, history, readings, refunds
from mailbot.store.tables import CaseEventRow, MailRow, OutboxRow, OutboxState, ProofRow, RefundRow
from mailbot.store.transaction import reading, transaction
from tests.journey.conftest import ShopBuilder
from tests.journey.life import cancelled
from tests.journey.mails import CANCEL, JANE, QUESTION, a_mail, an_invoice, an_order
from tests.journey.shop import Shop
from tests.journey.test_proof_link import PUBLIC, token_in
from tests.servers.processes import wait_until

BOB = "bob@example.org"
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.fixture
def shop(a_shop: ShopBuilder) -> Shop:
    """Give a shop on PostgreSQL whose one case has a refund due."""
    shop = a_shop(database="postgres")
    cancelled(shop)
    return shop


@contextmanager
def waits_for_us(engine: Engine, work: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Start work in a thread, and go on once the database has it wait for this thread's locks."""

    def is_waiting() -> bool:
        with engine.connect() as connection:
            return bool(connection.execute(_WAITING).scalar_one())

    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(work)
        wait_until(is_waiting, "the other to wait", 20)
        yield going


def a_mail_names_the_order(session: Session) -> None:
    with_numbers = readings.newest(session, 1)
    assert with_numbers is not None
    assert choose(session, with_numbers.order_numbers, None).booked is not None


VERBS: dict[str, Callable[[Shop], Any]] = {
    "hold": lambda shop: operators.hold_refund(shop.app, "1", "mia", "wait"),
    "note": lambda shop: operators.note(shop.app, "1", "mia", "She called."),
    "pay": lambda shop: operators.pay_refunds(shop.app, "mia"),
    "confirm": lambda shop: operators.confirm_refund(shop.app, "1", "mia", "5TX-1"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_an_operator_waits_for_a_mail_that_has_the_order_and_holds_nothing_that_it_needs(verb: str, shop: Shop) -> None:
    with transaction(shop.app.engine) as session:
        a_mail_names_the_order(session)
        with waits_for_us(shop.app.engine, lambda: VERBS[verb](shop)) as going:
            case = cases.lock(session, 1)  # what the mail does next; a ring would end in an error of one of the two
            assert refunds.of_case(session, case.id, (RefundState.DUE,), lock=True)
            session.commit()
            going.result(20)


def test_the_payer_waits_for_an_operator_and_holds_nothing_that_is_needed(shop: Shop) -> None:
    def pays() -> str:
        with transaction(shop.app.engine) as session:
            return _locked(session, 1)[0].state

    with transaction(shop.app.engine) as session:
        cases.lock(session, 1)
        with waits_for_us(shop.app.engine, pays) as going:
            row = session.get_one(RefundRow, 1, with_for_update=True)
            row.held_for = "seen"
            session.commit()
            assert going.result(20) == "due"


class _Sent:
    """A mailbox in whose folder of sent mail every letter lies."""

    name = "sent"

    def __init__(self, shop: Shop) -> None:
        self._ids = {row.message_id for row in shop.rows(OutboxRow)}

    def sent_ids(self, _since: object) -> set[str]:
        return self._ids


def a_letter_is(shop: Shop, state: OutboxState, **more: Any) -> None:
    with transaction(shop.app.engine) as session:
        session.execute(update(OutboxRow).values(state=state, due_at=shop.clock.now, sent_at=None, **more))


def is_refused(shop: Shop, problem: MailbotError) -> None:
    a_letter_is(shop, OutboxState.QUEUED, attempts=20)
    taken = sending._take(shop.app)
    assert taken is not None
    sending._record_problem(shop.app, taken, problem, connected=True)


def is_given_up(shop: Shop) -> None:
    a_letter_is(shop, OutboxState.AMBIGUOUS, resent=True)
    journey.deliver(shop.app)


def is_found(shop: Shop) -> None:
    a_letter_is(shop, OutboxState.AMBIGUOUS)
    assert adopting.adopt_sent(replace(shop.app, mailboxes=(cast("Any", _Sent(shop)),))) == 1


def is_answered(shop: Shop) -> None:
    a_letter_is(shop, OutboxState.AMBIGUOUS)
    answered = shop.rows(OutboxRow)[0].message_id
    shop.gets(a_mail("Thank you. When will it be here?", answers=answered))
    journey.receive(shop.app, shop.app.mailboxes[0])
    journey.handle_all(shop.app)


LETTERS: dict[str, Callable[[Shop], None]] = {
    "refused": lambda shop: is_refused(shop, PermanentError("550 no such user")),
    "postponed too often": lambda shop: is_refused(shop, RetryableError("451 come again")),
    "given up": is_given_up,
    "found sent": is_found,
    "answered": is_answered,
}


@pytest.mark.parametrize("what", LETTERS)
def test_whoever_changes_a_letter_waits_for_its_case_first(what: str, shop: Shop) -> None:
    with transaction(shop.app.engine) as session:
        cases.lock(session, 1)
        with waits_for_us(shop.app.engine, lambda: LETTERS[what](shop)) as going:
            session.scalars(select(OutboxRow).with_for_update(nowait=True)).one()  # an error if somebody else has it
            session.commit()
            going.result(20)
    assert shop.rows(OutboxRow)[0].state == ("sent" if what in {"found sent", "answered"} else "failed")
    assert shop.case()["state"] == ("refund_due" if what in {"found sent", "answered"} else "escalated")


def test_whoever_follows_a_link_waits_for_its_case_first(a_shop: ShopBuilder) -> None:
    shop = a_shop(database="postgres", public_url=PUBLIC)
    shop.sells(an_order(shop.clock.now))
    token = token_in(shop.answers(a_mail(CANCEL, dmarc=None, invoice=an_invoice()))[0])
    with transaction(shop.app.engine) as session:
        cases.lock(session, 1)
        with waits_for_us(shop.app.engine, lambda: proving.prove_by_link(shop.app, token)) as going:
            session.scalars(select(ProofRow).with_for_update(nowait=True)).one()
            session.commit()
            assert going.result(20)
    assert shop.case()["state"] == "refund_due"


def test_two_groups_of_mails_that_wait_for_each_others_orders_are_each_decided_once(
    a_shop: ShopBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(database="postgres")
    now = shop.clock.now
    shop.sells(an_order(now), an_order(now, "AW-10002", customer=BOB))
    bob = CANCEL.replace("AW-10001", "AW-10002")
    shop.gets(a_mail(CANCEL), a_mail(bob, sender=BOB), a_mail(bob + "!", sender=BOB), a_mail(CANCEL + "!"))
    monkeypatch.setattr(journey, "_AT_ONCE", 2)
    each_has_one, decided, began, failed = Barrier(2), journey.handle, set[int](), list[str]()

    def handle(*given: Any) -> None:
        decided(*given)
        if get_ident() not in began:
            began.add(get_ident())
            each_has_one.wait(20)

    def transaction_of(engine: Engine, point: str) -> Any:
        return _noted(transaction(engine, point), failed)

    monkeypatch.setattr(journey, "handle", handle)
    monkeypatch.setattr(journey, "transaction", transaction_of)
    journey.receive(shop.app, shop.app.mailboxes[0])
    with ThreadPoolExecutor(2) as pool:
        groups = [journey._take_some(shop.app) for _ in range(2)]
        list(pool.map(lambda group: journey.handle_together(shop.app, group), groups))
    assert failed == ["StoreUnavailableError"]  # one gave way, and began again
    assert [(row.state, row.attempts) for row in shop.rows(MailRow)] == [("handled", 1)] * 4
    assert [row.kind for row in shop.rows(CaseEventRow)].count("customer_wrote") == 2
    shop.poll()
    assert sorted(letter.to for letter in shop.letters()) == sorted([JANE, BOB])


@contextmanager
def _noted(inner: Any, failed: list[str]) -> Iterator[Session]:
    try:
        with inner as session:
            yield session
    except Exception as problem:
        failed.append(type(problem).__name__)
        raise


def test_a_history_that_goes_on_while_it_is_proved_is_whole(shop: Shop) -> None:
    with reading(shop.app.engine) as session:
        links = history.broken_links(session)
        checked = [next(links)]
        shop.answers(a_mail(QUESTION, sender=BOB))
        checked += links
    assert [case_id for case_id, is_broken in checked if is_broken] == []
    assert len(checked) < len(shop.look(lambda later: list(history.broken_links(later))))
