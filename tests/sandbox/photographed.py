"""Invoices of several layouts and languages, drawn on the spot and then photographed badly."""

import io
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import pypdfium2
from PIL import Image, ImageFilter

from tests.understand.writing_pdf import PlacedText, placed_text, write_pdf


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What one invoice says, and in which words."""

    language: str
    number: str
    order: str
    issued_on: date
    amount: Decimal
    currency: str


_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "INVOICE",
        "Invoice no.",
        "Invoice date",
        "Order number",
        "Item",
        "Qty",
        "Amount",
        "Subtotal",
        "Shipping",
        "Total",
    ),
    "de": (
        *("Rechnung", "Rechnungsnummer", "Rechnungsdatum", "Bestellnummer", "Artikel", "Menge", "Betrag"),
        *("Zwischensumme", "Versand", "Gesamtbetrag"),
    ),
    "fr": (
        *("FACTURE", "Facture n°", "Date de facture", "N° de commande", "Article", "Quantité", "Montant"),
        *("Sous-total", "Frais de port", "Total TTC"),
    ),
    "es": (
        *("FACTURA", "Nº de factura", "Fecha de factura", "Nº de pedido", "Artículo", "Cantidad", "Importe"),
        *("Subtotal", "Gastos de envío", "Total"),
    ),
    "it": (
        *("Fattura", "Numero fattura", "Data fattura", "Numero ordine", "Articolo", "Quantità", "Importo"),
        *("Subtotale", "Spedizione", "Totale"),
    ),
    "nl": (
        *("Factuur", "Factuurnummer", "Factuurdatum", "Bestelnummer", "Artikel", "Aantal", "Bedrag"),
        *("Subtotaal", "Verzendkosten", "Totaal"),
    ),
    "pt": (
        *("Fatura", "Nº da fatura", "Data da fatura", "Nº da encomenda", "Artigo", "Quantidade", "Valor"),
        *("Subtotal", "Portes de envio", "Total"),
    ),
}
LANGUAGES = tuple(_WORDS)
_SHIPPING = Decimal("6.00")


def an_invoice(language: str, seed: int) -> Invoice:
    """An invoice by chance."""
    chance = random.Random(f"{language}{seed}")
    return Invoice(
        language=language,
        number=f"INV-{chance.randrange(2024, 2027)}-{chance.randrange(10_000):04d}",
        order=f"AW-{chance.randrange(10_000, 100_000)}",
        issued_on=date(chance.randrange(2024, 2027), chance.randrange(1, 13), chance.randrange(1, 29)),
        amount=Decimal(chance.randrange(2_000, 300_000)) / 100,
        currency="USD" if language == "en" else "EUR",
    )


def _money(invoice: Invoice, amount: Decimal) -> str:
    if invoice.language == "en":
        return f"${amount:,.2f}"
    text = f"{amount:,.2f}".replace(",", " ").replace(".", ",")
    return f"{text.replace(' ', '.' if invoice.language != 'fr' else ' ')} €"


def _day(invoice: Invoice) -> str:
    return invoice.issued_on.strftime("%B %d, %Y" if invoice.language == "en" else "%d.%m.%Y")


def _rows(invoice: Invoice) -> list[tuple[str, str, str]]:
    item, quantity, amount, subtotal, shipping, total = _WORDS[invoice.language][4:]
    goods = invoice.amount - _SHIPPING
    return [
        (item, quantity, amount),
        ("Silver Leaf Ring", "1", _money(invoice, goods - 5)),
        ("Polishing cloth", "1", _money(invoice, Decimal(5))),
        ("", subtotal, _money(invoice, goods)),
        ("", shipping, _money(invoice, _SHIPPING)),
        ("", total, _money(invoice, invoice.amount)),
    ]


def letter(invoice: Invoice) -> bytes:
    """A letter: address, labels beside their values, a table, totals on the right."""
    title, number, day, order = _WORDS[invoice.language][:4]
    texts: list[PlacedText] = [(18, 60, 770, "Aurelia & Wren"), (9, 60, 754, "12 Harbour Lane, Portland, ME 04101")]
    texts += [(10, 60, 700 - 14 * at, line) for at, line in enumerate(("Jane Doe", "1 Main Street", "10115 Berlin"))]
    texts.append((16, 60, 620, title))
    for at, (label, value) in enumerate(((number, invoice.number), (day, _day(invoice)), (order, invoice.order))):
        texts += [(10, 340, 700 - 15 * at, f"{label}:"), (10, 450, 700 - 15 * at, value)]
    for at, (item, quantity, amount) in enumerate(_rows(invoice)):
        texts += [(10, 60, 580 - 20 * at, item), (10, 340, 580 - 20 * at, quantity), (10, 470, 580 - 20 * at, amount)]
    texts.append((8, 60, 80, "Aurelia & Wren LLC, support@shop.example, www.shop.example, Tel. +1 207 555 0142"))
    return write_pdf([placed_text([text for text in texts if text[3]])], {})


def headings(invoice: Invoice) -> bytes:
    """Labels as headings over their values, as accounting programs print them."""
    title, number, day, order = _WORDS[invoice.language][:4]
    texts: list[PlacedText] = [(20, 380, 770, title), (12, 60, 770, "Aurelia & Wren")]
    for at, (label, value) in enumerate(((number, invoice.number), (day, _day(invoice)), (order, invoice.order))):
        texts += [(9, 60 + 170 * at, 690, label), (11, 60 + 170 * at, 674, value)]
    for at, (item, quantity, amount) in enumerate(_rows(invoice)):
        texts += [(11, 60, 620 - 22 * at, item), (11, 300, 620 - 22 * at, quantity), (11, 460, 620 - 22 * at, amount)]
    return write_pdf([placed_text([text for text in texts if text[3]])], {})


def receipt(invoice: Invoice) -> bytes:
    """A till receipt: narrow, everything below one another."""
    title, number, day, order = _WORDS[invoice.language][:4]
    texts: list[PlacedText] = [(12, 60, 470, "Aurelia & Wren"), (11, 80, 450, title)]
    head = (f"{number} {invoice.number}", f"{day} {_day(invoice)}", f"{order} {invoice.order}")
    texts += [(9, 20, 425 - 14 * at, line) for at, line in enumerate(head)]
    for at, (item, quantity, amount) in enumerate(_rows(invoice)[1:]):
        label = f"{quantity} x {item}" if item else quantity
        texts += [(9, 20, 370 - 15 * at, label), (9, 170, 370 - 15 * at, amount)]
    return write_pdf([placed_text(texts)], {}, size=(240, 500))


LAYOUTS: Mapping[str, Callable[[Invoice], bytes]] = {"letter": letter, "headings": headings, "receipt": receipt}


def drawn(pdf: bytes, dots_per_inch: int = 150) -> Image.Image:
    """The first page as a scanner sees it."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        page: Image.Image = document[0].render(scale=dots_per_inch / 72).to_pil().convert("RGB")
    finally:
        document.close()
    return page


