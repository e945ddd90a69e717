"""Small PDFs for tests, written by hand: one font, text at places, embedded files."""

import zlib
from collections.abc import Mapping, Sequence

PlacedText = tuple[float, float, float, str]
"""Size, left, baseline from the bottom (both in points), text."""


def placed_text(texts: Sequence[PlacedText]) -> bytes:
    """A page's content: each text where it belongs."""
    shown = b""
    for size, left, up, text in texts:
        shown += b"/F1 %.1f Tf 1 0 0 1 %.1f %.1f Tm (%s) Tj " % (size, left, up, _escaped(text))
    return _stream(b"BT %s ET" % shown)


def lines_of_text(lines: Sequence[str]) -> bytes:
    """A page's content: lines below one another."""
    text = b"".join(b"(%s) Tj 0 -16 Td " % _escaped(line) for line in lines)
    return _stream(b"BT /F1 11 Tf 60 780 Td %s ET" % text)


def _escaped(line: str) -> bytes:
    octets = line.encode("cp1252")
    return octets.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")


def _stream(content: bytes, dictionary: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), dictionary, content)


def write_pdf(contents: list[bytes], embedded: Mapping[str, bytes], *, size: tuple[int, int] = (595, 842)) -> bytes:
    """Pages that share one font (Helvetica, WinAnsi), and embedded files (ISO 32000-1, 7.11.4), as a PDF 1.7 file."""
    first_file = 4 + 2 * len(contents)
    names = b" ".join(b"(%s) %d 0 R" % (name.encode(), first_file + 2 * n) for n, name in enumerate(embedded))
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [%s] >> >> >>" % names,
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(contents)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, content in enumerate(contents):
        page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << /Font << /F1 3 0 R >> >>" % size
        objects += [b"%s /Contents %d 0 R >>" % (page, 5 + 2 * number), content]
    for number, (name, data) in enumerate(embedded.items()):
        file = b"/F (%s) /UF (%s) /EF << /F %d 0 R >>" % (name.encode(), name.encode(), first_file + 2 * number + 1)
        objects += [b"<< /Type /Filespec %s >>" % file, _stream(zlib.compress(data), b"/Filter /FlateDecode")]
    return _file(objects)


def _file(objects: list[bytes]) -> bytes:
    written, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start, size = len(written), len(objects) + 1
    written += b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\n" % (size, table, size)
    return bytes(written + b"startxref\n%d\n%%%%EOF\n" % start)
