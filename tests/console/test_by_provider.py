"""Signing in by the shop's identity provider: who comes in, and every way in which an answer must not be believed.

Source: OpenID Connect Core 1.0, 3.1.3.7; RFC 9700, section 4 (attacks).
"""

import hashlib
import hmac
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser
from pydantic import ValidationError

from mailbot.bootstrap import open_identities
from mailbot.console.by_provider import RETURN, START
from mailbot.console.door import make_link
from mailbot.demo.run import demo_app
from mailbot.errors import InputError, PermanentError, RetryableError
from mailbot.model.people import Role
from mailbot.openid import OpenIdProvider
from mailbot.ports import Question
from mailbot.settings import SecretError, SignIn
from mailbot.store import audit, users
from mailbot.store.sessions import Link
from mailbot.store.transaction import reading, transaction
from tests.console.provider import CLIENT, KEY, SECRET, STRANGER, Claims, Provider, b64, b64_json, provided, signed
from tests.console.test_accounts import PASSWORD, welcome
from tests.console.visits import Answer, Clock, Console, Serve, Visitor, a_database, on_database

NOAH: Claims = {"sub": "248289761001", "email": "Noah@Shop.example", "email_verified": True}
AFTER_SLIPS = timedelta(minutes=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A console whose people sign in at a provider."""

    console: Console
    provider: Provider

    def settings(self, **more: str) -> SignIn:
        known = {"issuer": self.provider.address, "client_id": CLIENT, "client_secret_env": "OF_THE_TESTS"}
        return SignIn(**known | more)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, served: Serve) -> Iterator[Place]:
    """Serve a console with a provider, on each database."""
    database, setter = a_database(request, request.param), pytest.MonkeyPatch()
    with demo_app("127.0.0.1:0") as (here, _), on_database(here, database) as app:
        clock = Clock(real=app.judgement.clock)
        with provided(clock) as provider:
            settings = SignIn(issuer=provider.address, client_id=CLIENT, client_secret_env="OF_THE_TESTS", label="Acme")
            setter.setenv("OF_THE_TESTS", SECRET)
            shop = app.settings.model_copy(update={"sign_in": settings})
            judgement = replace(app.judgement, settings=shop, clock=clock)
            with served(replace(app, judgement=judgement, identities=OpenIdProvider(settings))) as console:
                provider.clock = console.clock
                yield Place(console=console, provider=provider)
        setter.undo()


@pytest.fixture
def shop(place: Place) -> Place:
    """The same, with Noah invited as an agent, who has not come in yet, and nobody's slips remembered."""
    place.console.clock.ahead += AFTER_SLIPS
    place.provider.behave(dict(NOAH))
    with transaction(place.console.app.engine) as session:
        for name, role in (("noah@shop.example", Role.AGENT), ("mike@shop.example", Role.ADMIN)):
            users.invite(session, name, role, place.console.app.now())
    return place


def began(shop: Place) -> tuple[str, str, str]:
    """Begin in a browser, and be signed in by the provider: the browser's cookie, where it comes back to, the state."""
    sent = shop.console.visitor().ask(START)
    assert sent.status == 303, sent.text
    cookie = sent.headers["set-cookie"]
    assert {"httponly", "samesite=lax", "path=/", "max-age=600"} <= {one.strip().lower() for one in cookie.split(";")}
    parts = urlsplit(sent.headers["location"])
    link = HTTPConnection(parts.netloc, timeout=20)
    link.request("GET", f"{parts.path}?{parts.query}")
    back = link.getresponse().getheader("Location") or ""
    link.close()
    assert back.startswith(shop.console.address + RETURN)
    return cookie.partition(";")[0], back.removeprefix(shop.console.address), parse_qs(parts.query)["state"][0]


def come_in(shop: Place) -> tuple[Answer, Visitor]:
    cookie, back, _ = began(shop)
    answer = shop.console.visitor().ask(back, headers={"Cookie": cookie})
    return answer, Visitor(address=shop.console.address, cookie=answer.headers.get("set-cookie", "").partition(";")[0])


def newest(shop: Place) -> tuple[str, str, Claims]:
    """What stands last in the trail."""
    with reading(shop.console.app.engine) as session:
        row = audit.page(session, action=None, before=None, most=1)[0]
        return row.action, row.actor, row.detail


def refused(shop: Place, why: str) -> None:
    """Nobody comes in, the page says why, and the trail has it."""
    answer, _ = come_in(shop)
    assert (answer.status, "set-cookie" in answer.headers) == (403, False)
    assert why in answer.text
    assert newest(shop)[:2] == ("sign_in_failed", "nobody")


def test_who_was_invited_comes_in_with_the_role_of_the_invitation_and_no_code(shop: Place) -> None:
    shop.provider.person |= {"role": "admin", "roles": ["admin"], "groups": ["admin"]}
    answer, noah = come_in(shop)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert newest(shop) == ("signed_in", "noah@shop.example", {"by": "vouched"})
    assert noah.ask("/").status == 200, "no authenticator is asked for"
    assert noah.ask("/people").status == 403, "an agent as before"
    assert "by your identity provider" in noah.ask("/account").text
    assert "the provider's account" in shop.console.operator().ask("/people").text


def test_a_password_beside_it_still_asks_for_a_code(shop: Place) -> None:
    with transaction(shop.console.app.engine) as session:
        user = users.invite(session, "noah@shop.example", Role.AGENT, shop.console.app.now())
    by_password = shop.console.visitor()
    assert welcome(by_password, make_link(shop.console.app, Link.INVITATION, user.id, "")).status == 303
    assert by_password.ask("/").headers["location"] == "/account/code"
    assert come_in(shop)[1].ask("/").status == 200
    assert PASSWORD not in shop.provider.asked


def test_claims_that_are_not_in_the_token_are_asked_for(shop: Place) -> None:
    shop.provider.person = {"sub": NOAH["sub"]}
    shop.provider.told = dict(NOAH)
    assert come_in(shop)[0].status == 303
    shop.provider.told = NOAH | {"sub": "another"}
    refused(shop, "two people")
    shop.provider.told = NOAH | {"email_verified": False}
    refused(shop, "not verified")


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        pytest.param({"nonce": "0" * 64}, "nonce", id="another nonce"),
        pytest.param({"nonce": None}, "nonce", id="no nonce"),
        pytest.param({"aud": "another client"}, "aud", id="another audience"),
        pytest.param({"aud": []}, "aud", id="no audience"),
        pytest.param({"aud": [CLIENT, "another"]}, "azp", id="two audiences and no party"),
        pytest.param({"aud": [CLIENT, "another"], "azp": "another"}, "azp", id="made for another party"),
        pytest.param({"azp": "another"}, "azp", id="another party"),
        pytest.param({"iss": "https://login.evil.example"}, "iss", id="another issuer"),
        pytest.param({"exp": 1}, "expired", id="expired"),
        pytest.param({"exp": None}, "exp", id="never expires"),
        pytest.param({"exp": "tomorrow"}, "exp", id="expires at no time"),
        pytest.param({"iat": 1}, "iat", id="made long ago"),
        pytest.param({"iat": 99999999999}, "future", id="made in the future"),
        pytest.param({"nbf": 99999999999}, "not yet valid", id="not valid yet"),
        pytest.param({"sub": None}, "sub", id="nobody"),
        pytest.param({"sub": 7}, "sub", id="no name but a number"),
        pytest.param({"email_verified": False}, "not verified", id="address not verified"),
        pytest.param({"email_verified": "true"}, "not verified", id="verified in words"),
        pytest.param({"email_verified": None}, "not verified", id="nothing said of the address"),
        pytest.param({"email": ["noah@shop.example"]}, "who it is", id="a list of addresses"),
        pytest.param({"email": "eve@shop.example"}, "nobody was invited", id="unknown person"),
        pytest.param({"email": "mi\N{KELVIN SIGN}e@shop.example"}, "ASCII", id="look-alike"),
        pytest.param({"email": "' OR 1=1 --"}, "nobody was invited", id="a query"),
        pytest.param({"email": "x" * 1_000}, "nobody was invited", id="endless"),
    ],
)
def test_a_token_that_does_not_hold_lets_nobody_in(wrong: Claims, why: str, shop: Place) -> None:
    shop.provider.person |= wrong
    refused(shop, why)


