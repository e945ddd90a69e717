"""Passwords as Argon2id hashes (RFC 9106), and the codes of an authenticator (RFC 6238)."""

import base64
import hashlib
import hmac
import struct
from datetime import datetime
from urllib.parse import quote

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
_LONGEST = 1000
_STEP_SECONDS = 30
_DIGITS = 6
_KEY_BYTES = 20
_hasher = PasswordHasher()
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$dGhpcyBpcyBub2JvZHkncyBoYXNoLCBlcXVhbCB3b3JrIA"


def hash_password(password: str) -> str:
    """A password as it is kept."""
    return _hasher.hash(password)


def is_acceptable(password: str, name: str) -> bool:
    """Whether a password may be chosen: 12 characters or more, not the name, not one sign over and over."""
    few = 4
    return SHORTEST <= len(password) <= _LONGEST and password.lower() != name and len(set(password)) >= few


def is_password(password: str, kept: str | None) -> bool:
    """Whether a password is the one that is kept; for nobody it takes as long to say no."""
    try:
        _hasher.verify(kept or _NOBODY, password[:_LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def key_for(name: str, seed: bytes) -> str:
    """The key that a session offers to an authenticator, in Base32; another session offers another."""
    digest = hmac.new(seed, f"authenticator/{name}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:_KEY_BYTES]).decode()


def key_uri(key: str, name: str, shop: str) -> str:
    """The address that an authenticator reads from a QR picture."""
    return f"otpauth://totp/{quote(f'{shop}:{name}')}?secret={key}&issuer={quote(shop)}"


def code_at(key: str, step: int) -> str:
    """The code of one step. Source: RFC 4226, section 5.3."""
    digest = hmac.new(base64.b32decode(key), struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 0xF
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}}"


def find_step(key: str, code: str, after: int, now: datetime) -> int | None:
    """The step whose code this is: the present one or a neighbour, later than the last that was used; else ``None``."""
    present = int(now.timestamp()) // _STEP_SECONDS
    given = "".join(code.split()).encode("utf-8", "surrogatepass")
    steps = [step for step in (present - 1, present, present + 1) if step > after]
    return next((step for step in steps if hmac.compare_digest(code_at(key, step).encode(), given)), None)
