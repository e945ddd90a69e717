import re
from typing import Any

import pytest

from mailbot.errors import InputError
from mailbot.understand.invoice_lexicon import LabelKind, build_lexicon, invoice_lexicon

LANGUAGES = {"en", "de", "fr", "es", "it", "nl", "pt", "pl", "ja", "zh"}
NEEDED = set(LabelKind) - {LabelKind.NUMBER_WORD, LabelKind.ORDER_WORD}


def a_file(**changes: Any) -> dict[str, Any]:
    file: dict[str, Any] = {
        "en": {"invoice": ["invoice"], "months": []},
        "marks": {"€": ["EUR"]},
        "everyday": {"codes": [], "marks": []},
        "files": {"papers": [], "nameless": []},
    }
    return file | changes


def test_every_language_has_words_for_everything() -> None:
    lexicon = invoice_lexicon()
    meanings = [*lexicon.phrases.values(), *lexicon.ideograph_kinds.values(), *lexicon.endings.values()]
    said = {(kind, language) for kind, languages in meanings for language in languages}
    assert {(kind, language) for kind in NEEDED for language in LANGUAGES} <= said


def test_a_phrase_that_announces_two_things_is_refused() -> None:
    with pytest.raises(InputError, match="announces both"):
        build_lexicon(a_file(de={"credit": ["Invoice"], "months": []}))


def test_a_currency_that_does_not_circulate_is_refused() -> None:
    with pytest.raises(InputError, match=re.escape("['DEM']")):
        build_lexicon(a_file(marks={"DM": ["DEM"]}))


def test_the_longest_phrase_wins_and_punctuation_does_not_matter() -> None:
    labels = invoice_lexicon().labels("Rechnungs-Nr.: 4711 TOTAL (excl. VAT)")
    assert [label.kind for label in labels] == [LabelKind.INVOICE_NUMBER, LabelKind.PART]


def test_a_compound_word_is_known_by_its_ending() -> None:
    assert [label.kind for label in invoice_lexicon().labels("Handelsrechnung")] == [LabelKind.INVOICE]
