"""Every reply in every language: whole, in its own forms of dates and sums, with nothing of another language."""

import re

import pytest

from mailbot.act.columns import width_of
from mailbot.act.reply import write_reply
from mailbot.act.templates import NAMES
from mailbot.model.money import Money
from tests.act.test_reply import ENDINGS, POLICY, TEMPLATES, Page, a_letter, a_settlement, flowing

LANGUAGES = sorted(TEMPLATES.languages)
FULL_DATES = {
    "de": "Dienstag, 17. März 2026",
    "en": "Tuesday, March 17, 2026",
    "es": "martes 17 de marzo de 2026",
    "fr": "mardi 17 mars 2026",
    "it": "martedì 17 marzo 2026",
    "ja": "2026年3月17日火曜日",
    "nl": "dinsdag 17 maart 2026",
    "pl": "17 marca 2026 (wtorek)",
    "pt": "17 de março de 2026 (terça-feira)",
    "zh": "2026年3月17日星期二",
}
EUROS = {
    "de": "76,70 €",
    "en": "€76.70",
    "es": "76,70 €",
    "fr": "76,70 €",
    "it": "76,70 €",
    "ja": "€76.70",
    "nl": "€ 76,70",
    "pl": "76,70 €",
    "pt": "€ 76,70",
    "zh": "€76.70",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_reply_is_written_in_every_language(name: str, language: str) -> None:
    reply = write_reply(TEMPLATES, a_letter(name, language=language, policy_url="", care_guide_url=""))
    assert reply.language == language
    assert ("lang", language) in Page(reply.html).attributes
    assert not re.search(r"[{}]|duration|\bNone\b", reply.text)
    assert "\n" not in reply.subject
    assert max(width_of(line) for line in reply.text.splitlines()) <= 78


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_are_written_as_in_the_language(language: str) -> None:
    assert FULL_DATES[language] in flowing(write_reply(TEMPLATES, a_letter("return_approved", language=language)).text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sums_are_written_as_in_the_language(language: str) -> None:
    names = ("items", "outbound_shipping", "transaction_fee", "already_refunded", "cap_adjustment", "refund")
    cents = dict.fromkeys(names, 0) | {"items": 7670, "refund": 7670}
    bill = a_settlement(**{name: Money.from_minor(amount, "EUR") for name, amount in cents.items()})
    text = write_reply(TEMPLATES, a_letter("return_approved", language=language, settlement=bill)).text
    assert flowing(text).count(EUROS[language]) >= 3


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ENDINGS)
def test_the_unproven_are_told_nothing_in_any_language(name: str, language: str) -> None:
    reply = write_reply(TEMPLATES, a_letter(name, language=language))
    for secret in ("AW-10231", "Jane", "My ring", "76.70", "76,70", "RF-000123"):
        assert secret not in reply.text + reply.subject + reply.html


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_every_clause_is_there_in_every_language(language: str) -> None:
    assert sorted(POLICY.translations[language]) == sorted(POLICY.clauses)


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_the_figures_of_a_clause_are_those_of_the_policy(language: str) -> None:
    for clause, wording in POLICY.clauses.items():
        translated = POLICY.wording(clause, language)
        assert sorted(re.findall(r"\d+", translated)) == sorted(re.findall(r"\d+", wording)), clause


def test_a_clause_without_a_translation_is_quoted_as_it_stands() -> None:
    assert POLICY.wording("C6", "sv") == POLICY.clauses["C6"]


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_no_english_is_left_in_a_translation(language: str) -> None:
    english = re.compile(r"\b(the|your|please|have|with|order|refund|parcel)\b", re.IGNORECASE)
    for name in sorted(NAMES - {"message"}):
        letter = a_letter(name, language=language, clauses=(), inspection_note=None, policy_url="", care_guide_url="")
        text = write_reply(TEMPLATES, letter).text
        assert not english.search(text.replace("Aurelia & Wren Returns", "")), name
