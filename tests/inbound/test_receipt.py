"""Receipts of other people's ticket systems, which no header marks, and people's mails that are like them."""

import pytest

from mailbot.inbound.kind import classify
from mailbot.inbound.mime import parse_mail

SHOP = "support@shop.example"


def rule_of(subject: str, text: str, *, answers: bool) -> str | None:
    head = f"From: desk@other.example\nTo: {SHOP}\nSubject: {subject}\n" + "In-Reply-To: <a@b>\n" * answers
    return classify(parse_mail(f"{head}Content-Type: text/plain; charset=utf-8\n\n{text}".encode()), [SHOP], "x").rule


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (
            "Re: Your refund",
            "Thank you for contacting us.\nThis is an automated response. Your ticket number is 48213.",
        ),
        ("Re: Your refund", "Hello. This email was automatically generated. Please do not reply."),
        ("[Request received] Your refund", "Your request (998) has been received and is being reviewed."),
        ("Ticket #48213 received: Your refund", "To add additional comments, reply to this email."),
        ("Re: Ihre Erstattung", "Vielen Dank. Dies ist eine automatisch generierte Nachricht."),
        ("Eingangsbestätigung: Ihre Anfrage", "Ihre Vorgangsnummer: 48213"),
        ("Re: Votre remboursement", "Ceci est un message automatique, merci de ne pas y répondre."),
        ("Re: Su reembolso", "Este es un mensaje automático. No responda."),
        ("Re: Il suo rimborso", "Questo è un messaggio automatico. Risponderemo entro 48 ore."),
        ("Re: Uw terugbetaling", "Dit is een automatisch gegenereerd bericht."),
        ("Re: O seu reembolso", "Esta é uma mensagem automática."),
        ("Re: Zwrot", "Dziękujemy. Wiadomość wygenerowana automatycznie, prosimy nie odpowiadać."),
        ("Re: 返金", "このメールは自動送信されています。担当者より折り返しご連絡いたします。"),
        ("Re: 退款", "此邮件由系统自动发送\uff0c请勿回复。"),
    ],
)
def test_a_desk_s_receipt_for_our_letter_is_a_machine_s(subject: str, text: str) -> None:
    assert rule_of(subject, text, answers=True) == "A5"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("My watch", "This is an automatic watch and it has stopped. I want my money back."),
        ("Re: Your refund", "I got this: this is an automated message. Can a person answer me please?"),
        ("Re: Your refund", "> This is an automated response.\nNo, I want a person."),
        ("Re: Your refund", f"This is an automated response\n{'My story is long. ' * 100}"),
        ("My order", "This is an automated response. Just kidding, I want a refund."),
        ("Ticket for the concert received, ring not", "Where is it?"),
        ("Request for a refund", "Please refund order AW-10001."),
        ("Request received your parcel", "x"),
        ("Ihre Anfrage", "Dies ist automatisch passiert, als ich klickte."),
        ("Re: Mi pedido", "Este es automático y no anda."),
        ("Re: Zamówienie", "Ta wiadomość jest do Państwa. Proszę o zwrot."),
    ],
)
def test_a_person_who_speaks_of_machines_stays_a_person(subject: str, text: str) -> None:
    assert rule_of(subject, text, answers=subject.startswith("Re:")) is None


@pytest.mark.parametrize(
    ("subject", "text"), [("Afwezig", "Ik ben met vakantie tot en met 3 maart."), ("OOO", "I am away.")]
)
def test_one_word_and_a_sentence_are_an_absence(subject: str, text: str) -> None:
    assert rule_of(subject, text, answers=False) == "A5"
    assert rule_of(subject, "The ring was not in the parcel.", answers=False) is None
