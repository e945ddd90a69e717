import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import mailbot
from mailbot.understand.invoice_lexicon import invoice_lexicon
from mailbot.understand.invoice_papers import read_pdf_document
from mailbot.understand.invoice_pdf import read_pdf
from mailbot.understand.invoice_rows import read_rows
from mailbot.understand.pdf_bounds import check_bounds
from mailbot.understand.unreadable import UnreadableError
from tests.understand.writing_pdf import lines_of_text

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


def streams(*sizes: int) -> bytes:
    return b"".join(b"<< >>\nstream\n%s\nendstream\n" % zlib.compress(bytes(size), 1) for size in sizes)


def layers(count: int) -> bytes:
    packed = b"x" * 100
    for _ in range(count):
        packed = zlib.compress(packed)
    return b"<< >>\nstream\n%s\nendstream" % packed


_MB = 1024 * 1024


@pytest.mark.parametrize(
    ("within", "beyond", "why"),
    [
        pytest.param(streams(32 * _MB), streams(32 * _MB + 1), "unpacks to too much", id="a stream"),
        pytest.param(streams(*[25 * _MB] * 4), streams(*[25 * _MB] * 4, 1), "unpacks to too much", id="in all"),
        pytest.param(layers(10), layers(11), "packed too many times", id="layers"),
        pytest.param(b"<<[" * 50 + b"]>>" * 50, b"<<[" * 50 + b"[", "lie too deep", id="depth"),
        pytest.param(b"[]" * 999_000, b"[]" * 1_000_001, "lie too deep", id="brackets"),
        pytest.param(b"stream\nx\x9c" * 2, b"stream\nx\x9c" * 100_000, "streams are damaged", id="tried"),
    ],
)
def test_a_pdf_beyond_a_limit_is_refused_before_it_is_opened(within: bytes, beyond: bytes, why: str) -> None:
    check_bounds(within)
    with pytest.raises(UnreadableError, match=why):
        read_pdf(b"%PDF-1.7\n" + beyond)


def test_no_more_than_ten_embedded_files_of_5_mb_are_taken_out(make_pdf: PdfBuilder) -> None:
    files = {f"{at:02}.xml": b"<a/>" for at in range(12)}
    assert len(read_pdf(make_pdf("Invoice", embedded=files)).embedded) == 10
    sizes = {"a.xml": bytes(5_000_000), "b.xml": bytes(5_000_001)}
    assert [len(each) for each in read_pdf(make_pdf("Invoice", embedded=sizes)).embedded] == [5_000_000]


def test_the_text_of_a_paper_ends_at_200_kb(make_raw_pdf: RawPdfBuilder) -> None:
    page = lines_of_text(["x" * 100] * 1_500)
    assert len(read_pdf(make_raw_pdf([page, page])).text) <= 200_001


@pytest.mark.parametrize(
    ("before", "beyond"),
    [
        pytest.param("a\n" * 4_990, "a\n" * 5_000, id="rows"),
        pytest.param("a" * 900 + " ", "a" * 1_000 + " ", id="row"),
    ],
)
def test_a_sum_beyond_the_rows_that_are_read_is_none(before: str, beyond: str) -> None:
    within, behind = (read_rows(f"{text}Total: 86.00 USD", invoice_lexicon()) for text in (before, beyond))
    assert [(amount.whole, amount.fraction) for row in within for amount in row.amounts] == [("86", "00")]
    assert [row.amounts for row in behind if row.amounts] == []


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
