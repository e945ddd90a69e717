"""An identity provider of the tests' own on loopback: it keeps to OpenID Connect, until a test tells it not to."""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT, SECRET = "mailbot & desk", "known to both: 1%"
KEY, STRANGER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
Claims = dict[str, Any]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64_json(form: Claims) -> str:
    return b64(json.dumps(form).encode())


def a_number(number: int) -> str:
    return b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def signed(claims: Claims, key: rsa.RSAPrivateKey = KEY, kid: str = "k1") -> str:
    """A token as RFC 7515 makes it with RS256, without the library that the product reads it by."""
    body = f"{b64_json({'alg': 'RS256', 'typ': 'JWT', 'kid': kid})}.{b64_json(claims)}"
    return f"{body}.{b64(key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


@dataclass(slots=True, kw_only=True)
class Provider:
    """Who signs in there, and what it makes of that."""

    address: str
    clock: Callable[[], datetime]
    person: Claims = field(default_factory=dict)
    told: Claims = field(default_factory=dict)
    document: Claims = field(default_factory=dict)
    make: Callable[[Claims], str | None] = signed
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: int = 0

    def behave(self, person: Claims) -> None:
        """Keep to the rules, for this person."""
        self.person, self.told, self.document, self.make = person, {}, {}, signed

    def described(self) -> Claims:
        places = {
            "authorization_endpoint": "/authorize?from=mailbot",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
            "userinfo_endpoint": "/person",
        }
        return {"issuer": self.address} | {name: self.address + path for name, path in places.items()} | self.document

    def authorize(self, query: dict[str, str]) -> str:
        assert (query["response_type"], query["client_id"], query["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert "openid" in query["scope"].split()
        assert len(query["state"]) == len(query["nonce"]) == 64
        assert query["state"] != query["nonce"]
        code = secrets.token_urlsafe(8)
        self.asked[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def trade(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        kind, _, pair = authorization.partition(" ")
        known = kind == "Basic" and [*map(unquote_plus, base64.b64decode(pair).decode().split(":"))] == [CLIENT, SECRET]
        query = self.asked.pop(form["code"], None)
        if not known or query is None or form["redirect_uri"] != query["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        if b64(hashlib.sha256(form["code_verifier"].encode()).digest()) != query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        self.tokens += 1
        now = int(self.clock().timestamp())
        claims = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": query["nonce"]}
        return 200, {
            "access_token": "for the person",
            "token_type": "Bearer",
            "id_token": self.make(claims | self.person),
        }

    def keys(self) -> Claims:
        numbers = KEY.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "kid": "k1",
            "use": "sig",
            "alg": "RS256",
            "n": a_number(numbers.n),
            "e": a_number(numbers.e),
        }
        return {"keys": [key, {"kty": "of tomorrow", "kid": "k2"}]}


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(query))
            self.end_headers()
        elif parts.path == "/.well-known/openid-configuration":
            self._answer(200, self.provider.described())
        elif parts.path == "/keys":
            self._answer(200, self.provider.keys())
        elif parts.path == "/person" and self.headers["Authorization"] == "Bearer for the person":
            self._answer(200, self.provider.told)
        else:
            self.send_response(302)  # nobody should follow it
            self.send_header("Location", "/keys")
            self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer(*self.provider.trade(form, self.headers.get("Authorization", "")))

    def _answer(self, status: int, form: Claims) -> None:
        body = json.dumps(form).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        pass


@contextmanager
def provided(clock: Callable[[], datetime]) -> Iterator[Provider]:
    """Serve a provider on a free port."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.provider = Provider(address=f"http://127.0.0.1:{server.server_port}", clock=clock)  # type: ignore[attr-defined] # set here
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield handler.provider  # type: ignore[attr-defined] # set above
        finally:
            server.shutdown()
            thread.join()
