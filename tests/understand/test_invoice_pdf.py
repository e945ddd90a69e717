import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import mailbot
from mailbot.understand.invoice_papers import read_pdf_document
from mailbot.understand.invoice_pdf import read_pdf
from mailbot.understand.unreadable import UnreadableError

PdfBuilder = Callable[..., bytes]
RawPdfBuilder = Callable[[list[bytes]], bytes]

_SIGABRT, _SIGKILL, _SIGSEGV = -6, -9, -11
_IN_A_LIMITED_CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (768 << 20, 768 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from mailbot.understand.invoice_papers import read_pdf_document, read_xml_documents
data = open(sys.argv[1], "rb").read()
print(read_xml_documents(data) if sys.argv[1].endswith(".xml") else read_pdf_document(data))
"""


def end_of_a_limited_child(path: Path) -> int:
    """Read a file under the limits of the child process, and give its exit code; 0 means that it gave a value."""
    root = Path(mailbot.__file__).parents[1]
    command = [sys.executable, "-c", _IN_A_LIMITED_CHILD, str(path)]
    child = subprocess.run(command, cwd=root, capture_output=True, timeout=90, check=False)
    if child.returncode == 0:
        assert child.stdout.strip()
    return child.returncode


def test_the_text_of_a_pdf_keeps_its_lines(make_pdf: PdfBuilder) -> None:
    content = read_pdf(make_pdf("INVOICE INV-1", "Total: 86,00 €"))
    assert content.text == "INVOICE INV-1\nTotal: 86,00 €"
    assert content.embedded == ()


def test_embedded_xml_files_are_taken_out_and_no_others(make_pdf: PdfBuilder) -> None:
    files = {"factur-x.xml": b"<a/>", "macro.js": b"alert(1)", "B.XML": b"<b/>"}
    assert set(read_pdf(make_pdf("Invoice", embedded=files)).embedded) == {b"<a/>", b"<b/>"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "damaged", id="empty"),
        pytest.param(b"%PDF-1.7 and nothing else", "damaged", id="head alone"),
        pytest.param(bytes(15_000_001), "too large", id="large"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_refused_with_a_reason(data: bytes, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        read_pdf(data)


def test_a_pdf_of_many_pages_is_refused(make_raw_pdf: RawPdfBuilder) -> None:
    with pytest.raises(UnreadableError, match="too many pages"):
        read_pdf(make_raw_pdf([b"<< /Length 0 >>\nstream\n\nendstream"] * 21))


def test_a_page_without_text_is_a_scan_even_with_a_stamp_on_it(make_pdf: PdfBuilder) -> None:
    assert read_pdf_document(make_pdf()).unreadable == "a scan without text"
    assert read_pdf_document(make_pdf("Scanned with CamScanner")).unreadable == "a scan without text"


def test_a_pdf_without_known_words_is_unreadable_and_not_nothing(make_pdf: PdfBuilder) -> None:
    turkish = make_pdf("Satis belgesi", "Genel bedel 86,00", "Tarih alti Mart", "Aurelia ve ortaklari kuyumculuk")
    assert read_pdf_document(turkish).unreadable == "no known words in it"


def test_a_small_file_that_asks_for_gigabytes_ends(make_raw_pdf: RawPdfBuilder, tmp_path: Path) -> None:
    twice = zlib.compress(zlib.compress(bytes(300_000_000), 9), 9)
    head = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>" % len(twice)
    bomb = tmp_path / "bomb.pdf"
    bomb.write_bytes(make_raw_pdf([b"%s\nstream\n%s\nendstream" % (head, twice)]))
    assert bomb.stat().st_size < 10_000
    assert end_of_a_limited_child(bomb) in {0, _SIGABRT, _SIGKILL, _SIGSEGV}


def test_every_hostile_file_ends(corpus: Callable[[str], Path]) -> None:
    files = sorted(path for path in corpus("hostile").iterdir() if path.suffix in {".pdf", ".xml"})
    ends = {path.name: end_of_a_limited_child(path) for path in files}
    assert len(ends) >= 10
    assert {name: end for name, end in ends.items() if end not in {0, _SIGABRT, _SIGKILL, _SIGSEGV}} == {}
