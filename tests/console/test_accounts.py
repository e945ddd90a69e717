"""Accounts: the first admin, invitations, passwords with codes, throttling, and what ends with an account."""

import re
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from mailbot.console.door import make_link
from mailbot.console.passwords import code_at, find_step, is_acceptable
from mailbot.model.people import Role
from mailbot.store import audit, users
from mailbot.store.sessions import Link
from mailbot.store.transaction import reading, transaction
from tests.console.reading_pages import read_page
from tests.console.visits import Answer, Console, Visitor

PASSWORD = "a long walk by the sea"
NO = "Check name, password and code"


def welcome(visitor: Visitor, link: str, **form: str) -> Answer:
    token = link.partition("token=")[2]
    answer = visitor.submit("/welcome", {"token": token, "password": PASSWORD, "again": PASSWORD, **form})
    if "set-cookie" in answer.headers:
        visitor.cookie = answer.headers["set-cookie"].partition(";")[0]
    return answer


def enrol(console: Console, visitor: Visitor) -> str:
    """Set an authenticator up; returns its key."""
    page = read_page(visitor.ask("/account/code").text)
    fields = {one.attributes["name"]: one.attributes.get("value", "") for one in page.all("input")}
    step = int(console.app.now().timestamp()) // 30
    form = {name: fields[name] for name in ("key", "form_token")} | {"code": code_at(fields["key"], step)}
    assert visitor.submit("/account/code", form).headers["location"] == "/"
    return fields["key"]


def sign_in(console: Console, name: str, password: str, code: str = "") -> Answer:
    visitor = console.visitor()
    return visitor.submit("/sign-in", {"name": name, "password": password, "code": code})


def an_account(console: Console, name: str, role: Role = Role.AGENT) -> str:
    """Somebody with a password and an authenticator; returns its key, a step later than it was set up."""
    with transaction(console.app.engine) as session:
        user = users.add(session, name, role, console.app.now())
    visitor = console.visitor()
    assert welcome(visitor, make_link(console.app, Link.INVITATION, user.id, console.address)).status == 303
    key = enrol(console, visitor)
    console.clock.ahead += timedelta(seconds=60)
    return key


