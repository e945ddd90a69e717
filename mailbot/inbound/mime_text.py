"""Which characters the bytes of a text or of a header field mean; every guess is ordered, none raises."""

import codecs
import quopri
import re
from functools import lru_cache

from mailbot.inbound.mime_transfer import decode_base64_loosely

UNKNOWN_CHARSET = "charset_unknown"
WRONG_CHARSET = "charset_wrong"

_NAME = re.compile(r"[a-z0-9][a-z0-9_.:+-]{0,39}")
_FAMILIES = (
    (re.compile(r"(?:x-?)?(?:windows|win|cp|ibm|dos)[-_ ]?(\d{3,5})"), "cp{}"),
    (re.compile(r"(?:x-?)?iso[-_ ]?(?:ir[-_ ]?)?8859[-_ ]?(\d{1,2})(?:[-_:].*)?"), "iso8859-{}"),
    (re.compile(r"utf[-_ ]?(7|8|16|32)(?:[-_ ]?(?:mb[34]|bom))?"), "utf-{}"),
)
_READ_AS = {
    # What writers mean by a name is often the larger set (WHATWG Encoding, "Names and labels").
    "utf-8": "utf-8-sig",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "euc_kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "big5": "big5hkscs",
    "unicode-1-1-utf-7": "utf-7",
    "unicode": "utf-16",
    "koi8": "koi8_r",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso2022_jp": "iso2022_jp_ext",
}
_NEVER = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "charmap"})
_ISO_2022_JP = re.compile(rb"\x1b\$[@B]")
_ESCAPE = re.compile(rb"\x1b(\$\(?[@A-D]|\([@-J])")
_SECOND_LEADS = 0xA0
_DELETE = 0x7F
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([BbQq])\?([^?]*+)(?:\?(?!=)[^?]*+){0,20}\?=")
_LONE = re.compile("[\x00\ud800-\udfff]")


def decode_octets(octets: bytes, charset: str | None) -> tuple[str, str | None]:
    """Turn bytes into valid Unicode without NUL.

    The named charset goes first, read as the larger set that writers mean by it. Where it is missing,
    unknown or wrong: UTF-8 if the bytes are valid in it, ISO-2022-JP by its escapes, else Windows-1252.

    Args:
        octets: the content, its transfer encoding undone.
        charset: as the sender named it, ``None`` where not.

    Returns:
        The text, and ``UNKNOWN_CHARSET``, ``WRONG_CHARSET`` or ``None``.
    """
    codec = find_codec(charset) if charset else None
    if codec in {"utf-16", "utf-32"} and b"\0" not in octets:
        codec = None
    if codec:
        try:
            return _clean(octets.decode(codec)), None
        except UnicodeError:
            return _clean(_decode_misnamed(octets, codec)), WRONG_CHARSET
    text, certain = _decode_unnamed(octets)
    defect = UNKNOWN_CHARSET if charset and codec is None and not _means_ascii(charset) else None
    return _clean(text), defect or (None if certain else WRONG_CHARSET)


@lru_cache(maxsize=256)
def find_codec(charset: str) -> str | None:
    """The codec that reads a charset name, ``None`` for US-ASCII and for names that nobody knows."""
    name = charset.strip(" \t\r\n\"'").lower().partition(" ")[0]
    for pattern, form in _FAMILIES:
        match = pattern.fullmatch(name)
        if match:
            name = form.format(match[1])
    known = _canonical(_READ_AS.get(name, name))
    return None if known in {None, "ascii"} else _READ_AS.get(known, known)


def decode_words(text: str, fallback: str | None = None) -> str:
    """Decode a header's encoded words (RFC 2047), and bytes that no one declared.

    Args:
        text: a value as the email package keeps it: ASCII, with 8-bit bytes as lone surrogates.
        fallback: the charset of undeclared bytes that are no UTF-8, such as the body's.
    """
    if not text.isascii():
        text = _decode_undeclared(text, fallback)
    if "=?" not in text:
        return _LONE.sub("", text) if "\0" in text else text
    pieces: list[str] = []
    run: list[tuple[str, bytes]] = []
    at = 0
    for word in _WORD.finditer(text):
        between = text[at : word.start()]
        if between.strip() or not run:
            pieces += [_decode_run(run), between]
            run = []
        run.append((word[1].partition("*")[0], _word_octets(word)))
        at = word.end()
    return _clean("".join([*pieces, _decode_run(run), text[at:]]))


