"""A mail that nobody sent: read once before any child is forked, so that each begins with all that reading loads.

It says what customers say most, so that the phrases for that are compiled once and not by each child.
"""

from datetime import UTC, datetime

from mailbot.sandbox.rules import request_bytes

_RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_ASKS = {
    "de": (
        "ich möchte meine Bestellung 10231 zurückgeben und mein Geld zurück.",
        "Ich habe es mir anders überlegt, der Ring gefällt mir nicht und passt nicht.",
        "Der Verschluss ist nach drei Tagen kaputtgegangen.",
        "Das Paket ist noch nicht angekommen.",
        "Ich habe aus Versehen das Falsche bestellt.",
        "Er ist ungetragen und in der Originalverpackung, die Rechnung liegt bei.",
        "Bitte sagen Sie mir, wie es weitergeht.",
        "Vielen Dank und freundliche Grüße",
    ),
    "en": (
        "I would like to return my order 10231 and get a refund.",
        "I changed my mind, the ring does not suit me and does not fit.",
        "The clasp broke after three days.",
        "The parcel never arrived, the tracking has not moved for two weeks.",
        "I ordered the wrong one by mistake.",
        "It is unworn and in its original box, the invoice is attached.",
        "Please tell me how this goes on and how long it takes.",
        "Thank you and kind regards",
    ),
    "es": (
        "quiero devolver mi pedido 10231 y que me devuelvan el dinero.",
        "He cambiado de opinión, el anillo no me gusta y no me queda bien.",
        "El cierre se rompió a los tres días.",
        "El paquete no ha llegado todavía.",
        "Me equivoqué al hacer el pedido.",
        "Está sin usar y en su caja original, adjunto la factura.",
        "Por favor, díganme cómo sigue esto y cuánto tarda.",
        "Muchas gracias y un saludo",
    ),
    "fr": (
        "je souhaite retourner ma commande 10231 et être remboursé.",
        "J'ai changé d'avis, la bague ne me plaît pas et ne me va pas.",
        "Le fermoir s'est cassé au bout de trois jours.",
        "Le colis n'est jamais arrivé.",
        "Je me suis trompé en commandant.",
        "Elle n'a pas été portée et elle est dans sa boîte d'origine, la facture est jointe.",
        "Dites-moi s'il vous plaît comment cela continue.",
        "Merci d'avance, cordialement",
    ),
    "it": (
        "vorrei restituire il mio ordine 10231 e avere il rimborso.",
        "Ho cambiato idea, l'anello non mi piace e non mi sta bene.",
        "La chiusura si è rotta dopo tre giorni.",
        "Il pacco non è mai arrivato.",
        "Ho ordinato per errore quello sbagliato.",
        "È mai indossato e nella scatola originale, allego la fattura.",
        "Per favore ditemi come si procede.",
        "Grazie mille e cordiali saluti",
    ),
    "ja": (
        "注文10231を返品して、返金してほしいです。",
        "気が変わりました。指輪が合わず、気に入りません。",
        "三日後に留め金が壊れました。",
        "荷物がまだ届いていません。",
        "間違えて注文してしまいました。",
        "未使用で、元の箱に入っています。請求書を添付します。",
        "今後の手続きを教えてください。",
        "よろしくお願いいたします。",
    ),
    "nl": (
        "ik wil mijn bestelling 10231 graag retourneren en mijn geld terug.",
        "Ik heb me bedacht, de ring bevalt me niet en past niet.",
        "De sluiting is na drie dagen kapotgegaan.",
        "Het pakket is nooit aangekomen.",
        "Ik heb per ongeluk de verkeerde besteld.",
        "Hij is ongedragen en zit in de originele doos, de factuur zit erbij.",
        "Laat me weten hoe dit verder gaat.",
        "Alvast bedankt en vriendelijke groeten",
    ),
    "pl": (
        "chcę zwrócić zamówienie 10231 i otrzymać zwrot pieniędzy.",
        "Zmieniłam zdanie, pierścionek mi się nie podoba i nie pasuje.",
        "Zapięcie zepsuło się po trzech dniach.",
        "Paczka nigdy nie dotarła.",
        "Zamówiłam przez pomyłkę niewłaściwy.",
        "Jest nienoszony i w oryginalnym pudełku, faktura w załączniku.",
        "Proszę o informację, co dalej.",
        "Dziękuję i pozdrawiam",
    ),
    "pt": (
        "quero devolver a minha encomenda 10231 e receber o reembolso.",
        "Mudei de ideias, o anel não me agrada e não me serve.",
        "O fecho partiu-se ao fim de três dias.",
        "A encomenda nunca chegou.",
        "Encomendei por engano o errado.",
        "Não foi usado e está na caixa original, a fatura segue em anexo.",
        "Digam-me por favor como isto continua.",
        "Obrigado e cumprimentos",
    ),
    "zh": (
        "我想退回订单10231并退款。",
        "我改变主意了。戒指不合适。我不喜欢。",
        "三天后扣子坏了。",
        "包裹一直没有收到。",
        "我不小心订错了。",
        "没有戴过。在原来的盒子里。附上发票。",
        "请告诉我接下来怎么办。",
        "谢谢。祝好",
    ),
}


def first_request(language: str) -> bytes:
    """The mail as it goes to a child, in the shop's language where it has one, else in English."""
    sentences = _ASKS.get(language, _ASKS["en"])
    text = "</p><p>".join(sentences)
    return request_bytes(
        "From: nobody@mail.example\r\nTo: nobody@shop.example\r\nSubject: 10231\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/html; charset=utf-8\r\n\r\n<p>{text}</p>\r\n".encode(),
        _RECEIVED_AT,
    )
