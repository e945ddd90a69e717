"""Small builders of the papers that customers of a jewellery shop send."""

import zlib
from collections.abc import Callable, Mapping

import pytest

PdfBuilder = Callable[..., bytes]


@pytest.fixture(scope="session")
def make_pdf() -> PdfBuilder:
    """Give a function from lines of text, and files to embed by name, to the bytes of a one-page PDF."""

    def build(*lines: str, embedded: Mapping[str, bytes] | None = None) -> bytes:
        return write_pdf([_shown(lines)], embedded or {})

    return build


@pytest.fixture(scope="session")
def make_raw_pdf() -> Callable[[list[bytes]], bytes]:
    """Give a function from the content streams of pages, dictionaries included, to the bytes of a PDF."""
    return lambda contents: write_pdf(contents, {})


def _shown(lines: tuple[str, ...]) -> bytes:
    text = b"".join(b"(%s) Tj 0 -16 Td " % _escaped(line) for line in lines)
    return _stream(b"BT /F1 11 Tf 60 780 Td %s ET" % text)


def _escaped(line: str) -> bytes:
    octets = line.encode("cp1252")
    return octets.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")


def _stream(content: bytes, dictionary: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), dictionary, content)


def write_pdf(contents: list[bytes], embedded: Mapping[str, bytes]) -> bytes:
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
        page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
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
