"""How well photographed and scanned invoices are read: layouts, languages and distortions, all drawn on the spot.

``make pictures`` prints the share of fields that come out right, and the CPU seconds of a page.
"""

import argparse
import time
from collections import Counter

from mailbot.model.picture import Sight
from mailbot.sandbox.pixels import open_picture
from mailbot.sandbox.sight import Eyes
from mailbot.understand.invoice_papers import Document, read_seen_document
from tests.sandbox.photographed import DISTORTIONS, LANGUAGES, LAYOUTS, Invoice, an_invoice, drawn, encoded

FIELDS = ("number", "issued_on", "amount", "currency", "order")


def main() -> None:
    """Print a line for each distortion."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="invoices for each layout, language and distortion")
    parser.add_argument("--faults", action="store_true", help="name what is not right")
    arguments = parser.parse_args()
    eyes, total, right = Eyes(), 0, Counter[str]()
    print(f"{'distortion':<20}{'pages':>6}" + "".join(f"{field:>11}" for field in FIELDS) + f"{'CPU s/page':>12}")
    for distortion, distort in DISTORTIONS.items():
        pages, found, start = 0, Counter[str](), time.process_time()
        for layout, lay_out in LAYOUTS.items():
            for language in LANGUAGES:
                for seed in range(arguments.seeds):
                    invoice = an_invoice(language, seed + hash_of(distortion, layout))
                    page = distort(drawn(lay_out(invoice)), seed + len(layout))
                    seen = eyes.look(open_picture(encoded(page)))
                    agreed = agreeing(invoice, read_seen_document(Sight(pages=(seen,))))
                    pages += 1
                    found.update(field for field in FIELDS if agreed[field])
                    if arguments.faults and not all(agreed.values()):
                        print(f"  {layout} {language} {distortion}: {[field for field in FIELDS if not agreed[field]]}")
        spent = (time.process_time() - start) / pages
        print(f"{distortion:<20}{pages:>6}" + "".join(f"{found[f] / pages:>11.1%}" for f in FIELDS) + f"{spent:>12.1f}")
        total += pages
        right.update(found)
    print(f"{'all':<20}{total:>6}" + "".join(f"{right[field] / total:>11.1%}" for field in FIELDS))


def hash_of(*words: str) -> int:
    """The same number for the same words in every run."""
    return sum(ord(char) for char in "".join(words))


def agreeing(invoice: Invoice, read: Document) -> dict[str, bool]:
    """Which fields were read as printed."""
    return {
        "number": read.number == invoice.number,
        "issued_on": read.issued_on == invoice.issued_on,
        "amount": read.amount == invoice.amount,
        "currency": read.currency == invoice.currency,
        "order": invoice.order in read.references,
    }


if __name__ == "__main__":
    main()
