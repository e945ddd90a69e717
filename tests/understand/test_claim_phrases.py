"""The small pattern language of the lexicon files matches what its table says."""

import pytest

from mailbot.understand.phrases import PhraseCompiler, PhraseError

COMPILER = PhraseCompiler(
    {"item": "ring|ear rings", "wish": "want to|like to", "loop": "a <loop>"}, lambda word: [word]
)


def matches(phrase: str, words: str) -> str | None:
    found = COMPILER.compile(phrase)[0].regex.search(f" {words} ")
    return None if found is None else found[0].strip()


@pytest.mark.parametrize(
    ("phrase", "words", "expected"),
    [
        ("cancel", "please cancel it", "cancel"),
        ("cancel", "cancelled", None),
        ("cancel*", "we cancelled it", "cancelled"),
        ("want|need it", "i need it", "need it"),
        ("(change of mind|second thoughts)", "i had second thoughts", "second thoughts"),
        ("cancel [my|the] order", "cancel the order", "cancel the order"),
        ("cancel [my|the] order", "cancel order", "cancel order"),
        ("cancel [my|the] order", "cancel your order", None),
        ("return ~2 <item>", "return both these ear rings", "return both these ear rings"),
        ("return ~2 <item>", "return all of these ring", None),
        ("return ~2 <item>", "return , the ring", None),
        ("not , ring", "not , ring", "not , ring"),
        ("^ refund", "please refund", None),
        ("^ refund", "hello , refund me", "refund"),
        ("cancel $", "cancel , thanks", "cancel"),
        ("cancel $", "cancel it", None),
        ("arrived ~2 @", "arrived here on @", "arrived here on @"),
        ("order #", "order # today", "order #"),
    ],
)
def test_a_phrase_matches_its_words(phrase: str, words: str, expected: str | None) -> None:
    assert matches(phrase, words) == expected


@pytest.mark.parametrize(
    ("phrase", "says"),
    [
        ("(cancel", "lacks"),
        ("cancel)", "without its partner"),
        ("[please]", "no word that must be there"),
        ("~3", "no word that must be there"),
        ("return <thing>", "does not have"),
        ("<loop>", "needs <loop>"),
        ("cancel|", "too early"),
        ("cancel (my|)", "empty alternative"),
        ("re*", "too short"),
    ],
)
def test_a_phrase_that_cannot_be_read_is_refused(phrase: str, says: str) -> None:
    with pytest.raises(PhraseError, match=says):
        COMPILER.compile(phrase)


def test_what_a_phrase_cannot_do_without_is_known() -> None:
    _, needs = COMPILER.compile("<wish> [really] cancel ~3 order|purchase")
    assert frozenset({"cancel"}) in needs
    assert frozenset({"order", "purchase"}) in needs
