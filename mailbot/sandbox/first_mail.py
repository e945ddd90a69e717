"""A mail that nobody sent: read once before any child is forked, so that each begins with all that reading loads."""

from datetime import UTC, datetime

from mailbot.sandbox.rules import request_bytes

_RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_ASKS = {
    "de": "ich möchte meine Bestellung 10231 zurückgeben und mein Geld zurück. Der Verschluss ist kaputt.",
    "en": "I would like to return my order 10231 and get a refund. The clasp is broken.",
    "es": "quiero devolver mi pedido 10231 y que me devuelvan el dinero. El cierre está roto.",
    "fr": "je souhaite retourner ma commande 10231 et être remboursé. Le fermoir est cassé.",
    "it": "vorrei restituire il mio ordine 10231 e avere il rimborso. La chiusura è rotta.",
    "ja": "注文10231を返品して、返金してほしいです。留め金が壊れています。",
    "nl": "ik wil mijn bestelling 10231 graag retourneren en mijn geld terug. De sluiting is kapot.",
    "pl": "chcę zwrócić zamówienie 10231 i otrzymać zwrot pieniędzy. Zapięcie jest zepsute.",
    "pt": "quero devolver a minha encomenda 10231 e receber o reembolso. O fecho está partido.",
    "zh": "我想退回订单10231并退款。扣子坏了。",
}


def first_request(language: str) -> bytes:
    """The mail as it goes to a child, in the shop's language where it has one, else in English."""
    text = _ASKS.get(language, _ASKS["en"])
    return request_bytes(
        "From: nobody@mail.example\r\nTo: nobody@shop.example\r\nSubject: 10231\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/html; charset=utf-8\r\n\r\n<p>{text}</p>\r\n".encode(),
        _RECEIVED_AT,
    )
