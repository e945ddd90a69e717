"""Coming in by the shop's identity provider: a browser is sent there, and comes back with a code that is used once.

What the provider is asked with is drawn from a secret in the browser's own cookie, which the database knows as a link
that is good for ten minutes and once; so an answer counts in the browser that asked, and on any console of the shop's.
Source: OpenID Connect Core 1.0, 3.1.2; RFC 9700, 2.1 and 4.7.
"""

import hmac
from http import HTTPStatus

from starlette.responses import Response

from mailbot.console.sign_in import enter, sender_of, sign_in_page
from mailbot.console.visit import Visit
from mailbot.errors import InputError, MailbotError, RetryableError, shown
from mailbot.ports import Question
from mailbot.store import audit, sessions, users
from mailbot.store.sessions import By, Link
from mailbot.store.transaction import transaction

START, RETURN = "/sign-in/provider", "/sign-in/return"
_LASTS_SECONDS = 600
_OTHER = "This sign-in did not begin in this browser, was used before, or took more than ten minutes. Begin it again."
_NONE = "This console has no identity provider; sign in with your password."
_OFTEN = "Too many sign-ins failed from here; wait 15 minutes."


def start(visit: Visit) -> Response:
    """Send the browser to the provider; the cookie that it gets is of no use to any other."""
    provider, now = visit.app.identities, visit.app.now()
    if provider is None:
        return sign_in_page(visit, _NONE, HTTPStatus.NOT_FOUND)
    with transaction(visit.app.engine) as session:
        if users.is_throttled(session, (sender_of(visit),), now):
            return sign_in_page(visit, _OFTEN)
        secret = sessions.make_link(session, Link.PROVIDER, None, now)
    try:
        response = visit.go(provider.address(_question(visit, secret), now))
    except MailbotError as problem:
        return sign_in_page(visit, str(problem), HTTPStatus.SERVICE_UNAVAILABLE)
    secure = visit.request.url.scheme == "https"
    response.set_cookie(_cookie(visit), secret, max_age=_LASTS_SECONDS, httponly=True, secure=secure, samesite="lax")
    return response


def finish(visit: Visit) -> Response:
    """Let the person in whom the provider vouches for; nobody is added, and no role comes from outside."""
    provider, now = visit.app.identities, visit.app.now()
    asked, secret = visit.request.query_params, visit.request.cookies.get(_cookie(visit), "")
    if provider is None:
        return sign_in_page(visit, _NONE, HTTPStatus.NOT_FOUND)
    question = _question(visit, secret)
    with transaction(visit.app.engine) as session:
        if users.is_throttled(session, (sender_of(visit),), now):
            return sign_in_page(visit, _OFTEN)
        ours = hmac.compare_digest(question.state.encode(), asked.get("state", "").encode("utf-8", "replace"))
        if not ours or sessions.use_link(session, secret, Link.PROVIDER, now) is None:
            return sign_in_page(visit, _OTHER)
    try:
        if "code" not in asked:
            raise InputError(f"sign-in: the provider refuses ({shown(asked.get('error', ''))})")
        identity = provider.identify(question, asked["code"], now)
        with transaction(visit.app.engine) as session:
            user_id = users.vouched_for(session, identity.name, identity.subject).id
    except RetryableError as problem:
        return sign_in_page(visit, str(problem), HTTPStatus.SERVICE_UNAVAILABLE)
    except MailbotError as problem:
        with transaction(visit.app.engine) as session:
            users.record_failure(session, (sender_of(visit),), now)
            audit.record(session, "nobody", "sign_in_failed", "identity provider", now, problem=str(problem))
        return sign_in_page(visit, str(problem))
    return enter(visit, user_id, By.PROVIDER)


def _question(visit: Visit, secret: str) -> Question:
    """What follows from a browser's secret; state, nonce and verifier tell nothing of one another."""
    key = visit.app.instance.message_key

    def drawn(what: str) -> str:
        return hmac.new(key, f"sign-in/{what}/{secret}".encode("utf-8", "surrogatepass"), "sha256").hexdigest()

    redirect = str(visit.request.base_url).rstrip("/") + RETURN
    return Question(redirect=redirect, state=drawn("state"), nonce=drawn("nonce"), verifier=drawn("verifier"))


def _cookie(visit: Visit) -> str:
    return "__Host-mailbot-sign-in" if visit.request.url.scheme == "https" else "mailbot-sign-in"
