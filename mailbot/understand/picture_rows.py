"""The text of a photographed page: pieces of lines put into rows, though the page lies askew or in perspective."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mailbot.model.picture import SeenLine, SeenPage

_NEAR_ROWS = 3
_SAME_ROW = 0.6
_WIDE_GAP = 1.2
_STEEPEST = 0.5
_FEWEST_IN_PERSPECTIVE = 5

_WORD = re.compile(r"[A-Za-z01]{5,30}")
_DIGIT_IN_WORD = re.compile(r"(?<=[A-Za-z])[01](?=[A-Za-z])")
_GLUED = re.compile(r"(?<=[^\W\d_]{5})(?=\d)")
_JAPANESE = re.compile("[\u3041-\u30ff円]")
_JAPANESE_FORMS = str.maketrans("请领书费发单额计总货价订", "請領書費発単額計総貨価訂")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line with its middle as it would be on a level page."""

    line: SeenLine
    level: float


def page_text(page: SeenPage) -> str:
    """The lines of a page from top to bottom; a wide gap between two pieces of one row becomes a tab.

    What readers of pictures confuse is mended where only one reading is a word: ``INV0ICE``, ``Receipt4711``, and
    Chinese forms of signs in Japanese text. Figures stay as they were read.
    """
    steep, spread = _slopes(page.lines)
    middle = sum((line.x0 + line.x1) / 2 for line in page.lines) / max(1, len(page.lines))
    pieces = [_Piece(line, _level(line, middle, steep, spread)) for line in page.lines]
    return _mended("\n".join(_joined(row) for row in _rows(sorted(pieces, key=lambda piece: piece.level))))


def _slopes(lines: Sequence[SeenLine]) -> tuple[float, float]:
    """How steep rows run, as ``a`` and ``b`` of ``a + b * y``: askew gives ``a``, perspective ``b``.

    The longer a piece, the better it tells: weighted least squares over those that are no mere digit or two.
    """
    telling = [line for line in lines if line.x1 - line.x0 > 2 * line.height]
    told = [((line.y0 + line.y1) / 2, (line.y1 - line.y0) / (line.x1 - line.x0), line.x1 - line.x0) for line in telling]
    told = [(y, slope, weight) for y, slope, weight in told if abs(slope) < _STEEPEST]
    if not told:
        return 0.0, 0.0
    total = sum(weight for *_, weight in told)
    mean_y = sum(y * weight for y, _, weight in told) / total
    mean_slope = sum(slope * weight for _, slope, weight in told) / total
    spread_y = sum(weight * (y - mean_y) ** 2 for y, _, weight in told)
    shared = sum(weight * (y - mean_y) * (slope - mean_slope) for y, slope, weight in told)
    b = shared / spread_y if spread_y and len(told) >= _FEWEST_IN_PERSPECTIVE else 0.0
    return mean_slope - b * mean_y, b


def _level(line: SeenLine, middle: float, steep: float, spread: float) -> float:
    """Where a piece stands once rows are level, counted in the middle of the page."""
    x, y = (line.x0 + line.x1) / 2 - middle, (line.y0 + line.y1) / 2
    return (y - steep * x) / (1 + spread * x) if abs(spread * x) < _STEEPEST else y


def _rows(pieces: Sequence[_Piece]) -> list[list[SeenLine]]:
    """Pieces, from the top, in rows: one joins a row that is no further than a part of its letters' height away."""
    rows: list[list[_Piece]] = []
    for piece in pieces:
        fitting = [row for row in rows[-_NEAR_ROWS:] if _fits(piece, row)]
        if fitting:
            min(fitting, key=lambda row: abs(_mean(row) - piece.level)).append(piece)
        else:
            rows.append([piece])
    rows.sort(key=_mean)
    return [sorted((piece.line for piece in row), key=lambda line: line.x0) for row in rows]


def _fits(piece: _Piece, row: Sequence[_Piece]) -> bool:
    """Whether a piece belongs to a row: on one level with it, and beside its other pieces, not over them."""
    smaller = min(other.line.height for other in [piece, *row])
    if abs(piece.level - _mean(row)) > _SAME_ROW * smaller:
        return False
    return all(_overlap(piece.line, other.line) < smaller for other in row)


def _mean(row: Sequence[_Piece]) -> float:
    return sum(piece.level for piece in row) / len(row)


def _overlap(one: SeenLine, other: SeenLine) -> float:
    return min(one.x1, other.x1) - max(one.x0, other.x0)


def _joined(row: Sequence[SeenLine]) -> str:
    text = row[0].text
    for left, right in pairwise(row):
        wide = right.x0 - left.x1 > _WIDE_GAP * min(left.height, right.height)
        text += ("\t" if wide else " ") + right.text
    return text


def _mended(text: str) -> str:
    text = _GLUED.sub(" ", _WORD.sub(_as_letters, text))
    return text.translate(_JAPANESE_FORMS) if _JAPANESE.search(text) else text


def _as_letters(word: re.Match[str]) -> str:
    """A word with a lone 0 or 1 between letters, which stands for O or I there."""
    digits = _DIGIT_IN_WORD.findall(word[0])
    if len(digits) != 1 or sum(map(str.isdigit, word[0])) > 1:
        return word[0]
    letter = "O" if digits == ["0"] else "I"
    return _DIGIT_IN_WORD.sub(letter if word[0][0].isupper() and word[0][1].isupper() else letter.lower(), word[0])
