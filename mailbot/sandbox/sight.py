"""Pixels to lines of text and to what barcodes say, whichever way the page lies. Runs in the picture child only.

The models come with the wheel of ``rapidocr``; nothing is loaded from anywhere else.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from rapidocr import RapidOCR
from rapidocr.ch_ppocr_rec import TextRecInput

from mailbot.model.picture import SeenLine, SeenPage
from mailbot.sandbox.pixels import Pixels

Corners = NDArray[np.float32]
"""The four corners of a line of text, clockwise from where it begins at the top."""

_ENGINE = {
    "Global.log_level": "critical",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "Det.limit_type": "max",
    "Det.score_mode": "slow",  # the quick way takes the corners of a line that runs askew for paper
    "Det.box_thresh": 0.35,
    "Cls.cls_batch_num": 1,
    "Rec.rec_batch_num": 1,  # a batch pads every line to the widest: memory, and time
}
_FIRST_LOOK, _SECOND_LOOK = 1_440, 736  # the detector's long side: fewer pixels save memory and time
_HARDLY_ANY = 60  # letters and digits
_LEAST_SURE = 0.5
_MOST_LINES = 400
_MOST_VOTERS = 15
_UPSIDE_DOWN = "180"
_MOST_CODES = 10
_LONGEST_CODE = 500
_LONGEST_TEXT = 500


class Eyes:
    """The models, loaded once."""

    def __init__(self) -> None:
        """Load them: half a second, and 150 MB."""
        cv2.setNumThreads(1)
        engine = RapidOCR(params=_ENGINE)
        self._detect = engine._load_det_model()  # type: ignore[no-untyped-call]  # noqa: SLF001 (no public way to ask which way a page lies)
        self._classify = engine._load_cls_model()  # type: ignore[no-untyped-call]  # noqa: SLF001 (as above)
        self._recognise = engine._load_rec_model()  # type: ignore[no-untyped-call]  # noqa: SLF001 (as above)

    def look(self, pixels: Pixels) -> SeenPage:
        """Read one page, turned upright by what most of its lines show; where hardly anything is read, look again."""
        page: Pixels = np.ascontiguousarray(pixels[:, :, ::-1])
        codes = _codes(page)
        lines, unread = self._read(page, _FIRST_LOOK)
        if _letters(lines) < _HARDLY_ANY:  # a few lines on a wide page are easier to make out from further away
            others, others_unread = self._read(page, _SECOND_LOOK)
            if _letters(others) > _letters(lines):
                lines, unread = others, others_unread
        return SeenPage(lines=lines, unread=unread, codes=codes)

    def _read(self, page: Pixels, side: int) -> tuple[tuple[SeenLine, ...], int]:
        """The lines that can be read, and how many cannot."""
        corners = self._find(page, side)
        if corners and _lies_on_its_side(corners):
            page = np.ascontiguousarray(np.rot90(page))
            corners = self._find(page, side)
        if corners and self._stands_on_its_head(page, corners):
            page = np.ascontiguousarray(np.rot90(page, 2))
            corners = self._find(page, side)
        if not corners:
            return (), 0
        read = self._recognise(TextRecInput(img=[_cut_out(page, each) for each in corners], return_word_box=False))
        found = zip(read.txts or (), read.scores or (), corners, strict=True)
        sure = [_line(text, each) for text, score, each in found if score >= _LEAST_SURE and text.strip()]
        return tuple(sure), len(corners) - len(sure)

    def _find(self, page: Pixels, side: int) -> Sequence[Corners]:
        self._detect.limit_side_len = side
        found = self._detect(page).boxes
        return () if found is None else [np.asarray(each, np.float32) for each in found[:_MOST_LINES]]

    def _stands_on_its_head(self, page: Pixels, corners: Sequence[Corners]) -> bool:
        widest = sorted(corners, key=_width, reverse=True)[:_MOST_VOTERS]
        votes = self._classify([_cut_out(page, each) for each in widest]).cls_res or []
        return sum(_UPSIDE_DOWN in label for label, _ in votes) * 2 > len(votes)


def _letters(lines: Sequence[SeenLine]) -> int:
    return sum(map(str.isalnum, "".join(line.text for line in lines)))


def _width(corners: Corners) -> float:
    return float(np.linalg.norm(corners[0] - corners[1]) + np.linalg.norm(corners[3] - corners[2])) / 2


def _height(corners: Corners) -> float:
    return float(np.linalg.norm(corners[0] - corners[3]) + np.linalg.norm(corners[1] - corners[2])) / 2


def _lies_on_its_side(corners: Sequence[Corners]) -> bool:
    """Whether most of the length of its lines runs up and down."""
    lying = sum(_width(each) for each in corners if _width(each) >= _height(each))
    return sum(_height(each) for each in corners if _height(each) > _width(each)) > lying


def _cut_out(page: Pixels, corners: Corners) -> Pixels:
    width, height = max(1, round(_width(corners))), max(1, round(_height(corners)))
    flat = np.asarray([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = cv2.getPerspectiveTransform(corners, flat)
    cut = cv2.warpPerspective(page, turn, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
    return np.asarray(cut, np.uint8)


def _line(text: str, corners: Corners) -> SeenLine:
    (x0, y0), (x1, y1) = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    return SeenLine(
        text=text.strip()[:_LONGEST_TEXT],
        x0=float(x0),
        y0=float(y0),
        x1=float(x1),
        y1=float(y1),
        height=_height(corners),
    )


def _codes(page: Pixels) -> tuple[str, ...]:
    found = zxingcpp.read_barcodes(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY))
    texts = [code.text.replace("\0", "")[:_LONGEST_CODE] for code in found[:_MOST_CODES]]
    return tuple(text for text in dict.fromkeys(texts) if text.strip())
