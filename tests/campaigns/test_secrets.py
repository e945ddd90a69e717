"""T16: neither card numbers nor planted secrets are in the database, in a letter or in a log."""

import json
import logging
import sqlite3
import zlib
from pathlib import Path
from random import Random

import pytest
import structlog
import zstandard

from mailbot.inbound.mime import parse_mail
from mailbot.logs import set_up_logs
from mailbot.model.book import parse_booked_order
from mailbot.steps.explaining import explain
from mailbot.steps.parking import park
from mailbot.store.tables import MailRow, RawMailRow
from mailbot.store.transaction import transaction
from tests.campaigns.cards import ENCODINGS, NOTATIONS, a_card, a_mail_with, digits_of
from tests.campaigns.desk import Desk, open_desk, text_of
from tests.hostile.mails import attached
from tests.journey.mails import an_invoice, an_order
from tests.understand.writing_pdf import lines_of_text, write_pdf


def stored_text(desk: Desk, folder: Path) -> str:
    """Everything that the database holds: its files as they are, and every compressed mail unpacked."""
    pieces = [path.read_bytes().decode("latin-1") for path in folder.glob("desk.db*") if path.is_file()]
    unpack = zstandard.ZstdDecompressor()
    pieces += [
        unpack.decompress(raw.content, max_output_size=raw.size).decode("utf-8", "replace")
        for raw in desk.rows(RawMailRow)
    ]
    return "\n".join(pieces)


def test_no_card_number_is_kept_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = Random(16)
    cards: list[str] = []
    raws: list[bytes] = []
    for number, (notation, write) in enumerate(NOTATIONS.items()):
        for encoding in ENCODINGS:
            card = a_card(chance)
            cards.append(card)
            subtype = "html" if notation in {"entities", "tags"} else "plain"
            text = f"I want a refund for AW-{10001 + number}. My card is {write(card)}, cvv 123. Thank you."
            field = card if number % 3 == 0 else ""
            raws.append(
                a_mail_with(text, subtype=subtype, encoding=encoding, field=field).replace(
                    b"<4111111111111111@", f"<{len(raws)}@".encode()
                )
            )
    set_up_logs(verbose=True)
    with open_desk(tmp_path) as desk:
        sent = desk.answers(*raws)
        assert {row.state for row in desk.rows(MailRow)} == {"handled"}
        kept = desk.rows(MailRow)
        texts = [row.reading for row in kept]
        assert desk.broken() == []
        whole = stored_text(desk, tmp_path)
        with sqlite3.connect(tmp_path / "desk.db") as link:
            dump = "\n".join(link.iterdump())
    structlog.reset_defaults()
    said = capsys.readouterr()
    places = {
        "mails": digits_of("\n".join(texts)),
        "database": whole,
        "dump": dump,
        "letters": "\n".join(text_of(envelope) for envelope in sent),
        "logs": said.err + said.out,
    }
    assert [(card, name) for name, text in places.items() for card in cards if card in text] == []
    grouped = [f"{card[:4]} {card[4:8]} {card[8:12]} {card[12:]}" for card in cards]
    assert [(card, name) for name, text in places.items() for card in grouped if card in text] == []


def test_numbers_of_known_orders_and_invoices_stay(tmp_path: Path) -> None:
    with open_desk(tmp_path) as desk:
        known = "4111111111111111"
        booked = an_order(desk.now)
        desk.sells([booked, parse_booked_order(_form(known))])
        desk.answers(a_mail_with(f"Refund AW-10001, invoice {known} please.", subtype="plain", encoding="base64"))
        row = desk.rows(MailRow)[0]
        assert known in row.reading
        raw = desk.rows(RawMailRow)[0]
        assert row.sha256 == raw.sha256


def _form(invoice: str) -> dict[str, object]:
    return {
        "number": "AW-10002",
        "status": "paid",
        "customer": {"name": "K", "email": "k@example.org"},
        "invoice_number": invoice,
        "paid_at": "2026-03-09T12:00:00+00:00",
        "shipped_at": None,
        "delivered_at": None,
        "currency": "USD",
        "shipping": "0.00",
        "captured": "1.00",
        "refunded": "0.00",
        "payment_method": "card",
        "transaction_fee": None,
        "dispute_open": False,
        "lines": [{"sku": "X", "quantity": 1, "unit_price": "1.00", "discount": "0.00", "tax": "0.00"}],
    }


