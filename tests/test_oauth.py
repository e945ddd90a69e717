"""Sign-in by OAuth, against a provider that keeps to RFC 6749 and 7636."""

import base64
import hashlib
import threading
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from mailbot import oauth
from mailbot.errors import PermanentError, RetryableError

PROVIDER = oauth.Provider(
    authorize_url="https://login.example/auth", token_url="https://login.example/token", scope="mail offline"
)
CLIENT = oauth.Client(provider=PROVIDER, id="mailbot-of-the-shop", secret="known-to-both")
WAITS = 20.0


class Login(httpx2.BaseTransport):
    """Gives tokens for the code of the question that was asked, and for the refresh token that it gave last."""

    def __init__(self) -> None:
        self.challenge, self.code, self.refresh_token, self.given = "", "code-1", "refresh-1", 0
        self.answer: httpx2.Response | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.answer is not None:
            return self.answer
        form = {name: values[0] for name, values in parse_qs(request.read().decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT.id, CLIENT.secret):
            return httpx2.Response(401, json={"error": "invalid_client"})
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            good = form["code"] == self.code and base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.challenge
        else:
            good = form["refresh_token"] == self.refresh_token
        if not good:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        self.given += 1
        self.refresh_token = f"refresh-{self.given + 1}"
        given = {"access_token": f"access-{self.given}", "expires_in": 3600, "refresh_token": self.refresh_token}
        return httpx2.Response(200, json=given)


def come_back(landing: oauth.Landing, query: str) -> threading.Thread:
    """Do what a browser does after the sign-in."""
    thread = threading.Thread(target=lambda: httpx2.get(f"{landing.redirect}?{query}", trust_env=False))
    thread.start()
    return thread


def test_a_person_s_sign_in_becomes_tokens() -> None:
    login = Login()
    with oauth.landing() as landing:
        question = oauth.ask(CLIENT, "support@shop.example", landing.redirect)
        asked = parse_qs(urlsplit(question.url).query)
        login.challenge = asked["code_challenge"][0]
        browser = come_back(landing, f"code={login.code}&state={asked['state'][0]}")
        code = landing.wait(question, WAITS)
        browser.join(WAITS)
    tokens = oauth.exchange(CLIENT, question, code, login)
    assert (tokens.access, tokens.lasts, tokens.refresh) == ("access-1", 3600, "refresh-2")
    assert asked["login_hint"] == ["support@shop.example"]
    assert question.verifier not in question.url


def test_a_code_is_worth_nothing_without_its_verifier() -> None:
    login = Login()
    question = oauth.ask(CLIENT, "support@shop.example", "http://127.0.0.1:1/")
    login.challenge = "of another question"
    with pytest.raises(PermanentError, match="invalid_grant"):
        oauth.exchange(CLIENT, question, login.code, login)


@pytest.mark.parametrize(
    ("query", "named"),
    [("code=stolen&state=made-up", "another sign-in"), ("error=access_denied&state={state}", "access_denied")],
    ids=["forged", "refused"],
)
def test_an_answer_that_is_not_to_our_question_gives_no_code(query: str, named: str) -> None:
    with oauth.landing() as landing:
        question = oauth.ask(CLIENT, "support@shop.example", landing.redirect)
        browser = come_back(landing, query.format(state=question.state))
        with pytest.raises(PermanentError, match=named):
            landing.wait(question, WAITS)
        browser.join(WAITS)


def test_nobody_coming_back_ends_the_wait() -> None:
    with oauth.landing() as landing, pytest.raises(PermanentError, match="nobody came back"):
        landing.wait(oauth.ask(CLIENT, "support@shop.example", landing.redirect), 0)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx2.Response(503), RetryableError),
        (httpx2.Response(400, json={"error": "invalid_grant"}), PermanentError),
        (httpx2.Response(302, headers={"location": "https://evil.example"}), PermanentError),
        (httpx2.Response(200, text="<html>"), PermanentError),
        (httpx2.Response(200, json={"token_type": "Bearer"}), PermanentError),
    ],
    ids=["down", "revoked", "redirect", "page", "no token"],
)
def test_each_refusal_says_what_to_do_next(answer: httpx2.Response, error: type[Exception]) -> None:
    login = Login()
    login.answer = answer
    with pytest.raises(error) as told:
        oauth.refresh(CLIENT, "refresh-1", login)
    assert CLIENT.secret not in str(told.value)
    assert "refresh-1" not in str(told.value)


@pytest.mark.parametrize(
    ("stated", "known", "lasts"),
    [(604_799, None, 604_799), (None, None, None), (None, 7_776_000, 7_776_000), (0, 7_776_000, 7_776_000)],
    ids=["stated", "nobody knows", "the provider's rule", "nonsense"],
)
def test_how_long_a_sign_in_lasts_is_the_answer_s_or_the_provider_s_rule(
    stated: int | None, known: int | None, lasts: int | None
) -> None:
    login = Login()
    given = {"access_token": "a", "expires_in": 3600, "refresh_token": "r", "refresh_token_expires_in": stated}
    login.answer = httpx2.Response(200, json=given)
    client = replace(CLIENT, provider=replace(PROVIDER, refresh_lasts=known))
    assert oauth.refresh(client, "refresh-1", login).refresh_lasts == lasts
    assert oauth.microsoft("common").refresh_lasts == 90 * 24 * 3600


def test_a_tenant_has_its_own_place() -> None:
    assert oauth.microsoft("shop.example").token_url.startswith("https://login.microsoftonline.com/shop.example/")