def by_mac(claims: Claims) -> str:
    """The public key taken for a secret, as everybody can do it."""
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = f"{b64_json({'alg': 'HS256', 'kid': 'k1'})}.{b64_json(claims)}"
    return f"{body}.{b64(hmac.new(pem, body.encode(), hashlib.sha256).digest())}"


def of_another(claims: Claims) -> str:
    """A good signature under other claims."""
    head, _, signature = signed(claims | {"email": "eve@shop.example"}).split(".")
    return f"{head}.{b64_json(claims)}.{signature}"


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda claims: f"{b64_json({'alg': 'none'})}.{b64_json(claims)}.", id="alg none"),
        pytest.param(lambda claims: f"{b64_json({'alg': 'None', 'kid': 'k1'})}.{b64_json(claims)}.", id="alg None"),
        pytest.param(by_mac, id="signed by the public key"),
        pytest.param(lambda claims: signed(claims, STRANGER), id="signed by a stranger"),
        pytest.param(lambda claims: signed(claims, STRANGER, "k9"), id="by a key that the provider has not"),
        pytest.param(of_another, id="claims changed"),
        pytest.param(lambda claims: signed(claims).rpartition(".")[0] + ".", id="no signature"),
        pytest.param(lambda _: "x.y.z", id="no token"),
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: None, id="none at all"),
    ],
)
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(make: object, shop: Place) -> None:
    shop.provider.make = make  # type: ignore[assignment] # of the table above
    refused(shop, "ID token")


