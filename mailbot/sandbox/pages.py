"""A page of a PDF, or a picture, drawn anew as PNG. Runs in the limited child only.

PDF needs nothing but the reader that is there anyway; pictures need the extra ``ocr``, which brings Pillow.
Source: RELIABILITY.md, Limits, "PDF" and "image".
"""

import io
import os
import struct
import zlib
from contextlib import closing
from importlib.util import find_spec

import pypdfium2

from mailbot.sandbox.show import PNG

_PDF_HEAD = 1_024
_MOST_BYTES = 15_000_000
_MOST_PAGES = 20
_POINTS_AT_ONE = 72
_EIGHT_BITS, _COLOURS = 8, 2


class UndrawnError(Exception):
    """A file cannot be drawn; the text is one constant reason for people to see."""


def draw(data: bytes, page: int, side: int) -> tuple[int, bytes]:
    """One page, at most ``side`` pixels long, and how many there are.

    Raises:
        UndrawnError: it is neither PDF nor picture, damaged, beyond a limit, or has no such page.
    """
    if len(data) > _MOST_BYTES:
        raise UndrawnError("the file is too large to be drawn")
    if b"%PDF-" in data[:_PDF_HEAD]:
        return _draw_pdf(data, page, side)
    if page != 1:
        raise UndrawnError("a picture has one page")
    return 1, _draw_picture(data, side)


def _draw_pdf(data: bytes, number: int, side: int) -> tuple[int, bytes]:
    try:
        with closing(pypdfium2.PdfDocument(data)) as document:
            count = len(document)
            if not 1 <= number <= min(count, _MOST_PAGES):
                raise UndrawnError("the PDF has no such page, or more pages than are drawn")
            with closing(document[number - 1]) as page:
                scale = min(side / max(*page.get_size(), 1.0), side / _POINTS_AT_ONE)
                with closing(page.render(scale=scale, may_draw_forms=False, rev_byteorder=True)) as bitmap:
                    return min(count, _MOST_PAGES), _png(bitmap)
    except pypdfium2.PdfiumError:
        raise UndrawnError("the PDF is damaged, or asks for a password") from None


def _png(bitmap: pypdfium2.PdfBitmap) -> bytes:
    """The bitmap as PNG (ISO/IEC 15948): one header, one stream of unfiltered rows, one end."""
    if bitmap.n_channels != len("RGB"):
        raise UndrawnError("the page has colours that are not drawn")
    pixels, row = bytes(bitmap.buffer), bitmap.width * len("RGB")
    rows = b"".join(
        b"\0" + pixels[start : start + row] for start in range(0, bitmap.height * bitmap.stride, bitmap.stride)
    )
    size = struct.pack(">IIBBBBB", bitmap.width, bitmap.height, _EIGHT_BITS, _COLOURS, 0, 0, 0)
    return PNG + _chunk(b"IHDR", size) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _draw_picture(data: bytes, side: int) -> bytes:
    if find_spec("PIL") is None or find_spec("numpy") is None:
        raise UndrawnError("pictures are drawn where the extra ocr is installed")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from mailbot.sandbox.pixels import UnseenError, shrunken  # noqa: PLC0415 (needs the extra)

    try:
        picture = shrunken(data, side)
    except UnseenError as problem:
        raise UndrawnError(str(problem)) from None
    made = io.BytesIO()
    picture.save(made, "PNG")
    return made.getvalue()
