"""The language of a mail is told by its majority, and a further language is a file, not code."""

from datetime import date

import pytest

from mailbot.errors import InputError
from mailbot.model.facts import Reason, Remedy
from mailbot.model.reading import Body, Segment, SegmentKind, Topic
from mailbot.understand.claim import ClaimReading, read_claim
from mailbot.understand.language import detect_language
from mailbot.understand.lexicons import Lexicon, load_lexicons, parse_lexicon

GERMAN = r"""
[grammar]
goods = "bestellung ring kette"
mistyped = "bestellung"
negators = "nicht kein keine nie"
breaks = "aber und weil sondern"
alternatives = "oder noch"
grounds = "weil da"
conclusions = "deshalb daher"
money = "geld erstattung"
abbreviations = "nr bzw #"
names_capitalised = false

[same]
"möchte" = "moechte"

[words]
ware = "ring|kette|ohrringe"

[neutral.empty]
all = "der die das den ein eine mein meine ich sie es ist hat bitte danke mit freundlichen grüßen hallo und aber"
[neutral.everyday]
all = "ring kette bestellung"

[dates]
triggers = "vor am"
months = [
  ["januar"], ["februar"], ["märz"], ["april"], ["mai"], ["juni"],
  ["juli"], ["august"], ["september"], ["oktober"], ["november"], ["dezember"],
]
weekdays = [
  ["montag"], ["dienstag"], ["mittwoch"], ["donnerstag"], ["freitag"], ["samstag"], ["sonntag"],
]
[dates.numbers]
drei = 3
[dates.days_back]
"gestern" = 1
[dates.forms]
calendar = ['(?:am )?{day}\.? {month}(?: {year})?']
weekday = ['am {weekday}']
days_ago = ['vor {number} tagen']

[reason.change_of_mind]
clear = ["gefällt ~2 nicht", "es mir anders überlegt"]
[reason.quality_defect]
clear = ["(verschluss|<ware>) ~2 (kaputt|gebrochen)"]
[wants.cancellation]
clear = ["(möchte|bitte) ~3 stornier*"]
[wants.refund]
clear = ["(möchte|bitte) ~4 (zurückgeben|zurücksenden|erstatten)"]
[facts.item_used]
yes = ["getragen"]
[received]
stated = ["@ ~2 angekommen", "@ ~2 erhalten"]
[items]
named = ["<ware>"]
whole = ["bestellung"]
[dispute]
mentioned = ["rückbuchung"]
[doubts]
partial_claim = ["nur ~1 <ware>"]
[other]
status = ["wo ist meine ~1"]
[frames]
hypothetical = ["falls", "wenn"]
[filler]
said = ["rechnung ~2 anhang"]
[follow_ups]
return_sent = ["habe ~3 zurückgeschickt"]
"""


@pytest.fixture(scope="module")
def lexicons() -> dict[str, Lexicon]:
    """Give English as shipped, and a small German of our own beside it."""
    return {"en": load_lexicons()["en"], "de": parse_lexicon(GERMAN, "de")}


def read(text: str, lexicons: dict[str, Lexicon], language: str | None) -> ClaimReading:
    body = Body(text=text, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(text)),))
    return read_claim("", body, lexicons, language, asked_on=date(2026, 3, 10), day_first=True)


def test_another_language_is_read_by_its_file_alone(lexicons: dict[str, Lexicon]) -> None:
    text = "Hallo,\nich moechte die Bestelung AW-10231 stornieren. Der Ring gefällt mir nicht. Am 3. März angekommen."
    claim = read(text, lexicons, "de").claim
    assert (claim.reason, claim.wants, claim.received_on) == (
        Reason.CHANGE_OF_MIND,
        Remedy.CANCELLATION,
        date(2026, 3, 3),
    )


def test_its_negators_and_conditions_count_as_its_file_says(lexicons: dict[str, Lexicon]) -> None:
    assert read("Ich habe den Ring AW-10231 nicht getragen, bitte erstatten.", lexicons, "de").claim.item_used is False
    assert read("Falls der Verschluss kaputt ist.", lexicons, "de").claim.reason is Reason.UNSPECIFIED


def test_a_text_of_unclear_language_is_read_by_the_lexicon_that_knows_its_words(lexicons: dict[str, Lexicon]) -> None:
    assert read("Bitte die Bestellung stornieren", lexicons, None).claim.wants is Remedy.CANCELLATION
    assert read("Please cancel my order", lexicons, None).claim.wants is Remedy.CANCELLATION


def test_a_language_without_a_lexicon_is_left_to_people() -> None:
    text = "Jag vill gärna avbeställa min beställning AW-10231 och få pengarna tillbaka, tack."
    reading = read(text, dict(load_lexicons()), detect_language(text))
    assert (reading.topic, reading.doubts) == (Topic.REFUND_REQUEST, ("language_not_read",))
    assert (reading.language, reading.claim.reason_confidence, reading.claim.mentions_dispute) == (None, 0.0, None)


def test_a_text_without_an_order_in_such_a_language_asks_for_nothing_that_is_known() -> None:
    text = "Hej! Vilka tider har ni öppet i er butik nästa vecka, och säljer ni presentkort?"
    assert read(text, dict(load_lexicons()), detect_language(text)).topic is Topic.OTHER


def test_english_taken_for_another_language_is_still_read() -> None:
    assert read("Please cancel my order AW-10231", dict(load_lexicons()), "nl").topic is Topic.REFUND_REQUEST


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I would like to return the necklace that I ordered last week.", "en"),
        ("Ich möchte die Kette zurückgeben, die ich letzte Woche bestellt habe.", "de"),
        ("Je voudrais renvoyer le collier que j'ai commandé la semaine dernière.", "fr"),
        ("Vorrei restituire la collana che ho ordinato la settimana scorsa.", "it"),
        ("先週注文したネックレスを返品したいです。", "ja"),
        ("ok", None),
        ("AW-10231", None),
        ("", None),
    ],
)
def test_the_language_of_a_text_is_told(text: str, language: str | None) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    "aside", ["Je voudrais être remboursée pour cette commande. ", "返金をお願いします。", "Прошу вернуть деньги. "]
)
def test_one_foreign_sentence_does_not_outvote_a_mail(aside: str) -> None:
    text = f"Hello,\nI am writing about my order of last week. {aside}\nIt arrived damaged and I want a refund please."
    assert detect_language(text) == "en"


def test_an_even_mixture_has_no_language() -> None:
    assert detect_language("I want to return this ring.\nIch möchte diesen Ring zurückgeben.") is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("[reason.change_of_mind]", "[reason.bad_mood]"), "bad_mood"),
        (('clear = ["(verschluss', 'surely = ["(verschluss'), "surely"),
        (("<ware>) ~2 (kaputt", "<teil>) ~2 (kaputt"), "<teil>"),
        (('[filler]\nsaid = ["rechnung ~2 anhang"]', ""), "filler"),
        (("{day}", "{tag}"), "no form of a date"),
        (('"falls", "wenn"', '"(falls"'), "lacks"),
        (("[grammar]", "[grammar"), "lexicon de"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(change: tuple[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_lexicon(GERMAN.replace(*change), "de")
