"""What a stranger can learn by trying: nothing, whatever exists, whatever he sends first or later."""

from pathlib import Path

import pytest

from tests.campaigns.desk import Desk, message_of, open_desk, text_of
from tests.journey.mails import a_mail, an_invoice, an_order

MALLORY = "mallory@elsewhere.example"
KNOWN, UNKNOWN = "AW-10001", "AW-77777"
TEXT = "I would like to return my order {number} for a refund. I changed my mind."


def heard(desk: Desk, *raws: bytes) -> list[tuple[str, str]]:
    """What the stranger gets back: subject and text."""
    sent = [envelope for envelope in desk.answers(*raws) if envelope.recipient == MALLORY]
    return [(str(message_of(envelope)["Subject"]), text_of(envelope)) for envelope in sent]


def told(folder: Path, number: str, *, invoice: bool) -> list[list[tuple[str, str]]]:
    """All that a stranger hears who first names no order, then one in the same thread a day later, then anew."""
    with open_desk(folder, name=number.lower()) as desk:
        desk.sells([an_order(desk.now, KNOWN)])
        paper = an_invoice(number) if invoice else None
        first = desk.answers(a_mail("I want a refund for my ring.", sender=MALLORY))
        thread = str(message_of(first[0])["Message-ID"])
        hours = []
        for wait in (1, 25, 49):
            desk.forward(hours=wait)
            later = a_mail(TEXT.format(number=number), sender=MALLORY, answers=thread, invoice=paper)
            hours.append(heard(desk, later))
        desk.forward(hours=25)
        hours.append(heard(desk, a_mail(TEXT.format(number=number), sender=MALLORY, invoice=paper)))
        assert desk.broken() == []
        return hours


@pytest.mark.parametrize("invoice", [True, False], ids=["with an invoice", "without one"])
def test_a_known_order_and_an_unknown_one_are_answered_alike_at_every_turn(quick_path: Path, *, invoice: bool) -> None:
    known, unknown = told(quick_path, KNOWN, invoice=invoice), told(quick_path, UNKNOWN, invoice=invoice)
    assert known == unknown
    assert [len(letters) for letters in known] == [0, 0, 0, 1]
