"""Stories of doubt: each invariant is proved on what is stored, and a broken one stops automatic mail and money."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mailbot import journey, operators
from mailbot.console.banner import Banner
from mailbot.model.expiry import Expiry
from mailbot.settings import Webhook, WebhookEvent
from mailbot.steps.expiring import Expiries, find_expiring
from mailbot.steps.guarding import Tick, notice_drift
from mailbot.store import check, history, switch
from mailbot.store.desk_tables import WebhookCallRow
from mailbot.store.silence import find_alarms
from mailbot.store.tables import (
    CaseEventRow,
    CaseRow,
    ClockRow,
    FolderRow,
    MailRow,
    OrderRow,
    OutboxRow,
    ProofRow,
    RawMailRow,
    RefundRow,
)
from mailbot.store.transaction import reading, transaction
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import CANCEL, QUESTION, RETURN, a_mail, an_invoice, an_order
from tests.journey.shop import Shop

_TRIGGERS = ("case_events_no_update", "case_events_erased_only", "case_events_no_delete")


@pytest.fixture
def busy(a_shop: ShopBuilder) -> Shop:
    """Give a shop in which something of everything has happened."""
    shop = a_shop(notify="boss@shop.example")
    shop.sells(an_order(shop.clock.now), an_order(shop.clock.now, "AW-10002", paid=9, delivered=4))
    mail = a_mail(CANCEL, invoice=an_invoice())
    shop.answers(mail, mail)
    shop.answers(a_mail(RETURN.replace("10001", "10002"), dmarc="none", invoice=an_invoice("AW-10002")))
    shop.answers(a_mail(QUESTION, sender="b@a.example"))
    return shop


def found(shop: Shop) -> dict[str, tuple[int, int]]:
    """Every invariant with how much was checked and is broken."""
    counts: dict[str, tuple[int, int]] = {}
    for each in shop.look(lambda session: list(check.check(session))):
        checked, broken = counts.get(each.invariant, (0, 0))
        counts[each.invariant] = checked + each.checked, broken + each.broken
    return counts


def test_every_invariant_is_proved_on_something(busy: Shop) -> None:
    counts = found(busy)
    assert list(counts) == [f"I{number}" for number in range(1, 15)]
    assert [name for name, (checked, _) in counts.items() if not checked] == []
    assert [name for name, (_, broken) in counts.items() if broken] == []


def _rewrite_history(session: Session) -> None:
    for name in _TRIGGERS:
        session.execute(text(f"DROP TRIGGER {name}"))
    session.execute(update(CaseEventRow).where(CaseEventRow.id == 2).values(actor="nobody"))


def _cut_history(session: Session) -> None:
    for name in _TRIGGERS:
        session.execute(text(f"DROP TRIGGER {name}"))
    last = session.query(CaseEventRow.id).order_by(CaseEventRow.id.desc()).limit(1).scalar()
    session.execute(delete(CaseEventRow).where(CaseEventRow.id == last))


def _flood(session: Session) -> None:
    columns = [column.name for column in OutboxRow.__table__.columns if column.name != "id"]
    first = session.query(OutboxRow).filter_by(template="cancellation_approved").one()
    for number in range(6):
        copy = {name: getattr(first, name) for name in columns}
        session.add(OutboxRow(**copy | {"purpose": f"more/{number}", "message_id": f"<{number}@more>"}))


MISCHIEFS: dict[str, tuple[str, Callable[[Session], object]]] = {
    "other bytes": ("I1", lambda session: session.execute(update(RawMailRow).values(content=b"other"))),
    "no bytes": ("I1", lambda session: session.execute(update(MailRow).values(sha256=None))),
    "endless tries": ("I2", lambda session: session.execute(update(MailRow).values(state="stored", attempts=4))),
    "no case": ("I2", lambda session: session.execute(update(MailRow).values(case_id=None))),
    "a copy with a case": (
        "I3",
        lambda session: session.execute(update(MailRow).where(MailRow.duplicate_of.is_not(None)).values(case_id=1)),
    ),
    "another recipient": ("I4", lambda session: session.execute(update(OutboxRow).values(recipient="m@else.example"))),
    "told a stranger": (
        "I5",
        lambda session: session.execute(
            update(OutboxRow).where(OutboxRow.template == "cancellation_approved").values(grade="V1")
        ),
    ),
    "too much": ("I6", lambda session: session.execute(update(RefundRow).values(amount_minor=8601))),
    "nobody's refund": ("I7", lambda session: session.execute(update(RefundRow).values(approved_by=""))),
    "another currency": ("I8", lambda session: session.execute(update(OrderRow).values(currency="EUR"))),
    "half a clock": ("I9", lambda session: session.execute(delete(ClockRow).where(ClockRow.level == "due"))),
    "no clock": ("I9", lambda session: session.execute(delete(ClockRow))),
    "a flood": ("I10", _flood),
    "another history": ("I11", _rewrite_history),
    "a shorter history": ("I11", _cut_history),
    "a code in the clear": ("I12", lambda session: session.execute(update(ProofRow).values(code_hash="AB23-CD45"))),
    "a line's end": (
        "I13",
        lambda session: session.execute(update(OutboxRow).values(sender="a@b\r\nDATA")),
    ),
}


def broken_by(session: Session, do: Callable[[Session], object]) -> set[str]:
    """The invariants that a mischief breaks; it is undone afterwards."""
    with session.begin_nested() as undone:
        do(session)
        session.flush()
        broken = {each.invariant for each in check.check(session) if each.broken}
        undone.rollback()
    return broken


def test_each_broken_invariant_is_found(busy: Shop) -> None:
    with transaction(busy.app.engine) as session:
        missed = [what for what, (name, do) in MISCHIEFS.items() if name not in broken_by(session, do)]
    assert missed == []


def test_a_broken_invariant_stops_mail_and_money_and_is_told(busy: Shop) -> None:
    with transaction(busy.app.engine) as session:
        session.execute(update(RefundRow).values(amount_minor=8601))
    busy.damaged = True
    for _ in range(2):
        journey.guard(busy.app)
    frozen = busy.look(switch.find_frozen)
    assert frozen is not None
    assert frozen.by == "mailbot"
    assert "I6" in frozen.reason
    assert [row.purpose for row in busy.rows(OutboxRow) if row.template == "notice"] == [
        f"alarm/stopped/{busy.clock.now.isoformat()}"
    ]


def test_while_all_is_well_nothing_stops(busy: Shop) -> None:
    journey.guard(busy.app)
    assert busy.look(switch.find_frozen) is None
    assert journey.poll(busy.app).sent == 0


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    "change",
    ["UPDATE case_events SET actor = 'nobody'", "UPDATE case_events SET detail = '{}'", "DELETE FROM case_events"],
)
def test_nobody_changes_the_history(database: str, change: str, a_shop: ShopBuilder) -> None:
    shop = a_shop(database)
    shop.answers(a_mail(QUESTION))
    with pytest.raises(DBAPIError, match="only ever added"), shop.app.engine.begin() as connection:
        connection.execute(text(change))
    assert len(shop.rows(CaseEventRow)) == 1


def test_a_note_may_be_erased_and_the_history_still_holds(a_shop: ShopBuilder) -> None:
    shop = a_shop()
    shop.answers(a_mail(QUESTION))
    operators.note(shop.app, "1", "ann", "She has called twice.")
    with transaction(shop.app.engine) as session:
        event = session.scalars(select(CaseEventRow).where(CaseEventRow.kind == "noted")).one()
        event.detail = history.without_words(event.detail)
    assert "called" not in str(shop.case()["history"])
    assert shop.broken() == []
    with transaction(shop.app.engine) as session:
        event = session.scalars(select(CaseEventRow).where(CaseEventRow.kind == "noted")).one()
        event.detail = {"text": "erased:nothing"}
    assert len(shop.broken()) == 1
    shop.damaged = True


def test_a_frozen_shop_says_nothing_until_it_is_thawed(a_shop: ShopBuilder) -> None:
    shop = a_shop()
    shop.sells(an_order(shop.clock.now))
    with transaction(shop.app.engine) as session:
        switch.freeze(session, "mailbot", "a test", shop.clock.now)
    assert shop.answers(a_mail(CANCEL, invoice=an_invoice())) == []
    assert [row.state for row in shop.rows(OutboxRow)] == ["queued"]
    with transaction(shop.app.engine) as session:
        switch.thaw(session)
    shop.poll()
    assert len(shop.letters()) == 1


def alarms(shop: Shop) -> list[str]:
    mailboxes = [("support", "INBOX")]
    return [alarm.name for alarm in shop.look(lambda session: list(find_alarms(session, mailboxes, shop.clock.now)))]


@pytest.fixture
def free_disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Give how much of a disk of 100 is free, to be changed."""
    kept = {"free": 50}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=100, free=kept["free"]))
    return kept