def code(console: Console, key: str) -> str:
    return code_at(key, int(console.app.now().timestamp()) // 30)


def test_the_first_link_makes_the_first_admin_once(fresh: Console) -> None:
    link, visitor = make_link(fresh.app, Link.FIRST_ADMIN, None, fresh.address), fresh.visitor()
    assert "You are the first" in visitor.ask(link.removeprefix(fresh.address)).text
    assert welcome(visitor, link, name="Mia@Shop.example").status == 303
    assert visitor.ask("/").headers["location"] == "/account/code", "an authenticator comes first"
    enrol(fresh, visitor)
    assert "administer" not in visitor.ask("/").text
    assert visitor.ask("/people").status == 200
    assert welcome(fresh.visitor(), link, name="eve").status == 403
    second = make_link(fresh.app, Link.FIRST_ADMIN, None, fresh.address)
    assert welcome(fresh.visitor(), second, name="eve").status == 403, "only where nobody is"


def test_an_invitation_makes_an_account_with_its_role(fresh: Console) -> None:
    admin = fresh.operator()
    answer = admin.order("/people/invite", {"name": "noah@shop.example", "role": "agent"})
    found = re.search(r"/welcome\?token=([\w-]{43})", answer.text)
    assert found is not None
    visitor = fresh.visitor()
    assert welcome(visitor, f"?token={found[1]}").status == 303
    enrol(fresh, visitor)
    assert visitor.ask("/").status == 200
    assert visitor.ask("/people").status == 403
    assert visitor.order("/people/invite", {"name": "eve", "role": "admin"}).status == 403


@pytest.mark.parametrize("password", ["", "short", "noah@shop.example", "aaaaaaaaaaaaaaaa"])
def test_a_poor_password_is_not_taken(password: str, fresh: Console) -> None:
    with transaction(fresh.app.engine) as session:
        user = users.add(session, "noah@shop.example", Role.AGENT, fresh.app.now())
    link = make_link(fresh.app, Link.INVITATION, user.id, fresh.address)
    assert welcome(fresh.visitor(), link, password=password, again=password).status == 400
    assert welcome(fresh.visitor(), link, again="something else entirely").status == 400
    assert welcome(fresh.visitor(), link).status == 303, "the link is still good"


def test_name_password_and_code_let_somebody_in_and_every_slip_gets_the_same_answer(fresh: Console) -> None:
    key = an_account(fresh, "noah@shop.example")
    slips = [
        sign_in(fresh, "noah@shop.example", PASSWORD, "000000"),
        sign_in(fresh, "noah@shop.example", "a short walk by the sea", code(fresh, key)),
        sign_in(fresh, "nobody@shop.example", PASSWORD, code(fresh, key)),
        sign_in(fresh, "noah@shop.example", PASSWORD),
    ]
    assert {(slip.status, slip.text) for slip in slips} == {(403, slips[0].text)}
    assert NO in slips[0].text
    used = code(fresh, key)
    assert sign_in(fresh, " Noah@Shop.example", PASSWORD, used).status == 303
    assert sign_in(fresh, "noah@shop.example", PASSWORD, used).status == 403, "a code is used once"


def test_an_authenticator_s_key_lies_encrypted_and_the_key_file_alone_opens_it(fresh: Console) -> None:
    key, file = an_account(fresh, "ann@shop.example"), fresh.app.settings.secrets.key_path
    with reading(fresh.app.engine) as session:
        row = users.get(session, "ann@shop.example")
        assert row.code_sealed is not None
        assert (key.encode() in row.code_sealed, row.code_key) == (False, None)
        assert users.code_key_of(row, file) == key
    assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(Fernet.generate_key())
    assert NO in sign_in(fresh, "ann@shop.example", PASSWORD, code(fresh, key)).text


def test_a_key_that_was_kept_in_the_clear_is_encrypted_when_its_owner_comes_in(fresh: Console) -> None:
    key = an_account(fresh, "ann@shop.example")
    with transaction(fresh.app.engine) as session:
        row = users.get(session, "ann@shop.example")
        row.code_key, row.code_sealed = key, None
    assert sign_in(fresh, "ann@shop.example", PASSWORD, code(fresh, key)).status == 303
    with reading(fresh.app.engine) as session:
        row = users.get(session, "ann@shop.example")
        assert (row.code_key, row.code_sealed is None) == (None, False)


def test_five_slips_close_the_account_and_the_address_for_a_quarter_of_an_hour(fresh: Console) -> None:
    key = an_account(fresh, "noah@shop.example")
    other = an_account(fresh, "mia@shop.example")
    for _ in range(5):
        assert sign_in(fresh, "noah@shop.example", "wrong wrong wrong", code(fresh, key)).status == 403
    assert sign_in(fresh, "noah@shop.example", PASSWORD, code(fresh, key)).status == 403
    assert sign_in(fresh, "mia@shop.example", PASSWORD, code(fresh, other)).status == 403, "the same address"
    fresh.clock.ahead += timedelta(minutes=15, seconds=1)
    assert sign_in(fresh, "noah@shop.example", PASSWORD, code(fresh, key)).status == 303


def test_who_is_disabled_is_out_at_once(fresh: Console) -> None:
    admin, noah = fresh.operator(), fresh.operator(Role.AGENT)
    assert noah.ask("/").status == 200
    assert admin.order("/people/disable", {"name": "agent@shop.example"}).status == 303
    assert noah.ask("/").status == 303


def test_the_last_admin_stays(fresh: Console) -> None:
    admin = fresh.operator()
    assert admin.order("/people/disable", {"name": "admin@shop.example"}).status == 400
    assert admin.order("/people/role", {"name": "admin@shop.example", "role": "viewer"}).status == 400
    assert admin.ask("/people").status == 200


def test_a_session_can_be_ended_from_another_browser(fresh: Console) -> None:
    here, there = fresh.operator(), fresh.operator()
    rows = read_page(here.ask("/account").text).all("table")[0].all("tr")[1:]
    assert len(rows) == 2
    (other,) = (row for row in rows if "(this one)" not in row.words)
    session = next(one.attributes["value"] for one in other.all("input") if one.attributes["name"] == "session")
    assert here.order("/account/end", {"session": session}).status == 303
    assert [visitor.ask("/").status for visitor in (here, there)] == [200, 303]


def test_signing_out_ends_the_session(fresh: Console) -> None:
    operator = fresh.operator()
    assert operator.order("/sign-out").headers["location"] == "/sign-in"
    assert operator.ask("/").status == 303


def test_the_audit_is_only_ever_added_to_and_notices_a_forged_entry(fresh: Console) -> None:
    fresh.operator()
    with reading(fresh.app.engine) as session:
        assert audit.count_broken(session)[1] == 0
    for statement in ("UPDATE audit SET actor = 'eve'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="only ever added to"), fresh.app.engine.begin() as connection:
            connection.exec_driver_sql(statement)
    with fresh.app.engine.begin() as connection:
        where = " ON audit" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER audit_is_not_changed{where}")
        connection.exec_driver_sql("UPDATE audit SET actor = 'eve' WHERE id = 1")
    with reading(fresh.app.engine) as session:
        assert audit.count_broken(session)[1] == 1


@pytest.mark.parametrize(
    ("at", "code_then"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_standard(at: int, code_then: str) -> None:
    """Source: RFC 6238, appendix B (SHA-1, the last six digits)."""
    assert code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at // 30) == code_then


def test_a_password_may_be_a_few_words() -> None:
    assert is_acceptable(PASSWORD, "noah")
    assert not is_acceptable("x" * 2000, "noah")


def test_a_code_that_is_no_number_is_no_trouble(fresh: Console) -> None:
    assert find_step("GEZDGNBVGY3TQOJQ", "\N{SNOWMAN} x", 0, fresh.app.now()) is None
