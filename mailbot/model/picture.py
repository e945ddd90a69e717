"""What is seen on a picture or a scanned page: the whole answer of the child that reads pictures, and nothing else."""

from dataclasses import dataclass

MOST_SEEN = 5
"""Pictures and pages of one mail that are looked at. Source: RELIABILITY.md, Limits, "OCR"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLine:
    """One line of text, or a piece of it: what stands between wide gaps is seen as pieces.

    Attributes:
        x0, y0, x1, y1: its middle line from left to right, in pixels of the page turned upright.
        height: of its letters, in pixels.
    """

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPage:
    """One picture, or one page of a scanned document.

    Attributes:
        lines: in no order.
        unread: places that look like text and cannot be read with any certainty.
        codes: what its barcodes and QR codes say.
    """

    lines: tuple[SeenLine, ...]
    unread: int
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A whole file as seen.

    Attributes:
        pages: those of a document, or the one picture.
        unreadable: why nothing could be seen, one constant text each; ``None`` where it could be looked at.
    """

    pages: tuple[SeenPage, ...]
    unreadable: str | None = None