def test_what_is_wrong_is_told_by_mail_and_by_webhook(
    a_shop: ShopBuilder, free_disk: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", "a secret of thirty-two characters")
    shop = a_shop(notify="boss@shop.example")
    shop.poll()
    hooks = (
        Webhook(name="pager", url="https://pager.example", secret_env="HOOK"),
        Webhook(name="crm", url="https://crm.example", secret_env="HOOK", events=(WebhookEvent.ESCALATED,)),
    )
    settings = shop.app.settings.model_copy(update={"webhooks": hooks})
    shop.app = replace(shop.app, judgement=replace(shop.app.judgement, settings=settings))
    journey.notice_silence(shop.app)
    assert shop.rows(WebhookCallRow) == []
    free_disk["free"] = 9
    for _ in range(2):
        journey.notice_silence(shop.app)
    (call,) = shop.rows(WebhookCallRow)
    assert (call.hook, call.event, call.key) == ("pager", "alarm", "alarm-disk/2026-03-10")
    assert "9% of the disk" in json.loads(call.body)["text"]
    assert [row.purpose for row in shop.rows(OutboxRow)] == ["alarm/disk/2026-03-10"]


def test_silence_is_noticed_and_told_once_a_day(a_shop: ShopBuilder, free_disk: dict[str, int]) -> None:
    assert free_disk["free"] == 50
    shop = a_shop(notify="boss@shop.example")
    shop.gets(b"\r\n")
    shop.poll()
    assert alarms(shop) == ["parked"]
    shop.clock.forward(minutes=14)
    assert alarms(shop) == ["parked"]
    shop.clock.forward(minutes=2)
    assert alarms(shop) == ["unpolled/support", "parked"]
    with transaction(shop.app.engine) as session:
        session.execute(update(CaseRow).values(escalation="seen"))
        session.execute(update(FolderRow).values(swept_at=shop.clock.now - timedelta(minutes=1)))
    for _ in range(3):
        journey.notice_silence(shop.app)
    told = [row.purpose for row in shop.rows(OutboxRow)]
    assert told == [f"alarm/{name}/2026-03-10" for name in ("unpolled/support", "parked")]
    shop.clock.forward(hours=1, minutes=1)
    assert alarms(shop) == ["unpolled/support", "unsent", "parked"]
    shop.poll()
    assert alarms(shop) == ["parked"]
    assert len(shop.letters()) == 2


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_ends_soon_is_told_at_14_7_and_1_days_and_daily_from_its_end_on(
    a_shop: ShopBuilder, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    monkeypatch.setenv("HOOK", "a secret of thirty-two characters")
    shop = a_shop(database, notify="boss@shop.example")
    shop.damaged = True  # nobody polls here for weeks
    host = f"{'imap.' * 20}shop.example"
    settings = shop.app.settings
    update = {
        "mailboxes": (settings.mailboxes[0].model_copy(update={"host": host, "port": 993}),),
        "secrets": settings.secrets.model_copy(update={"expires": {"HOOK": date(2026, 4, 6)}}),
        "webhooks": (Webhook(name="pager", url="https://pager.example", secret_env="HOOK"),),
    }
    settings = settings.model_copy(update=update)
    shop.app = replace(shop.app, mailboxes=(), judgement=replace(shop.app.judgement, settings=settings))
    noted, now = Expiries(shop.app.engine), shop.clock.now
    noted(Expiry(what=f"certificate/{host}:993", since=now - timedelta(days=60), until=now + timedelta(days=30)))
    noted(Expiry(what="certificate/gone.example:993", since=now - timedelta(days=60), until=now))
    told: list[tuple[str, ...]] = []
    for _ in range(33):
        with reading(shop.app.engine) as session:
            told.append(tuple(alarm.text for alarm in find_expiring(shop.app, session)))
        journey.notice_silence(shop.app)
        shop.clock.forward(days=1)
    levels = [row.purpose.rpartition("/")[2] for row in shop.rows(OutboxRow) if "certificate" in row.purpose]
    assert levels[:3] == ["14", "7", "1"]
    assert [len(each) for each in told] == [0] * 13 + [1] * 3 + [2] * 17
    letters = [row.purpose for row in shop.rows(OutboxRow) if "expiry" in row.purpose]
    calls = [call for call in shop.rows(WebhookCallRow) if "expiry" in call.key]
    assert len(letters) == len(calls) == 3 + 3 + 3 + 6
    assert f"The certificate of {host}:993 ends on" in told[20][0]
    assert "has ended" in told[32][0]
    assert told[13][0].startswith("HOOK ends on 2026-04-06 00:00")
    assert shop.look(lambda _: Banner().texts(shop.app))[-2:] == told[32]


@pytest.mark.parametrize(("lives", "first"), [(6, 2), (47, 14), (90, 14), (365, 14)])
def test_what_is_renewed_every_few_days_is_warned_of_late(a_shop: ShopBuilder, lives: int, first: int) -> None:
    shop = a_shop()
    server = shop.app.settings.smtp
    what = f"certificate/{server.host}:{server.port}"
    since, until = shop.clock.now, shop.clock.now + timedelta(days=lives)
    Expiries(shop.app.engine)(Expiry(what=what, since=since, until=until))
    found = []
    for left in range(lives, -1, -1):
        shop.clock.now = until - timedelta(days=left)
        with reading(shop.app.engine) as session:
            found += [left] * len(list(find_expiring(shop.app, session)))
    assert found == list(range(first, -1, -1))


def test_a_clock_that_jumps_is_told_once_and_one_that_runs_is_not(a_shop: ShopBuilder) -> None:
    shop = a_shop(notify="boss@shop.example")
    tick = Tick(shop.clock.now, 1000.0)
    for running, minutes in ((1060.0, 1), (1120.0, 5.9), (1180.0, 1), (1240.0, 7), (1300.0, -60), (1360.0, 1)):
        shop.clock.forward(minutes=minutes)
        tick = notice_drift(shop.app, tick, running)
    shop.clock.forward(hours=1)
    shop.poll()
    told = {found for letter in shop.letters() for found in re.findall(r"went .*?,", letter.text)}
    assert told == {"went 6 minutes ahead,", "went 61 minutes back,"}
