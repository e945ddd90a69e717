"""The secrets that prove a sender (V3): eight signs that only the order's address was sent, or a link's token."""

import hashlib
import hmac
import re
import secrets
import unicodedata

from mailbot.model.reading import Reading, SegmentKind

_LETTERS, _DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"
_LENGTH = 8
_LEAST_OF_EACH = 2
_MOST_A_MAIL = 5
_TOKEN_BYTES = 32
_SIGN = f"[{_LETTERS}{_DIGITS}]"
_FORMS = (
    tuple(  # as it was sent, run together, and in two words; places may overlap, since any word may stand before it
        re.compile(rf"(?<![A-Z0-9])(?=({_SIGN}{{4}}{between}{_SIGN}{{4}})(?![A-Z0-9]))") for between in ("-", "", " ")
    )
)


def new_code() -> str:
    """A fresh code. It mixes letters and digits, so that no word of a sentence and no number is taken for a try."""
    while True:
        code = "".join(secrets.choice(_LETTERS + _DIGITS) for _ in range(_LENGTH))
        if _LEAST_OF_EACH <= sum(sign in _DIGITS for sign in code) <= _LENGTH - _LEAST_OF_EACH:
            return code


def hash_code(key: bytes, case_id: int, code: str) -> str:
    """A code as it is kept: bound to its case, useless to whoever reads the database alone."""
    return hmac.new(key, f"{case_id}/{code}".encode(), hashlib.sha256).hexdigest()


def new_token() -> str:
    """A fresh token of a link, 256 bits."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(key: bytes, token: str) -> str:
    """A token as it is kept; its row names the case and the order that it is for."""
    return hmac.new(key, f"link/{token}".encode(), hashlib.sha256).hexdigest()


def find_codes(reading: Reading) -> list[str]:
    """What may be a code in the text that the sender wrote now; a quoted code proves nothing."""
    new = (segment for segment in reading.body.segments if segment.kind is SegmentKind.NEW)
    text = " \n".join(reading.body.text[segment.start : segment.end] for segment in new)
    text = unicodedata.normalize("NFKC", text).upper()
    found = [re.sub("[- ]", "", code) for form in _FORMS for code in form.findall(text)]
    return [code for code in dict.fromkeys(found) if _is_mixed(code)][:_MOST_A_MAIL]


def _is_mixed(code: str) -> bool:
    return any(sign in _DIGITS for sign in code) and any(sign in _LETTERS for sign in code)