def turned(page: Image.Image, degrees: float) -> Image.Image:
    """Laid down askew, or on its side."""
    return page.rotate(degrees, expand=True, fillcolor=(170, 160, 150), resample=Image.Resampling.BICUBIC)


def blurred(page: Image.Image, radius: float) -> Image.Image:
    """Out of focus."""
    return page.filter(ImageFilter.GaussianBlur(radius))


def shaded(page: Image.Image) -> Image.Image:
    """In poor light, with the shadow of a hand over the middle."""
    pixels = np.asarray(page).astype(np.float32)
    high, wide, _ = pixels.shape
    light = np.linspace(1.0, 0.4, wide)[None, :, None] * np.linspace(1.0, 0.75, high)[:, None, None]
    light[int(high * 0.3) : int(high * 0.6), int(wide * 0.4) :] *= 0.6
    return Image.fromarray((pixels * light).clip(0, 255).astype(np.uint8))


def photographed(page: Image.Image, seed: int) -> Image.Image:
    """From aside, on a table, in grainy light."""
    chance = np.random.default_rng(seed)
    wide, high = page.width * 5 // 4, page.height * 5 // 4
    table = Image.new("RGB", (wide, high), (120, 95, 70))
    table.paste(page, (page.width // 8, page.height // 8))
    shift = chance.uniform(0, 0.07, 8)
    corners = (
        *(shift[0] * wide, shift[1] * high, shift[2] * wide, high - shift[3] * high),
        *(wide - shift[4] * wide, high - shift[5] * high, wide - shift[6] * wide, shift[7] * high),
    )
    seen = table.transform((wide, high), Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    grain = np.asarray(blurred(seen, 0.8)).astype(np.float32) + chance.normal(0, 6, (high, wide, 3))
    return Image.fromarray(grain.clip(0, 255).astype(np.uint8))


DISTORTIONS: Mapping[str, Callable[[Image.Image, int], Image.Image]] = {
    "straight": lambda page, _: page,
    "askew": lambda page, seed: turned(page, (-1) ** seed * (1.5 + seed % 6)),
    "on its left side": lambda page, _: turned(page, 90),
    "on its head": lambda page, _: turned(page, 180),
    "on its right side": lambda page, seed: turned(page, 270 + seed % 3),
    "blurred": lambda page, seed: blurred(page, 1.3 + seed % 4 * 0.2),
    "shaded": lambda page, _: blurred(shaded(page), 0.7),
    "photographed": photographed,
}


def encoded(page: Image.Image, form: str = "JPEG") -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    page.save(out, form, quality=60)
    return out.getvalue()


def scanned(page: Image.Image) -> bytes:
    """A PDF with nothing but the picture."""
    out = io.BytesIO()
    page.save(out, "PDF", resolution=150)
    return out.getvalue()


def a_photo_of_goods(seed: int) -> Image.Image:
    """A broken ring, more or less: shapes and no word."""
    chance = np.random.default_rng(seed)
    ground = Image.fromarray(chance.integers(90, 170, (300, 400, 3), dtype=np.uint8)).resize((1600, 1200))
    ring = Image.new("L", ground.size, 0)
    for at in range(40):
        ring.paste(180 + at, (600 + at * 4, 300 + at * 3, 1000 - at * 4, 760 - at * 2))
    ground.paste((200, 200, 210), (0, 0), ring.filter(ImageFilter.GaussianBlur(12)))
    return ground
