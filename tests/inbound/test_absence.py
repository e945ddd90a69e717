"""Absence notices that no header marks, in ten languages and more; and people's mails that look a little like them."""

import pytest

from mailbot.inbound.kind import classify
from mailbot.inbound.mime import parse_mail
from mailbot.model.mail import MailKind

SHOP = "support@shop.example"
SUBJECTS = (
    *("Automatic reply: Your order", "Out of Office: x", "Out of office Re: x", "Auto: x", "AutoReply: x", "OOO: x"),
    *("[OOO] x", "(Out of office) x", "[Auto-Reply] Thank you", "*** Automatic reply ***", "I am out of the office"),
    *("Abwesenheitsnotiz: x", "Automatische Antwort: x", "Abwesend: x", "Ich bin im Urlaub", "Nicht im Büro Re: x"),
    *("Réponse automatique : x", "Absent(e) du bureau", "Message d'absence", "En congé : x"),
    *("Respuesta automática: x", "Fuera de la oficina: x", "Estoy de vacaciones", "Ausencia: x"),
    *("Risposta automatica: x", "Fuori sede: x", "In ferie: x", "Assente: x"),
    *("Automatisch antwoord: x", "Afwezigheidsmelding: x", "Niet op kantoor: x"),
    *("Resposta automática: x", "Fora do escritório: x", "Ausência temporária: x"),
    *("Odpowiedź automatyczna: x", "Poza biurem: x", "Nieobecny: x", "Autoodpowiedź: x"),
    *("自動応答: x", "【自動返信】ご連絡", "不在のお知らせ", "自动回复: x", "休假自动回复", "外出通知: x"),
    *("Автоответ: x", "Вне офиса: x", "자동 회신: x", "부재중: x", "Autosvar: x", "Otomatik yan\u0131t: x"),
)
PEOPLES = (
    *(
        "I want to return my order, I'm out of office till Monday",
        "automatic watch broken",
        "Vacation is over, and now?",
    ),
    *("Auto accident delayed my parcel", "Absent parts in my parcel", "Ausente pieza", "Urlaub: Ring vergessen"),
    *("Reply to your automatic message", "不在票が入っていました", "自動車の注文", "Nicht im Karton: Kette"),
    *("Fuori misura: anello", "Away game shirt: refund", "In ferie ho ricevuto il pacco", "Re: Your order"),
)
NOTICES = (
    "Thank you for your e-mail. I am currently out of the office and will return on Monday, 16 March.",
    "Vielen Dank. Ich bin derzeit nicht im Büro und ab dem 16.3. wieder erreichbar.",
    "Bonjour, je suis actuellement absente jusqu'au 16 mars.",
    "Hola, me encuentro fuera de la oficina hasta el 16 de marzo.",
    "Salve, sono in ferie fino al 16 marzo.",
    "Ik ben momenteel afwezig tot en met 16 maart.",
    "Olá, estou de férias até o dia 16 de março.",
    "Obecnie jestem na urlopie do dnia 16 marca.",
    "3月16日まで休暇をいただいております。",
    "您好。我目前休假、3月16日返回。",
)
WRITTEN = (
    "I am away until Friday. My order number is AW-10001, and I still want the refund.",
    "I am on vacation until Monday. Can I send the ring back then?",
    "Ich bin bis Montag im Urlaub. Die Rechnung schicke ich danach.",
    "I will be back on Monday.",
)


def kind_of(subject: str, text: str = "Hello", answers: str = "") -> MailKind:
    thread = f"In-Reply-To: {answers}\n" if answers else ""
    raw = f"From: jane@example.org\nTo: {SHOP}\nSubject: {subject}\n{thread}\n{text}\n"
    return classify(parse_mail(raw.encode()), [SHOP], "instance").kind


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_of_an_absence_notice_is_a_machine_s(subject: str) -> None:
    assert kind_of(subject) is MailKind.AUTO_REPLY


@pytest.mark.parametrize("subject", PEOPLES)
def test_a_person_s_subject_is_a_person_s(subject: str) -> None:
    assert kind_of(subject) is MailKind.CUSTOMER


@pytest.mark.parametrize("text", NOTICES)
def test_a_text_that_only_says_who_is_away_until_when_is_a_machine_s(text: str) -> None:
    assert kind_of("Re: Your message", text, "<1@shop.example>") is MailKind.AUTO_REPLY
    assert kind_of("Your message", text) is MailKind.CUSTOMER


@pytest.mark.parametrize("text", WRITTEN)
def test_a_person_who_is_away_is_a_person(text: str) -> None:
    assert kind_of("Re: Your message", text, "<1@shop.example>") is MailKind.CUSTOMER
