"""Bytes of a picture or a scanned PDF to plain pixels, within limits. Runs in the child that reads pictures only."""

import io
import warnings
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

Pixels = NDArray[np.uint8]
"""Rows, columns, red-green-blue."""

LONG_SIDE = 1_800
_MOST_BYTES = 15_000_000
_MOST_PIXELS = 40_000_000
_LONGEST_SIDE = 12_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
_POINTS_AT_ONE = 72


class UnseenError(Exception):
    """A file cannot be turned into pixels; the text is one constant reason for people to see."""


def open_picture(data: bytes) -> Pixels:
    """Decode a picture anew: its first frame, upright as its camera says, on white, at most 1,800 pixels long.

    Only these pixels go on: no other byte of the file reaches a reader.

    Limits: 15 MB, 40 megapixels, 12,000 pixels a side, one frame (RELIABILITY.md, Limits).

    Raises:
        UnseenError: damaged, of another kind, or beyond a limit.
    """
    return np.asarray(shrunken(data, LONG_SIDE))


def shrunken(data: bytes, side: int) -> Image.Image:
    """The same as a picture of red, green and blue, at most ``side`` pixels long.

    Raises:
        UnseenError: as ``open_picture``.
    """
    if len(data) > _MOST_BYTES:
        raise UnseenError("the picture is too large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                fits = max(picture.size) <= _LONGEST_SIDE and picture.width * picture.height <= _MOST_PIXELS
                if fits:
                    picture.draft("RGB", (side, side))
                    return _upright(picture, side)
    except UnidentifiedImageError:
        raise UnseenError("pictures of this kind are not read") from None
    except Exception:  # noqa: BLE001 (decoders answer hostile bytes with errors of any kind)
        raise UnseenError("the picture is damaged") from None
    raise UnseenError("the picture has too many pixels")


def _upright(picture: Image.Image, side: int) -> Image.Image:
    seen: Image.Image = picture
    if picture.mode not in {"RGB", "L"}:
        seen = picture.convert("RGBA")
    seen.thumbnail((side, side), reducing_gap=2.0)
    if seen.mode == "RGBA":
        paper = Image.new("RGBA", seen.size, "white")
        paper.alpha_composite(seen)
        paper.info, seen = picture.info, paper
    ImageOps.exif_transpose(seen, in_place=True)
    return seen.convert("RGB")


def open_pages(data: bytes, most: int) -> Iterator[Pixels]:
    """Draw the pages of a PDF, one after the other, each at most 1,800 pixels long.

    Raises:
        UnseenError: damaged, or longer than ``most`` pages: a page left out may be the one that says "continued".
    """
    try:
        with closing(pypdfium2.PdfDocument(data)) as document:
            if len(document) > most:
                raise UnseenError("the scan has more pages than are read")
            for number in range(len(document)):
                with closing(document[number]) as page:
                    yield _drawn(page)
    except pypdfium2.PdfiumError:
        raise UnseenError("the PDF is damaged") from None


def _drawn(page: pypdfium2.PdfPage) -> Pixels:
    longest = max(*page.get_size(), 1.0)
    bitmap = page.render(scale=min(LONG_SIDE / longest, LONG_SIDE / _POINTS_AT_ONE), may_draw_forms=False)
    return np.asarray(bitmap.to_pil().convert("RGB"))
