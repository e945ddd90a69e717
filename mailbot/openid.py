"""Sign-in by the shop's identity provider: its document, its keys, and whether what it says of a person counts.

Source: OpenID Connect Core 1.0, sections 3.1.2, 3.1.3.7, 5.3; OpenID Connect Discovery 1.0, section 4; RFC 7636, 9700.
"""

import base64
import hashlib
import threading
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from mailbot.errors import PermanentError, RetryableError, shown
from mailbot.oauth import PATIENCE, ask_for_tokens, challenge
from mailbot.ports import Identity, Question
from mailbot.settings import SignIn
from mailbot.settings.values import is_loopback

_WELL_KNOWN = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_ALGORITHMS = ("RS256", "PS256", "ES256")
_TIMEOUT = httpx2.Timeout(10.0)
_DOCUMENT_LASTS = timedelta(hours=1)
_CLOCKS_DIFFER_SECONDS = 60
_OLDEST_SECONDS = 600
_VERIFIED = "email"


class OpenIdProvider:
    """One provider, as its own document describes it; for any thread."""

    def __init__(self, settings: SignIn) -> None:
        """Ask nobody yet."""
        self._settings = settings
        self._lock = threading.Lock()
        self._document: dict[str, Any] = {}
        self._read_at: datetime | None = None

    def address(self, question: Question, now: datetime) -> str:
        """Where a browser is sent. Source: OpenID Connect Core, 3.1.2.1."""
        fields = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": question.redirect,
            "scope": self._settings.scope,
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": challenge(question.verifier),
            "code_challenge_method": "S256",
        }
        url = self._described(now)["authorization_endpoint"]
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(fields)}"

    def identify(self, question: Question, code: str, now: datetime) -> Identity:
        """Trade the code for the provider's word on a person, and believe it only as far as it is proven."""
        document = self._described(now)
        tokens = self._tokens(document, question, code)
        claims = self._proven(tokens.get("id_token"), document, question.nonce, now)
        if not self._wanted <= claims.keys():
            claims |= self._asked(document, tokens["access_token"], claims["sub"])
        name = self._name(claims)
        self._require_group(claims)
        subject = hashlib.sha256(f"{self._settings.issuer}\0{claims['sub']}".encode()).hexdigest()
        return Identity(name=name, subject=subject)

    def examine(self, now: datetime) -> str:
        """Read the document and the keys."""
        self._settings.client_secret()
        keys = self._keys(self._described(now))
        return f"{self._settings.issuer} signs people in, by {len(list(keys))} key(s)"

    @property
    def _wanted(self) -> set[str]:
        """The claims that decide who it is and whether they may come in."""
        settings = self._settings
        verified = {"email_verified"} if settings.claim == _VERIFIED else set()
        return {settings.claim} | verified | ({settings.group_claim} if settings.group else set())

    def _described(self, now: datetime) -> dict[str, Any]:
        """The provider's document; read again after an hour. Source: OpenID Connect Discovery, 4.3."""
        with self._lock:
            if self._read_at is not None and abs(now - self._read_at) < _DOCUMENT_LASTS:
                return self._document
        issuer = self._settings.issuer
        document = _get(issuer.rstrip("/") + _WELL_KNOWN)
        if document.get("issuer") != issuer:
            raise PermanentError(
                f"sign-in: {issuer} calls itself {shown(document.get('issuer'))}; write it so as issuer"
            )
        for name in _ENDPOINTS:
            if not _is_safe(document.get(name)):
                raise PermanentError(f"sign-in: {issuer} has no {name} that is reached by https")
        with self._lock:
            self._document, self._read_at = document, now
        return document

    def _tokens(self, document: dict[str, Any], question: Question, code: str) -> dict[str, Any]:
        """Source: OpenID Connect Core, 3.1.3.1; the secret goes in the header unless the provider takes forms only."""
        settings = self._settings
        secret, methods = settings.client_secret(), document.get("token_endpoint_auth_methods_supported")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": question.redirect,
            "code_verifier": question.verifier,
            "client_id": settings.client_id,
        }
        in_form = isinstance(methods, list) and "client_secret_basic" not in methods
        if secret and in_form:
            form["client_secret"] = secret
        headers = _basic(settings.client_id, secret) if secret and not in_form else {}
        return ask_for_tokens(document["token_endpoint"], form, headers=headers)

    def _keys(self, document: dict[str, Any]) -> KeySet:
        """The provider's keys as they are now, for it may change them any day."""
        try:
            return KeySet.import_key_set(_get(document["jwks_uri"]))  # type: ignore[arg-type] # it checks the form itself
        except (JoseError, KeyError, TypeError, ValueError):
            raise PermanentError(f"sign-in: {document['jwks_uri']} holds no keys") from None

    def _proven(self, token: object, document: dict[str, Any], nonce: str, now: datetime) -> dict[str, Any]:
        """The claims of an ID token whose signature and bounds hold. Source: OpenID Connect Core, 3.1.3.7."""
        settings, seconds = self._settings, int(now.timestamp())
        bounds = jwt.JWTClaimsRegistry(
            now=seconds,
            leeway=_CLOCKS_DIFFER_SECONDS,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        if not isinstance(token, str):
            raise PermanentError(f"sign-in: {settings.issuer} gave no ID token; allow the scope openid")
        keys = self._keys(document)
        try:
            claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
            bounds.validate(claims)
        except (JoseError, ValueError) as flaw:
            raise PermanentError(f"sign-in: the ID token does not hold: {shown(str(flaw))}") from None
        others = isinstance(claims["aud"], list) and claims["aud"] != [settings.client_id]
        if claims.get("azp", None if others else settings.client_id) != settings.client_id:
            raise PermanentError("sign-in: the ID token does not hold: it was made for another client (azp)")
        if claims["iat"] < seconds - _OLDEST_SECONDS:
            raise PermanentError("sign-in: the ID token does not hold: it is too old (iat); is the clock right?")
        return claims

    def _asked(self, document: dict[str, Any], access_token: str, subject: str) -> dict[str, Any]:
        """What the provider says of the same person beside the token. Source: OpenID Connect Core, 5.3."""
        url = document.get("userinfo_endpoint")
        if not _is_safe(url):
            return {}
        claims = _get(str(url), {"Authorization": f"Bearer {access_token}"})
        if claims.get("sub") != subject:
            raise PermanentError("sign-in: the provider's two answers are about two people (sub)")
        return {name: value for name, value in claims.items() if name in self._wanted}

    def _name(self, claims: dict[str, Any]) -> str:
        claim = self._settings.claim
        name = claims.get(claim)
        if not isinstance(name, str) or not name.strip():
            raise PermanentError(
                f"sign-in: the provider does not say who it is ({claim}); allow that claim or its scope"
            )
        if claim == _VERIFIED and claims.get("email_verified") is not True:
            raise PermanentError("sign-in: the provider has not verified the e-mail address")
        if not name.isascii():  # no look-alike that lower case makes the same, such as the sign of the kelvin
            raise PermanentError(f"sign-in: {claim} holds letters beyond ASCII, which could be taken for others")
        return name.strip().lower()

    def _require_group(self, claims: dict[str, Any]) -> None:
        group, groups = self._settings.group, claims.get(self._settings.group_claim)
        if group and group not in (groups if isinstance(groups, list) else [groups]):
            raise PermanentError(f"sign-in: the account is not in the group {group!r} ({self._settings.group_claim})")


def _get(url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    host = urlsplit(url).hostname
    try:
        with httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as http:
            answer = http.get(url, headers=headers or {})
    except httpx2.HTTPError as problem:
        raise RetryableError(f"sign-in: {host} cannot be reached: {type(problem).__name__}") from None
    if answer.status_code in PATIENCE:
        raise RetryableError(f"sign-in: {host} answers {answer.status_code}")
    try:
        found = answer.json() if answer.status_code == httpx2.codes.OK else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise PermanentError(f"sign-in: {url} answers {answer.status_code} and no JSON object")
    return found


def _basic(client_id: str, secret: str) -> dict[str, str]:
    """Source: RFC 6749, section 2.3.1: both as a form would hold them."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _is_safe(url: object) -> bool:
    parts = urlsplit(url if isinstance(url, str) else "")
    return bool(parts.hostname) and (parts.scheme == "https" or is_loopback(parts.hostname or ""))