def test_an_answer_counts_once_in_the_browser_that_asked_and_for_ten_minutes(shop: Place) -> None:
    visitor, (cookie, back, state) = shop.console.visitor(), began(shop)
    other_cookie, other_back, _ = began(shop)
    tokens = shop.provider.tokens
    for path, sent in (
        (back, ""),
        (back, other_cookie),
        (other_back, cookie),
        (back.replace(state, "0" * 64), cookie),
        (back.partition("&state")[0], cookie),
        (back, "mailbot-sign-in=\xff"),
    ):
        answer = visitor.ask(path, headers={"Cookie": sent})
        assert (answer.status, "did not begin in this browser" in answer.text) == (403, True)
    assert shop.provider.tokens == tokens, "the provider was not even asked"
    assert visitor.ask(back, headers={"Cookie": cookie}).status == 303
    replayed = visitor.ask(back, headers={"Cookie": cookie})
    assert (replayed.status, "set-cookie" in replayed.headers) == (403, False)
    shop.console.clock.ahead += timedelta(minutes=11)
    assert visitor.ask(other_back, headers={"Cookie": other_cookie}).status == 403, "too late"


def test_a_code_of_another_sign_in_is_of_no_use(shop: Place) -> None:
    cookie, back, _ = began(shop)
    stolen = parse_qs(urlsplit(began(shop)[1]).query)["code"][0]
    mine = parse_qs(urlsplit(back).query)["code"][0]
    answer = shop.console.visitor().ask(back.replace(mine, stolen), headers={"Cookie": cookie})
    assert (answer.status, "invalid_grant" in answer.text) == (403, True)


def test_a_refusal_at_the_provider_is_told(shop: Place) -> None:
    cookie, _, state = began(shop)
    answer = shop.console.visitor().ask(f"{RETURN}?error=access_denied<b>&state={state}", headers={"Cookie": cookie})
    assert (answer.status, "access_denied&lt;b&gt;" in answer.text) == (403, True)


def test_a_name_that_was_given_again_is_not_the_same_account(shop: Place) -> None:
    assert come_in(shop)[0].status == 303
    shop.provider.person["sub"] = "248289761002"
    refused(shop, "another account")
    admin = shop.console.operator()
    assert admin.order("/people/invite", {"name": "noah@shop.example", "role": "agent"}).status == 200
    assert come_in(shop)[0].status == 303


def test_who_is_disabled_stays_outside(shop: Place) -> None:
    _, noah = come_in(shop)
    with transaction(shop.console.app.engine) as session:
        users.add(session, "zoe@shop.example", Role.AGENT, shop.console.app.now())
        users.disable(session, "zoe@shop.example", shop.console.app.now())
    shop.provider.person["email"] = "zoe@shop.example"
    refused(shop, "nobody was invited")
    assert noah.ask("/").status == 200


