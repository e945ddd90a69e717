"""Which one address a From field names, if every program must read the same one (a part of RFC 5322 §3.4)."""

import re
import unicodedata
from dataclasses import dataclass

from mailbot.inbound.header_lines import HeaderLines
from mailbot.inbound.mime_text import decode_words

HOLDS_OTHER_ADDRESS = "display_name_holds_other_address"
MIXES_SCRIPTS = "display_name_mixes_scripts"
HAS_BIDI_CONTROLS = "display_name_has_bidi_controls"

_MAX_FIELD = 8 * 1024
_MAX_SHOWN = 200

_ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_LABEL = rb"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(
    rb"(?=[^@]{1,64}@[^@]{1,253}\Z)"
    + _ATEXT
    + rb"++(?:\."
    + _ATEXT
    + rb"++)*+@"
    + _LABEL
    + rb"(?:\."
    + _LABEL
    + rb"){0,126}"
)
_ENCODED_WORD = re.compile(rb"=\?[^?]{1,60}\?[BbQq]\?")
_QUOTED = rb'"(?:[^"\\\r\n]|\\.)*+"'
_DISPLAY = re.compile(rb"(?:[ \t]++|" + _QUOTED + rb"|[^\x00-\x20\x7f()<>\[\]:;@\\,\"]++)*+")
_OTHER_ADDRESS = re.compile(r"[^\s<>\"'(),;:@]{1,64}@[^\s<>\"'(),;:@]{1,253}")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who the From field names.

    Attributes:
        address: ASCII lower case; ``None`` where the field, or the header around it, is ambiguous.
        fault: why it is.
    """

    address: str | None
    display_name: str
    fault: str | None
    flags: tuple[str, ...] = ()


def find_author(header: HeaderLines) -> Author:
    """Read the one From field strictly; anything that programs read in two ways makes it ambiguous.

    Source: RELIABILITY.md, Who is the sender, "Strict From".
    """
    values = header.values("from")
    if header.fault or len(values) != 1:
        number = "no From field" if not values else f"{len(values)} From fields"
        return Author(address=None, display_name="", fault=header.fault or number)
    value = values[0].strip(b" \t")
    if len(value) > _MAX_FIELD:
        return Author(address=None, display_name="", fault="the From field is too long")
    display, address = _halves(value)
    shown = _shown(display)
    if not _ADDRESS.fullmatch(address) or _ENCODED_WORD.search(address):
        return Author(address=None, display_name=shown, fault="the From field does not hold one plain address")
    if not _DISPLAY.fullmatch(display):
        return Author(address=None, display_name=shown, fault="the From field's display name is no plain name")
    plain = address.decode("ascii").lower()
    return Author(address=plain, display_name=shown, fault=None, flags=_flags(shown, plain))


def _halves(value: bytes) -> tuple[bytes, bytes]:
    """What stands before the last opening bracket, and the address in it or alone."""
    display, bracket, address = value.rpartition(b"<")
    return (display, address.removesuffix(b">")) if bracket and address.endswith(b">") else (b"", value)


def _shown(display: bytes) -> str:
    text = display.strip(b" \t").decode("ascii", "surrogateescape")
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return _CONTROL.sub("", decode_words(text)).strip()[:_MAX_SHOWN]


def _flags(shown: str, address: str) -> tuple[str, ...]:
    if not shown:
        return ()
    flags = []
    folded = unicodedata.normalize("NFKC", shown)
    if any(other.lower() != address for other in _OTHER_ADDRESS.findall(folded)):
        flags.append(HOLDS_OTHER_ADDRESS)
    if not shown.isascii():
        if any(_mixes_scripts(word) for word in shown.split()):
            flags.append(MIXES_SCRIPTS)
        if _BIDI.search(shown):
            flags.append(HAS_BIDI_CONTROLS)
    return tuple(flags)


def _mixes_scripts(word: str) -> bool:
    """Whether a word passes foreign letters off as Latin ones among real ones."""
    # Its tables take 0.1 s to load, and few names need them.
    from confusable_homoglyphs import confusables  # noqa: PLC0415

    return bool(confusables.is_dangerous(word, preferred_aliases=["latin"]))
