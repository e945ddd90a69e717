"""Small builders of the papers that customers of a jewellery shop send."""

from collections.abc import Callable, Mapping

import pytest

from tests.understand.writing_pdf import lines_of_text, write_pdf

PdfBuilder = Callable[..., bytes]


@pytest.fixture(scope="session")
def make_pdf() -> PdfBuilder:
    """Give a function from lines of text, and files to embed by name, to the bytes of a one-page PDF."""

    def build(*lines: str, embedded: Mapping[str, bytes] | None = None) -> bytes:
        return write_pdf([lines_of_text(lines)], embedded or {})

    return build


@pytest.fixture(scope="session")
def make_raw_pdf() -> Callable[[list[bytes]], bytes]:
    """Give a function from the content streams of pages, dictionaries included, to the bytes of a PDF."""
    return lambda contents: write_pdf(contents, {})
