"""Every language names every reason, wish and fact; what one of them lacks is named by the failing test."""

import pytest

from mailbot.model.facts import Reason, Remedy
from mailbot.understand.lexicons import Fact, Follow, Kind, Lexicon, Strength, load_lexicons

_LANGUAGES = ["de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"]
_REASONS = sorted(set(Reason) - {Reason.UNSPECIFIED})
_WISHES = sorted(set(Remedy) - {Remedy.UNSPECIFIED})
_FACTS = [(fact, says) for fact in sorted(Fact) for says in ("yes", "no")]


def lexicon(language: str) -> Lexicon:
    return load_lexicons()[language]


def names(language: str, kind: Kind, value: str, strength: str = Strength.CLEAR) -> bool:
    return any((rule.kind, rule.value, rule.strength) == (kind, value, strength) for rule in lexicon(language).rules)


def values(language: str, kind: Kind) -> set[str]:
    return {rule.value for rule in lexicon(language).rules if rule.kind is kind}


def test_ten_languages_ship() -> None:
    assert sorted(load_lexicons()) == _LANGUAGES


@pytest.mark.parametrize("language", _LANGUAGES)
def test_every_phrase_compiles(language: str) -> None:
    assert all(rule.phrase.regex for rule in lexicon(language).rules)


@pytest.mark.parametrize("language", _LANGUAGES)
@pytest.mark.parametrize("reason", _REASONS)
def test_a_reason_has_words(language: str, reason: str) -> None:
    assert names(language, Kind.REASON, reason)


@pytest.mark.parametrize("language", _LANGUAGES)
@pytest.mark.parametrize("wish", _WISHES)
def test_a_wish_has_words(language: str, wish: str) -> None:
    assert names(language, Kind.WANTS, wish)


@pytest.mark.parametrize("language", _LANGUAGES)
@pytest.mark.parametrize(("fact", "says"), _FACTS)
def test_a_fact_has_words(language: str, fact: str, says: str) -> None:
    assert names(language, Kind.FACT, fact, says)


@pytest.mark.parametrize("language", _LANGUAGES)
@pytest.mark.parametrize("kind", [Kind.RECEIVED, Kind.ITEM, Kind.DISPUTE, Kind.DOUBT, Kind.OTHER, Kind.FILLER])
def test_whatever_english_tells_apart_the_language_does_too(language: str, kind: Kind) -> None:
    assert values(language, kind) - set(Fact) == values("en", kind)


@pytest.mark.parametrize("language", _LANGUAGES)
def test_without_words_that_stand_apart_what_is_worn_or_boxed_is_a_doubt_until_it_is_understood(language: str) -> None:
    """Where words stand apart, each that no phrase explains hints at the facts that it may tell of."""
    unexplained = values(language, Kind.DOUBT) & set(Fact)
    assert unexplained == (set() if lexicon(language).spaced else {Fact.ITEM_USED, Fact.ORIGINAL_BOX})


@pytest.mark.parametrize("language", _LANGUAGES)
def test_what_a_later_mail_says_has_words(language: str) -> None:
    assert values(language, Kind.FOLLOW_UP) == set(Follow)


@pytest.mark.parametrize("language", _LANGUAGES)
def test_days_have_names(language: str) -> None:
    dates = lexicon(language).dates
    assert (set(dates.months.values()), set(dates.weekdays.values())) == (set(range(1, 13)), set(range(7)))
    assert {0, 1, 2} <= set(dates.days_back.values())
    kinds = {kind for kind, _ in dates.forms}
    assert kinds >= {"days_back", "calendar", "weekday_last_week", "days_ago", "vague"}
