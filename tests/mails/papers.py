"""The papers that customers enclose: one shop's invoices in ten languages, as text, PDF, XML, HTML and picture."""

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape

from babel.dates import format_date
from babel.numbers import format_currency
from PIL import Image, ImageDraw, ImageFont

LOCALES = {"en": "en_US", "pt": "pt_PT", "zh": "zh_CN"}
_FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
_WORDS = {
    "en": "Invoice|Invoice no.|Date|Order|Subtotal|Shipping|Discount|Tax|Total paid|Credit note",
    "de": "Rechnung|Rechnungsnr.|Rechnungsdatum|Bestellnummer|Zwischensumme|Versand|Rabatt|MwSt.|Gesamtbetrag"
    "|Gutschrift",
    "fr": "Facture|Facture n°|Date|Commande|Sous-total|Livraison|Remise|TVA|Total TTC|Avoir",
    "es": "Factura|Factura n.º|Fecha|Pedido|Subtotal|Envío|Descuento|IVA|Total|Nota de crédito",
    "it": "Fattura|Fattura n.|Data|Ordine|Subtotale|Spedizione|Sconto|IVA|Totale|Nota di credito",
    "nl": "Factuur|Factuurnummer|Factuurdatum|Bestelnummer|Subtotaal|Verzendkosten|Korting|Btw|Totaal|Creditnota",
    "pt": "Fatura|Fatura n.º|Data|Encomenda|Subtotal|Portes|Desconto|IVA|Total|Nota de crédito",
    "pl": "Faktura|Faktura nr|Data wystawienia|Zamówienie|Suma częściowa|Wysyłka|Rabat|VAT|Razem|Faktura korygująca",
    "ja": "請求書|請求書番号|発行日|注文番号|小計|送料|割引|税|合計|返金明細書",
    "zh": "发票|发票号|日期|订单号|小计|运费|折扣|税|合计|红字发票",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What an invoice says; amounts are of the whole order."""

    language: str
    shop: str
    number: str
    order: str
    issued_on: date
    currency: str
    lines: Sequence[tuple[str, int, Decimal]]
    shipping: Decimal
    discount: Decimal
    tax: Decimal
    total: Decimal
    credit: bool = False

    def money(self, amount: Decimal) -> str:
        """A sum as printed."""
        return format_currency(amount, self.currency, locale=LOCALES.get(self.language, self.language)).replace(
            "\u202f", "\u00a0"
        )


def written(paper: Paper) -> list[str]:
    """The invoice as lines of text."""
    words = _WORDS[paper.language].split("|")
    title, number, day, order, subtotal, shipping, discount, tax, total, credit = words
    locale = LOCALES.get(paper.language, paper.language)
    rows = [f"{quantity} x {name}   {paper.money(price * quantity)}" for name, quantity, price in paper.lines]
    items = sum((price * quantity for _, quantity, price in paper.lines), Decimal(0))
    extra = [f"{discount}   -{paper.money(paper.discount)}"] if paper.discount else []
    extra += [f"{tax}   {paper.money(paper.tax)}"] if paper.tax else []
    return [
        paper.shop,
        credit if paper.credit else title,
        f"{number}: {paper.number}",
        f"{day}: {format_date(paper.issued_on, 'long', locale=locale)}",
        f"{order}: {paper.order}",
        "",
        *rows,
        f"{subtotal}   {paper.money(items)}",
        *extra,
        f"{shipping}   {paper.money(paper.shipping)}",
        f"{total}   {paper.money(paper.total)}",
    ]


def as_html(paper: Paper) -> str:
    """The invoice as a page with a table."""
    head, _, rest = "\n".join(written(paper)).partition("\n\n")
    above = "".join(f"<p>{escape(line)}</p>" for line in head.splitlines())
    cells = (line.rpartition("   ") for line in rest.splitlines())
    rows = "".join(f"<tr><td>{escape(label)}</td><td>{escape(amount)}</td></tr>" for label, _, amount in cells)
    return f"<html><head><meta charset='utf-8'></head><body>{above}<table>{rows}</table></body></html>"


def as_pdf(paper: Paper) -> bytes:
    """The invoice as a one-page PDF whose text can be taken out, in any script."""
    return write_pdf(written(paper))


def write_pdf(lines: Sequence[str]) -> bytes:
    """One page of lines; the font is named and mapped (ToUnicode), not embedded."""
    codes = {char: place for place, char in enumerate(sorted(set("".join(lines))), 1)}
    shown = "".join(f"<{''.join(f'{codes[char]:04x}' for char in line)}> Tj 0 -18 Td " for line in lines)
    mapping = "\n".join(f"<{code:04x}> <{char.encode('utf-16-be').hex()}>" for char, code in codes.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /U def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{len(codes)} beginbfchar\n{mapping}\nendbfchar\n"
        "endcmap end end"
    )
    wide = f"[1 {len(codes)} 600]"
    return _file(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        _stream(f"BT /F 11 Tf 60 780 Td {shown} ET".encode()),
        "<< /Type /Font /Subtype /Type0 /BaseFont /Courier /Encoding /Identity-H /DescendantFonts [6 0 R]"
        " /ToUnicode 8 0 R >>",
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Courier /CIDSystemInfo << /Registry (Adobe)"
        f" /Ordering (Identity) /Supplement 0 >> /FontDescriptor 7 0 R /DW 600 /W {wide} >>",
        "<< /Type /FontDescriptor /FontName /Courier /Flags 32 /FontBBox [0 -200 600 800] /ItalicAngle 0 /Ascent 800"
        " /Descent -200 /CapHeight 600 /StemV 80 >>",
        _stream(cmap.encode()),
    )


def as_scan(picture: bytes) -> bytes:
    """A PDF with nothing but a picture of the paper."""
    with Image.open(io.BytesIO(picture)) as image:
        wide, high = image.size
        data = zlib.compress(image.convert("L").tobytes(), 9)
    head = (
        f"<< /Type /XObject /Subtype /Image /Width {wide} /Height {high} /ColorSpace /DeviceGray /BitsPerComponent 8"
        f" /Filter /FlateDecode /Length {len(data)} >>\nstream\n"
    )
    return _file(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /XObject << /I 5 0 R >> >> >>",
        _stream(b"q 555 0 0 %d 20 250 cm /I Do Q" % (555 * high // wide)),
        head.encode() + data + b"\nendstream",
    )


def as_picture(paper: Paper, *, turned: float = 0, form: str = "PNG") -> bytes:
    """A picture of the paper, perhaps lying askew; Latin script only."""
    lines = written(paper)
    image = Image.new("L", (900, 60 + 44 * len(lines)), 250)
    pen, font = ImageDraw.Draw(image), ImageFont.truetype(_FONT, 26)
    for place, line in enumerate(lines):
        label, _, amount = line.rpartition("   ")
        pen.text((50, 40 + 44 * place), label or line, fill=20, font=font)
        if label:
            pen.text((620, 40 + 44 * place), amount, fill=20, font=font)
    if turned:
        image = image.rotate(turned, expand=True, fillcolor=120, resample=Image.Resampling.BICUBIC)
    out = io.BytesIO()
    image.quantize(16).save(out, "PNG") if form == "PNG" else image.save(out, "JPEG", quality=60)
    return out.getvalue()


def as_ubl(paper: Paper) -> bytes:
    """The invoice as UBL 2.1."""
    lines = "".join(
        f"<cac:InvoiceLine><cbc:ID>{place}</cbc:ID><cbc:InvoicedQuantity>{quantity}</cbc:InvoicedQuantity>"
        f'<cbc:LineExtensionAmount currencyID="{paper.currency}">{price * quantity}</cbc:LineExtensionAmount>'
        f"<cac:Item><cbc:Name>{escape(name)}</cbc:Name></cac:Item></cac:InvoiceLine>"
        for place, (name, quantity, price) in enumerate(paper.lines, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"'
        ' xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"'
        ' xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">'
        f"<cbc:ID>{paper.number}</cbc:ID><cbc:IssueDate>{paper.issued_on}</cbc:IssueDate>"
        f"<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>"
        f"<cbc:DocumentCurrencyCode>{paper.currency}</cbc:DocumentCurrencyCode>"
        f"<cac:OrderReference><cbc:ID>{paper.order}</cbc:ID></cac:OrderReference>"
        f'<cac:LegalMonetaryTotal><cbc:TaxInclusiveAmount currencyID="{paper.currency}">{paper.total}'
        f'</cbc:TaxInclusiveAmount><cbc:PayableAmount currencyID="{paper.currency}">{paper.total}</cbc:PayableAmount>'
        f"</cac:LegalMonetaryTotal>{lines}</Invoice>\n"
    ).encode()


def as_cii(paper: Paper) -> bytes:
    """The invoice as UN/CEFACT CII, as in ZUGFeRD and Factur-X."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"'
        ' xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"'
        ' xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">'
        f"<rsm:ExchangedDocument><ram:ID>{paper.number}</ram:ID><ram:TypeCode>380</ram:TypeCode>"
        f'<ram:IssueDateTime><udt:DateTimeString format="102">{paper.issued_on:%Y%m%d}</udt:DateTimeString>'
        "</ram:IssueDateTime></rsm:ExchangedDocument><rsm:SupplyChainTradeTransaction><ram:ApplicableHeaderTradeAgreement>"
        f"<ram:BuyerOrderReferencedDocument><ram:IssuerAssignedID>{paper.order}</ram:IssuerAssignedID>"
        "</ram:BuyerOrderReferencedDocument></ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeSettlement>"
        f"<ram:InvoiceCurrencyCode>{paper.currency}</ram:InvoiceCurrencyCode>"
        f"<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:GrandTotalAmount>{paper.total}"
        f"</ram:GrandTotalAmount><ram:DuePayableAmount>{paper.total}</ram:DuePayableAmount>"
        "</ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>"
        "</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>\n"
    ).encode()


def _stream(content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(packed) + packed + b"\nendstream"


def _file(*objects: str | bytes) -> bytes:
    out, places = bytearray(b"%PDF-1.5\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + (content.encode() if isinstance(content, str) else content) + b"\nendobj\n"
    start = len(out)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1) + table
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, start)
    return bytes(out)