def _word_octets(word: re.Match[str]) -> bytes:
    start = word.start(3)
    octets = word.string[start : word.end() - 2].encode("utf-8", "surrogateescape")
    if word[2] in "Bb":
        return decode_base64_loosely(octets)[0]
    return quopri.decodestring(octets.replace(b" ", b"=20").replace(b"\n", b"=0A"), header=True)


def _decode_run(run: list[tuple[str, bytes]]) -> str:
    """Adjacent words; those of one charset are joined first, as senders cut letters in two."""
    text, at = [], 0
    while at < len(run):
        charset, end = run[at][0], at
        while end < len(run) and run[end][0].lower() == charset.lower():
            end += 1
        text.append(decode_octets(b"".join(octets for _, octets in run[at:end]), charset)[0])
        at = end
    return "".join(text)


def _decode_undeclared(text: str, fallback: str | None) -> str:
    octets = text.encode("utf-8", "surrogateescape")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return decode_octets(octets, fallback)[0]


def _decode_unnamed(octets: bytes) -> tuple[str, bool]:
    if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return octets.decode("utf-16", "replace"), True
    if _ISO_2022_JP.search(octets):
        return _decode_japanese(octets), True
    try:
        return octets.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return _decode_damaged(octets, "utf-8-sig"), False


def _decode_misnamed(octets: bytes, codec: str) -> str:
    try:
        return _decode_damaged(octets, codec) if octets.isascii() else octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decode_damaged(octets, codec)


def _decode_damaged(octets: bytes, codec: str) -> str:
    """Bytes that are not what they should be: mostly right with a few bad ones, or another charset altogether."""
    if codec.startswith("iso2022_jp"):
        return _decode_japanese(octets)
    if codec.startswith(("cp", "iso8859")):
        return _decode_single(octets, codec)
    text = octets.decode(codec, "replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if character > "\x7f") - bad
    if codec in {"utf-8-sig", "utf-7"} and good < bad:
        return _decode_single(octets, "cp1252")
    return text


def _decode_japanese(octets: bytes) -> str:
    """ISO-2022-JP with the vendors' letters, such as the numero sign, which the codec refuses: by way of cp932."""
    text, shifted = [], False
    for number, piece in enumerate(_ESCAPE.split(octets)):
        if number % 2:
            shifted = piece in {b"$B", b"$@"}
        else:
            text.append((_shift_jis(piece) if shifted else piece).decode("cp932", "replace"))
    return "".join(text)


def _shift_jis(pairs: bytes) -> bytes:
    """JIS X 0208 code pairs (0x21 to 0x7E each) as Shift JIS."""
    octets = bytearray()
    for row, cell in zip(pairs[::2], pairs[1::2], strict=False):
        lead = ((row - 0x21) >> 1) + 0x81
        octets.append((lead + 0x40 if lead >= _SECOND_LEADS else lead) & 0xFF)
        octets.append((cell + (0x7E if row % 2 == 0 else 0x1F if cell < _DELETE - 0x1F else 0x20)) & 0xFF)
    return bytes(octets)


def _decode_single(octets: bytes, codec: str) -> str:
    try:
        return octets.decode(codec)
    except UnicodeDecodeError:
        return octets.decode(codec, "replace") if codec != "cp1252" else octets.decode("latin-1")


def _canonical(name: str) -> str | None:
    if not _NAME.fullmatch(name):
        return None
    try:
        info = codecs.lookup(name)
        " ".encode(info.name)
    except (LookupError, UnicodeError):
        return None
    return None if info.name in _NEVER else info.name


def _means_ascii(charset: str) -> bool:
    return "ascii" in charset.lower() or charset.lower().startswith(("ansi_x3.4", "iso646"))


def _clean(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return _LONE.sub(lambda lone: "" if lone[0] == "\0" else "\ufffd", text)