@pytest.mark.parametrize(
    ("shown", "left"),
    [
        ("Card 4111 1111 1111 1111", b"[The file was removed: it showed payment card numbers.]\r\n"),
        ("Paid by card 4111 **** **** 1111", None),
        ("GLN 4012345001235", None),
    ],
)
def test_a_pdf_that_shows_a_card_number_goes_whole_and_its_facts_stay(
    tmp_path: Path, shown: str, left: bytes | None
) -> None:
    pdf = write_pdf([lines_of_text([*an_invoice().splitlines(), shown])], {})
    with open_desk(tmp_path) as desk:
        desk.sells([an_order(desk.now)])
        desk.answers(attached(pdf, "application/pdf", "invoice.pdf"))
        row, raw = desk.rows(MailRow)[0], desk.rows(RawMailRow)[0]
        stored = zstandard.ZstdDecompressor().decompress(raw.content, max_output_size=raw.size)
        assert json.loads(row.reading)["invoices"][0]["number"] == "INV-10001"
        assert "4111111111111111" not in digits_of(row.reading)
    assert [each.data for each in parse_mail(stored).attachments] == [left or pdf]


def test_a_second_delivery_of_a_mail_with_a_card_number_is_the_same_mail(tmp_path: Path) -> None:
    raw = a_mail_with("Refund AW-10001. Card 4111 1111 1111 1111", subtype="plain", encoding="8bit")
    with open_desk(tmp_path) as desk:
        desk.answers(raw)
        desk.answers(b"Received: from x by y; z\r\n" + raw)
        assert [row.state for row in desk.rows(MailRow)] == ["handled", "duplicate"]
        assert not [
            raw
            for raw in desk.rows(RawMailRow)
            if b"4111 1111" in zstandard.ZstdDecompressor().decompress(raw.content, max_output_size=raw.size)
        ]


SECRETS = [f"s3cret-{zlib.crc32(bytes([number])):08x}-{number:03d}" for number in range(200)]
NAMES = ("password", "token", "body", "subject", "sender", "recipient", "text", "authorization", "url", "data")


def test_planted_secrets_do_not_reach_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(verbose=True)
    log = structlog.get_logger()
    for number, secret in enumerate(SECRETS):
        log.info("mail_handled", mail_id=number, **{NAMES[number % len(NAMES)]: secret})
        log.warning(
            "mail_failed", mail_id=number, problem=f"550 {secret[:3]} <jane{number}@example.org> 4111111111111111"
        )
        try:
            int(secret)
        except ValueError:
            log.exception("job_broken", why="receive")
    structlog.reset_defaults()
    logging.shutdown()
    said = "".join(capsys.readouterr())
    assert said.count("mail_handled") == 200
    assert not [secret for secret in SECRETS if secret in said]
    assert "@example.org" not in said
    assert "4111111111111111" not in said


def test_a_dry_run_and_a_parked_mail_show_no_card_number(tmp_path: Path) -> None:
    text = "I want a refund for AW-10001, I changed my mind, card 4111 1111 1111 1111."
    with open_desk(tmp_path) as desk:
        raw = a_mail_with(text, subtype="plain", encoding="base64")
        reading = desk.app.judgement.sandbox.submit(raw, desk.now).result()
        form = explain(desk.app.judgement, "x.eml", reading, desk.now, lambda _: {}).form
        assert "4111 1111 1111 1111" not in json.dumps(form)
        assert form["sender"]["flags"] == []
        desk.gets([a_mail_with(text, subtype="plain", encoding="8bit")])
        with transaction(desk.app.engine) as session:
            park(desk.app, session, session.get_one(MailRow, 1), "a test")
        kept = desk.rows(RawMailRow)[0]
        assert b"1111 1111" not in zstandard.ZstdDecompressor().decompress(kept.content, max_output_size=kept.size)
        assert desk.broken() == []
