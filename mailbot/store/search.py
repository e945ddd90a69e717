"""Words in cases and in the text of their mails, by index on PostgreSQL, by a bounded look on SQLite.

PostgreSQL finds words by how they begin, in every case and mail (two GIN indexes, made by a migration); of a word that
the newest ``NEWEST`` mails and cases hold often enough, it looks no further back. On SQLite, and in scripts that set no
spaces, words are looked for anywhere: in every case's subject, customer and order, and in the newest ``NEWEST`` mails.
"""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    func,
    intersect,
    literal_column,
    or_,
    select,
    type_coerce,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from mailbot.store.tables import CaseRow, MailRow

MOST_FOUND = 2_000
"""A search stops at so many cases, the newest."""
NEWEST = 20_000

_MOST_WORDS = 6
_LONGEST_NUMBER = 12
_ESCAPE = "\\"
_SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_APART = str.maketrans(_SIGNS, " " * len(_SIGNS))
_SPACELESS_FROM = "\u2e80"
"""From here on Unicode holds the scripts of China and Japan, whose words have no spaces around them."""

_SQL_SIGNS = _SIGNS.replace("'", "''")
_FIELDS = (
    "subject || ' ' || coalesce(customer, '') || ' ' || coalesce(order_number, '') || ' ' || coalesce(order_key, '')"
)
_BODY = "left(reading::json #>> '{body,text}', 20000)"


def vector(text: str) -> str:
    """The words of a text as PostgreSQL indexes them; the migration's indexes and the search say the same."""
    return f"to_tsvector('simple', translate({text}, '{_SQL_SIGNS}', '{' ' * len(_SIGNS)}'))"


CASE_WORDS, MAIL_WORDS = vector(_FIELDS), vector(_BODY)


def find(session: Session, words: str) -> list[int]:
    """Ids of the cases that hold every word, the newest first, ``MOST_FOUND`` at most."""
    asked = words.split()[:_MOST_WORDS]
    if not asked:
        return []
    is_postgres = session.get_bind().dialect.name == "postgresql"
    if is_postgres:
        recent = _found(session, [_holding(word, is_postgres=True, recent=True) for word in asked])
        if len(recent) == MOST_FOUND:
            return recent
    return _found(session, [_holding(word, is_postgres=is_postgres, recent=False) for word in asked])


def _found(session: Session, holding: Sequence[Select[int]]) -> list[int]:
    held = intersect(*holding).subquery()
    return list(session.scalars(select(held.c.id).order_by(held.c.id.desc()).limit(MOST_FOUND)))


def _holding(word: str, *, is_postgres: bool, recent: bool) -> Select[int]:
    number = word.upper().removeprefix("RF-").removeprefix("RF")
    parts = word.translate(_APART).split()
    indexed = is_postgres and parts and max(word) < _SPACELESS_FROM
    cases, mails = _by_index(parts) if indexed else _by_looking(word, is_postgres=is_postgres)
    if recent:
        cases, mails = and_(cases, _is_recent(CaseRow.id)), mails.where(_is_recent(MailRow.id)) if indexed else mails
    ways = [select(CaseRow.id.label("id")).where(cases), mails]
    if number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER:
        ways.append(select(CaseRow.id.label("id")).where(CaseRow.id == int(number)))
    return select(union(*ways).subquery().c.id)


def _is_recent(column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    newest = select(func.max(column)).correlate(None).scalar_subquery()
    return column > newest - NEWEST


def _by_index(parts: Sequence[str]) -> tuple[ColumnElement[bool], Select[int]]:
    wanted = func.to_tsquery(literal_column("'simple'"), " & ".join(f"'{part}':*" for part in parts))
    cases = literal_column(CASE_WORDS).bool_op("@@")(wanted)
    mails = literal_column(MAIL_WORDS).bool_op("@@")(wanted)
    return cases, select(type_coerce(MailRow.case_id, BigInteger).label("id")).where(
        MailRow.case_id.is_not(None), mails
    )


def _by_looking(word: str, *, is_postgres: bool) -> tuple[ColumnElement[bool], Select[int]]:
    pattern = "".join(_ESCAPE + sign if sign in "%_\\" else sign for sign in word.lower())
    is_like = partial(_is_like, pattern=f"%{pattern}%")
    newest = select(MailRow.case_id.label("id"), MailRow.reading.label("reading")).where(MailRow.case_id.is_not(None))
    recent = newest.order_by(MailRow.id.desc()).limit(NEWEST).subquery("recent")
    body = "recent.reading::json #>> '{body,text}'" if is_postgres else "json_extract(recent.reading, '$.body.text')"
    cases = or_(
        is_like(CaseRow.subject), is_like(CaseRow.customer), is_like(CaseRow.order_number), is_like(CaseRow.order_key)
    )
    return cases, select(recent.c.id).where(is_like(recent.c.reading), is_like(literal_column(f"({body})", Text)))


def _is_like(
    column: ColumnElement[str] | InstrumentedAttribute[str | None] | InstrumentedAttribute[str], *, pattern: str
) -> ColumnElement[bool]:
    return func.lower(column, type_=Text).like(pattern, escape=_ESCAPE)
