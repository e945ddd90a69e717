"""Where HTML text stands when it is shown: lines, blank lines, table cells, and spaces that collapse or stay."""

from dataclasses import dataclass

_MOST_BREAKS = 3


@dataclass(slots=True, kw_only=True)
class _Cell:
    """A table cell being read: whether it holds any text yet, and more than one line of it."""

    empty: bool = True
    tall: bool = False


class Layout:
    """Text that grows piece by piece; what parts a piece from the one before it is kept until there is one.

    Attributes:
        length: of the text so far.
        line_start: where its last line begins.
        ends_in_colon: whether the last piece does.
    """

    def __init__(self) -> None:
        """Begin with no text."""
        self.length = self.line_start = 0
        self.ends_in_colon = False
        self._parts: list[str] = []
        self._cells: list[_Cell] = []
        self._breaks = 0
        self._space = self._tab = self._blank_line = False
        self._bullet = ""

    def text(self) -> str:
        """All of it; the cells of a table row are parted by tabs."""
        return "".join(self._parts)

    def write(self, text: str) -> int | None:
        """Add text whose spaces and line ends collapse.

        Returns:
            Where its first word stands, or ``None`` where it has none.
        """
        words = text.split()
        if not words:
            self._space = self._space or bool(text)
            self._blank_line = self._blank_line or "\xa0" in text
            return None
        self._space = self._space or text[0].isspace()
        start = self._put(" ".join(words))
        self._space = text[-1].isspace()
        return start

    def write_kept(self, text: str) -> int | None:
        """Add text whose spaces and line ends stay, as in ``<pre>``; returns the same as ``write``."""
        first = None
        for at, line in enumerate(text.replace("\r", "").split("\n")):
            if at:
                self.end_line()
            if line.strip():
                start = self._put(line)
                first = start if first is None else first
            elif line:
                self._space = True
        return first

    def part(self, breaks: int) -> None:
        """See to so many line ends before the next text; a table cell does not begin with any."""
        if not (self._cells and self._cells[-1].empty):
            self._breaks = max(self._breaks, breaks)

    def begin_line(self) -> None:
        """See to it that the next text begins a line, and that no later cell shares the line before."""
        self._breaks = max(self._breaks, 1)
        for cell in self._cells:
            cell.tall = True

    def end_line(self) -> None:
        """End the line for ``<br>``; one more leaves a blank line."""
        if not (self._cells and self._cells[-1].empty):
            self._breaks += 1
            self._blank_line = False

    def end_block(self, breaks: int) -> None:
        """End a block; one that held nothing but a no-break space shows as a blank line."""
        if self._blank_line and self._breaks:
            self.end_line()
        self._blank_line = False
        self.part(breaks)

    def start_cell(self) -> None:
        """Begin a table cell."""
        self._cells.append(_Cell())

    def end_cell(self) -> None:
        """End a table cell: the next one stands beside it, or below where it took several lines."""
        cell = self._cells.pop()
        if cell.tall:
            self.part(1)
        elif not cell.empty:
            self._breaks, self._tab = 0, True

    def start_item(self) -> None:
        """Begin a list item; its first text gets a bullet."""
        self._bullet = "* "

    def end_item(self) -> None:
        """End a list item, empty or not."""
        self._bullet = ""

    def _put(self, text: str) -> int:
        breaks = min(self._breaks, _MOST_BREAKS) if self.length else 0
        gap = "\n" * breaks or ("\t" if self._tab else " " if self._space else "") if self.length else ""
        for cell in reversed(self._cells):
            if not cell.empty:
                cell.tall = cell.tall or breaks > 0
                break
            cell.empty = False
        start = self.length + len(gap)
        self.line_start = start if breaks else self.line_start
        self._parts.append(f"{gap}{self._bullet}{text}")
        self.length = start + len(self._bullet) + len(text)
        self.ends_in_colon = text.endswith(":")
        self._breaks, self._bullet = 0, ""
        self._space = self._tab = self._blank_line = False
        return start