def test_five_slips_close_the_way_for_a_while(shop: Place) -> None:
    cookie, back, _ = began(shop)
    shop.provider.person["email_verified"] = False
    for _ in range(5):
        refused(shop, "not verified")
    shop.provider.person["email_verified"] = True
    visitor = shop.console.visitor()
    for answer in (visitor.ask(START), visitor.ask(back, headers={"Cookie": cookie})):
        assert (answer.status, "wait 15 minutes" in answer.text) == (403, True)
    shop.console.clock.ahead += AFTER_SLIPS
    assert come_in(shop)[0].status == 303


def test_a_group_and_another_claim_may_be_asked_for(shop: Place) -> None:
    provider = OpenIdProvider(shop.settings(claim="preferred_username", group="refunds"))
    question = Question(redirect=shop.console.address + RETURN, state="s" * 64, nonce="n" * 64, verifier="v" * 64)

    def identified() -> str:
        now = shop.console.app.now()
        query = parse_qs(urlsplit(provider.address(question, now)).query)
        back = shop.provider.authorize({name: values[0] for name, values in query.items()})
        return provider.identify(question, parse_qs(urlsplit(back).query)["code"][0], now).name

    shop.provider.person = {"sub": "1", "preferred_username": "Noah", "groups": ["refunds", "staff"]}
    assert identified() == "noah"
    for groups in (["staff"], "staff", None, ["refunds "]):
        shop.provider.person["groups"] = groups
        with pytest.raises(PermanentError, match="not in the group 'refunds'"):
            identified()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        pytest.param({"issuer": "https://login.evil.example"}, "calls itself", id="another issuer"),
        pytest.param({"token_endpoint": "http://login.shop.example/token"}, "token_endpoint", id="in the clear"),
        pytest.param({"jwks_uri": None}, "jwks_uri", id="no keys"),
        pytest.param({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint", id="a script"),
    ],
)
def test_a_provider_that_is_not_what_it_should_be_is_not_used(wrong: Claims, why: str, shop: Place) -> None:
    shop.provider.document = wrong
    with pytest.raises(PermanentError, match=why):
        OpenIdProvider(shop.settings()).examine(shop.console.app.now())


def test_doctor_s_look_finds_the_keys_and_says_what_is_missing(shop: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    now = shop.console.app.now()
    assert "by 1 key(s)" in OpenIdProvider(shop.settings()).examine(now)
    with pytest.raises(PermanentError, match="no JSON object"):
        OpenIdProvider(shop.settings(issuer=f"{shop.provider.address}/elsewhere")).examine(now)
    with pytest.raises(RetryableError, match="cannot be reached"):
        OpenIdProvider(shop.settings(issuer="http://127.0.0.1:1")).examine(now)
    monkeypatch.delenv("OF_THE_TESTS")
    with pytest.raises(SecretError, match="OF_THE_TESTS"):
        OpenIdProvider(shop.settings()).examine(now)


def test_a_browser_goes_there_and_back(shop: Place, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{shop.console.address}/sign-in")
    page.get_by_role("link", name="Sign in with Acme").click()
    page.wait_for_url(f"{shop.console.address}/")
    assert page.locator("h1").inner_text() == "Needs a person"
    assert "mailbot" in {one["name"] for one in context.cookies()}
    context.close()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        pytest.param({"issuer": "http://login.shop.example"}, "could be anybody's", id="in the clear"),
        pytest.param({"issuer": "https://login.shop.example?realm=x"}, "no address of a provider", id="with a query"),
        pytest.param({"issuer": "https://login.shop.example", "client_id": ""}, "without client_id", id="no client"),
        pytest.param({"scope": "email"}, "scope", id="without openid"),
        pytest.param({"issuers": "x"}, "issuers", id="an unknown key"),
    ],
)
def test_a_section_that_would_not_hold_is_refused(wrong: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SignIn(**{"issuer": "https://login.shop.example", "client_id": CLIENT} | wrong)


def test_without_the_extra_one_line_says_so(shop: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mailbot.openid")
    monkeypatch.setitem(sys.modules, "joserfc", None)
    with pytest.raises(InputError, match="needs the extra oidc"):
        open_identities(shop.console.app.settings)
