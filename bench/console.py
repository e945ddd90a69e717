"""How fast the console's pages are with many cases: ``python -m bench.console --cases 100000``.

Without ``--url`` a PostgreSQL of its own is started. Each page is asked for over HTTP, one request after the other, as
one operator does; the time is that of the whole answer, and the processor time that it took here and in the database.
"""

import argparse
import os
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine, insert, text

from mailbot.console.app import make_console, serving
from mailbot.console.door import make_link
from mailbot.demo.run import demo_app, fill_inbox, work_off
from mailbot.logs import set_up_logs
from mailbot.model.people import Role
from mailbot.steps.app import App
from mailbot.store import users
from mailbot.store.instance import open_instance, upgrade
from mailbot.store.search import CASE_WORDS, MAIL_WORDS
from mailbot.store.sessions import Link
from mailbot.store.tables import CaseEventRow, CaseRow, ClockRow, DecisionRow, MailRow, PolicyRow, RawMailRow
from mailbot.store.transaction import open_engine, reading, transaction
from tests.servers.postgres import postgres_server

_PAGE = 2000
_OPEN = ("escalated", "refund_due", "return_approved", "waiting_for_information", "waiting_for_proof")
_WHY = ("approval_required", "low_confidence", "quality_review", "logistics_review", "other_topic")


@contextmanager
def _database(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with postgres_server(on_disk=True) as server:
        yield server.new_database()


def _fill(engine: Engine, sample: App, cases: int, share_open: float, now: datetime) -> None:
    """Make cases like the demonstration's: most are over, some wait, each with mail, decision, clocks, history."""
    with reading(sample.engine) as session:
        mails = session.query(MailRow).filter(MailRow.case_id.is_not(None), MailRow.reading.is_not(None)).all()
        decisions = {row.case_id: row for row in session.query(DecisionRow)}
        policies = [(row.version, row.content, row.timezone, row.first_used_at) for row in session.query(PolicyRow)]
        raws = {row.sha256: (row.size, row.content) for row in session.query(RawMailRow)}
        whole = [
            (
                mail.reading,
                mail.sha256,
                decisions[mail.case_id].facts,
                decisions[mail.case_id].decision,
                decisions[mail.case_id].trace,
                decisions[mail.case_id].policy_version,
            )
            for mail in mails
            if mail.case_id in decisions
        ]
    chance, is_postgres = random.Random(7), engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        if is_postgres:  # an index that is filled at the end is filled in a tenth of the time
            connection.execute(text("DROP INDEX words_of_cases, words_of_mails"))
        connection.execute(
            insert(PolicyRow),
            [{"version": v, "content": c, "timezone": z, "first_used_at": f} for v, c, z, f in policies],
        )
        connection.execute(insert(RawMailRow), [{"sha256": h, "size": s, "content": c} for h, (s, c) in raws.items()])
    for start in range(1, cases + 1, _PAGE):
        rows: dict[type, list[dict[str, object]]] = {
            CaseRow: [],
            MailRow: [],
            DecisionRow: [],
            ClockRow: [],
            CaseEventRow: [],
        }
        for at in range(start, min(start + _PAGE, cases + 1)):
            asked = now - timedelta(minutes=chance.randrange(60 * 24 * 300))
            is_open = chance.random() < share_open
            asked = now - timedelta(minutes=chance.randrange(60 * 50)) if is_open else asked
            state = chance.choice(_OPEN) if is_open else chance.choice(("closed", "closed", "declined", "refunded"))
            reading_, sha256, facts, decision, trace, version = chance.choice(whole)
            rows[CaseRow].append(
                {
                    "id": at,
                    "version": 3,
                    "state": state,
                    "topic": "refund_request",
                    "subject": f"Order AW-{at % 90000 + 10000}",
                    "customer": f"customer{at // 3}@example.org",
                    "order_number": f"AW-{at % 90000 + 10000}",
                    "order_key": f"AW{at % 90000 + 10000}",
                    "language": chance.choice(("en", "de", "fr")),
                    "requested_at": asked,
                    "outcome": "escalate",
                    "rule": chance.choice(_WHY),
                    "escalation": chance.choice(_WHY),
                    "grade": "V2",
                    "sum_minor": chance.randrange(50000),
                    "sum_currency": "USD",
                    "assigned_to": chance.choice((None, None, "mia@shop.example")),
                    "opened_at": asked,
                    "changed_at": asked,
                }
            )
            rows[MailRow].append(
                {
                    "id": at,
                    "mailbox": "support",
                    "folder": "INBOX",
                    "uidvalidity": 1,
                    "uid": at,
                    "received_at": asked,
                    "stored_at": asked,
                    "size": 4000,
                    "sha256": sha256,
                    "state": "handled",
                    "attempts": 1,
                    "kind": "customer",
                    "content_key": f"{at:064x}",
                    "reading": reading_,
                    "case_id": at,
                }
            )
            rows[DecisionRow].append(
                {
                    "case_id": at,
                    "mail_id": at,
                    "decided_at": asked,
                    "policy_version": version,
                    "facts": facts,
                    "decision": decision,
                    "trace": trace,
                    "sender_why": "dmarc=pass",
                }
            )
            met = None if is_open else asked + timedelta(hours=3)
            rows[ClockRow] += [
                {
                    "case_id": at,
                    "kind": "reply",
                    "round": 1,
                    "level": level,
                    "started_at": asked,
                    "due_at": asked + timedelta(hours=hours),
                    "met_at": met,
                }
                for level, hours in (("due", 24), ("limit", 48))
            ]
            rows[CaseEventRow] += [
                {
                    "case_id": at,
                    "at": asked,
                    "actor": "mailbot",
                    "kind": kind,
                    "to_state": state,
                    "detail": {"why": "x"},
                }
                for kind in ("escalated", "decided")
            ]
        with engine.begin() as connection:
            for table, values in rows.items():
                connection.execute(insert(table), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if is_postgres:
            connection.execute(text(f"CREATE INDEX words_of_cases ON cases USING gin ({CASE_WORDS})"))
            words = f"CREATE INDEX words_of_mails ON mails USING gin ({MAIL_WORDS}) WHERE case_id IS NOT NULL"
            connection.execute(text(words))
            for table in ("cases", "decisions", "clocks", "case_events", "mails"):
                connection.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))  # noqa: S608 (our own tables)
            connection.execute(text("VACUUM ANALYZE"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spent:
    """Milliseconds of this process and its database connections so far: on a processor, and waiting for one."""

    computing: float
    waiting: float

    def since(self, before: "_Spent") -> "_Spent":
        return _Spent(computing=self.computing - before.computing, waiting=self.waiting - before.waiting)


def _spent(backends: Sequence[int]) -> _Spent:
    """As Linux's scheduler counts it, thread by thread (``/proc/PID/task/*/schedstat``)."""
    computing = waiting = 0.0
    for pid in (os.getpid(), *backends):
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            ran, waited, _ = task.read_text(encoding="ascii").split()
            computing, waiting = computing + int(ran) / 1e6, waiting + int(waited) / 1e6
    return _Spent(computing=computing, waiting=waiting)


def _backends(engine: Engine) -> list[int]:
    if engine.dialect.name != "postgresql":
        return []
    with engine.connect() as connection:
        pids = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        return [pid for (pid,) in connection.execute(text(pids))]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One request: milliseconds as the clock has them, what was spent, and the size of the answer."""

    wall: float
    spent: _Spent
    size: int


def _ask(link: HTTPConnection, cookie: str, path: str, backends: Sequence[int]) -> _Asked:
    before, began = _spent(backends), time.perf_counter()
    link.request("GET", path, headers={"Cookie": cookie})
    answer = link.getresponse()
    body = answer.read()
    wall = (time.perf_counter() - began) * 1000
    assert answer.status == 200, (path, answer.status)
    return _Asked(wall=wall, spent=_spent(backends).since(before), size=len(body))


def _row(name: str, asked: Sequence[_Asked]) -> str:
    walls = [one.wall for one in asked]
    alone = [max(one.wall - one.spent.waiting, one.spent.computing) for one in asked]
    columns = (
        statistics.median(walls),
        statistics.quantiles(walls, n=20)[18],
        statistics.median(alone),
        statistics.quantiles(alone, n=20)[18],
        statistics.mean(one.spent.computing for one in asked),
        max(one.size for one in asked) / 1000,
    )
    return f"{name:<24}" + "".join(f"{column:>10.1f}" for column in columns)


def main() -> None:
    """Fill, serve, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--open", type=float, default=0.05, help="share of cases that are still open")
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--url")
    parser.add_argument("--filled", action="store_true", help="measure a database that an earlier run has filled")
    wanted = parser.parse_args()
    set_up_logs(verbose=False)
    with _database(wanted.url) as url, demo_app("127.0.0.1:0") as (sample, servers):
        fill_inbox(sample, servers)
        work_off(sample)
        engine = open_engine(url)
        upgrade(engine)
        with transaction(engine) as session:
            instance = open_instance(session, sample.now())
        if not wanted.filled:
            began = time.perf_counter()
            _fill(engine, sample, wanted.cases, wanted.open, sample.now())
            print(f"{wanted.cases} cases made in {time.perf_counter() - began:.0f} s on {engine.dialect.name}")
        app = replace(sample, engine=engine, instance=instance)
        with transaction(engine) as session:
            name = "mia@shop.example"
            user = users.find(session, name) or users.add(session, name, Role.ADMIN, app.now())
        with serving(make_console(app), "127.0.0.1", 0) as address:
            link = make_link(app, Link.SIGN_IN, user.id, address)
            sign_in = HTTPConnection(urlsplit(address).netloc)
            form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": address}
            sign_in.request("POST", "/sign-in", f"token={link.partition('token=')[2]}", form)
            cookie = (sign_in.getresponse().getheader("set-cookie") or "").partition(";")[0]
            numbers = [f"RF-{number:06d}" for number in random.Random(1).sample(range(1, wanted.cases), wanted.times)]
            pages = {
                "queue": ["/"] * wanted.times,
                "queue, all cases": ["/?view=all"] * wanted.times,
                "queue, page 40 of open": ["/?view=customers&page=40"] * wanted.times,
                "queue, filtered": ["/?view=people&reason=quality_review&language=de"] * wanted.times,
                "queue, search": ["/?view=all&q=customer12345"] * wanted.times,
                "queue, a common word": ["/?view=all&q=ring"] * wanted.times,
                "case": [f"/cases/{number}" for number in numbers],
                "dashboard": ["/dashboard"] * 10,
            }
            titles = ("p50 ms", "p95 ms", "p50 alone", "p95 alone", "CPU ms", "KB")
            print(f"{'page':<24}" + "".join(f"{title:>10}" for title in titles))
            page = HTTPConnection(urlsplit(address).netloc)
            for name, paths in pages.items():
                for _ in range(3):
                    _ask(page, cookie, paths[0], ())
                backends = _backends(engine)
                print(_row(name, [_ask(page, cookie, path, backends) for path in paths]))
            files = ("console.css", "desk.css", "console.js")
            static = sum(_ask(page, cookie, f"/static/{file}", ()).size for file in files)
            print(f"style and script, once: {static / 1000:.1f} KB")
            page.close()
        engine.dispose()


if __name__ == "__main__":
    main()
