"""Where the grammar is in doubt, what does the second reader make of the sentence?

The second reader mends what the grammar left open: it explains stray words, gives a wish or a fact that was said in
other words. What the grammar reads as denied, supposed or asked it never makes a claim. Why the customer writes is
weighed over the whole mail (``whole_mail.py``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mailbot.model.facts import Reason, Remedy
from mailbot.understand.doubts import PART
from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.learned import learned
from mailbot.understand.lexicons import NO_ORDER, QUESTIONS, Fact, Kind, Strength
from mailbot.understand.scope import Mood
from mailbot.understand.stated_facts import read_facts
from mailbot.understand.weights import Probabilities
from mailbot.understand.wish import read_wish
from mailbot.understand.wording import NUMBER

_SURE = 0.8
_GIVES = 0.75  # a fact that no phrase gives
_UNDERSTOOD = 0.5
_NOTICED = 0.25  # what may be said
_UNHEARD = 0.1
REASON, ANY_REASON = "reason.", "any.reason"
_ASIDE = ("supposed", "elsewhere", "withdrawn")
FACTS: Mapping[Fact, tuple[str, str]] = {
    Fact.ITEM_USED: ("used.yes", "used.no"),
    Fact.ITEM_ALTERED: ("altered.yes", "altered.no"),
    Fact.ORIGINAL_BOX: ("box.yes", "box.no"),
}
_AGAINST = tuple(
    (fact, fact is not Fact.ORIGINAL_BOX, *(labels if fact is not Fact.ORIGINAL_BOX else labels[::-1]))
    for fact, labels in FACTS.items()
)
"""What speaks against a return: the fact, its value, the label for it and the one against it."""
_CONFIRMS = 0.5  # what a weak phrase says as well
_ABSENT = 0.15  # what a stray word may mean
_A_TITLE = 30  # characters
_ANOTHERS = 0.4  # that a request which names no goods is for another business
_FEW = 3  # words that no phrase explains
_LEGAL = "legal"
_WANTS, _ASKS = "wants.", "asks."
_GOES_ON = "asks.process"  # how a refund goes on: nothing that a decision must wait for
_MEANT_BY: Mapping[str, tuple[str, ...]] = {
    **{reason: (f"{REASON}{reason}",) for reason in Reason},
    **{str(fact): labels for fact, labels in FACTS.items()},
    "mentioned": ("dispute",),
    "use_unclear": ("used.yes",),
    "partial_claim": ("partial",),
    "special_case": ("dispute", "elsewhere", "return_sent"),
    "legal": ("dispute",),
}
_MONEY_BACK = (Remedy.REFUND, Remedy.CANCELLATION)
_ABOUT_USE = frozenset({Fact.ITEM_USED, "use_unclear"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """The sentences as both readers together read them.

    Attributes:
        heard: what the second reader makes of each; nothing where it was not asked.
        doubts: facts in which the two contradict each other.
    """

    sentences: tuple[ReadSentence, ...]
    heard: tuple[Probabilities, ...] = ()
    doubts: tuple[str, ...] = ()


def review(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities]) -> Opinion:
    """Read the sentences of a mail once more.

    Args:
        sentences: as the grammar reads them.
        heard: what the second reader makes of each; nothing where it was not asked.
    """
    if not any(heard):
        return Opinion(sentences=tuple(sentences))
    if not any(NUMBER in sentence.wording.words for sentence in sentences):
        others = (_elsewhere(sentence, given) for sentence, given in zip(sentences, heard, strict=True))
        return Opinion(sentences=tuple(others))
    wish, used_told = read_wish(sentences), Fact.ITEM_USED in read_facts(sentences).values
    clearer = [
        _explain(sentence, given, asked_for=wish.clear, wished=bool(wish.places), used_told=used_told)
        if given
        else sentence
        for sentence, given in zip(sentences, heard, strict=True)
    ]
    again = (Fact.REPURCHASED,) if _buys_again_in_doubt(sentences, heard) else ()
    doubts = (*again, *_facts_in_doubt(clearer, heard))
    return Opinion(sentences=tuple(clearer), heard=tuple(heard), doubts=doubts)


def _elsewhere(sentence: ReadSentence, given: Probabilities) -> ReadSentence:
    """One sentence, with what shows that a request is made to some other business, or what is cancelled no order."""
    cancels = [finding for finding in sentence.findings if finding.rule.value == Remedy.CANCELLATION]
    unheard = bool(cancels) and given.get(f"{_WANTS}{Remedy.CANCELLATION}", 1.0) < _CONFIRMS
    if sentence.names_goods or (given.get(NO_ORDER, 0.0) < _ANOTHERS and not unheard):
        return sentence
    return replace(sentence, findings=(*sentence.findings, learned(sentence, Kind.OTHER, NO_ORDER)))


def says_something(sentence: ReadSentence) -> bool:
    """Whether the second reader is to be asked about it."""
    return bool(sentence.wording.spans) and bool(sentence.findings or sentence.unexplained or sentence.everyday)


def _explain(
    sentence: ReadSentence, given: Probabilities, *, asked_for: bool, wished: bool, used_told: bool
) -> ReadSentence:
    """One sentence: stray words that mean nothing more, questions that are none, wishes and facts in other words."""
    asked = max(value for label, value in given.items() if label.startswith(_ASKS) and label != _GOES_ON)
    findings = [
        finding
        for finding in _plainly_wished(sentence, given)
        if not (_is_question(finding) and ((asked_for and asked < _NOTICED) or _is_exchange(finding, given)))
        and not (finding.rule.value == _LEGAL and given["dispute"] < _threat(sentence))
    ]
    findings = list(_facts(findings, sentence, given))
    if not asked_for:
        findings += _wish(findings, sentence, given)
    if given["dispute"] >= _GIVES and not any(finding.rule.kind is Kind.DISPUTE for finding in findings):
        findings.append(learned(sentence, Kind.DISPUTE, "mentioned"))
    if given["partial"] >= _GIVES and not any(finding.rule.value == PART for finding in findings):
        findings.append(learned(sentence, Kind.DOUBT, PART))
    well_known = used_told or given["none"] >= _UNDERSTOOD or len(sentence.unexplained) <= _FEW
    hints = tuple(
        hint
        for hint in sentence.hints
        if not (wished and (well_known or _ABOUT_USE.isdisjoint(hint)) and _is_explained(hint, given))
    )
    few = len(sentence.unexplained) <= _FEW and not sentence.reason_unread
    no_reason = wished and given[ANY_REASON] < _ABSENT and (given["none"] >= _SURE or few)
    return replace(
        sentence,
        findings=tuple(findings),
        hints=hints,
        reason_unread=sentence.reason_unread and not no_reason,
        asks_more=sentence.asks_more and asked >= _NOTICED,
        unexplained=() if no_reason else sentence.unexplained,
        everyday=0 if no_reason else sentence.everyday,
        foreign=sentence.foreign and given["none"] < _SURE,
    )


def _plainly_wished(sentence: ReadSentence, given: Probabilities) -> Iterator[Finding]:
    """A sentence's findings; a wish beside an "if" is one where the second reader hears nothing supposed in it.

    So with "if it has not gone out yet, please cancel". What such a sentence asks of this shop, or tells of goods that
    came, is not taken back by another word in it, nor asked of somebody else.
    """
    wish = max(given[f"{_WANTS}{remedy}"] for remedy in _MONEY_BACK)
    for finding in sentence.findings:
        supposed = finding.rule.kind is Kind.WANTS and finding.mood in {Mood.CONDITIONAL, Mood.HEDGED}
        if supposed and wish >= _SURE and given["supposed"] < _UNHEARD and not finding.negated:
            yield replace(finding, mood=Mood.ASSERTED)
        elif finding.rule.kind is not Kind.OTHER or not (
            (finding.rule.value == "withdrawn" and given["received"] >= _SURE and given["withdrawn"] < _UNHEARD)
            or (
                finding.rule.value == NO_ORDER
                and wish >= _UNDERSTOOD
                and sentence.names_goods
                and given[NO_ORDER] < _UNHEARD
            )
        ):
            yield finding


def _is_question(finding: Finding) -> bool:
    return finding.rule.kind is Kind.OTHER and finding.rule.value in QUESTIONS


def _is_exchange(finding: Finding, given: Probabilities) -> bool:
    """Whether a change that seems asked for ("another size, please") is one of the goods and not of a running order."""
    return finding.rule.value == "change" and given[f"{_WANTS}{Remedy.EXCHANGE}"] >= _SURE


def _threat(sentence: ReadSentence) -> float:
    """How likely a word of the law must be a threat to count: it may be a profession, or the form of a letter."""
    return _SURE if len(sentence.quote) <= _A_TITLE else _NOTICED


def _is_explained(hint: frozenset[str], given: Probabilities) -> bool:
    if given["repurchased"] >= _UNDERSTOOD and Fact.REPURCHASED in hint:
        return False
    return all(given.get(label, 0.0) < _ABSENT for value in hint for label in _MEANT_BY.get(value, ()))


def _facts(findings: Sequence[Finding], sentence: ReadSentence, given: Probabilities) -> Iterator[Finding]:
    """Facts with those that the second reader is sure of; of a contradiction, the side that it takes."""
    doubtful = (
        sentence.asks or sentence.supposes or sentence.elsewhere or any(given[name] >= _NOTICED for name in _ASIDE[:2])
    )
    wrong: set[int] = set()
    for fact, (yes, no) in FACTS.items():
        said = {
            _says(finding): finding
            for finding in findings
            if finding.rule.kind is Kind.FACT and finding.rule.value == fact
        }
        for value, here, there in ((True, given[yes], given[no]), (False, given[no], given[yes])):
            if here < _GIVES or there >= _NOTICED:
                continue
            if len(said) > 1:
                wrong |= {
                    id(f) for f in findings if f.rule.kind is Kind.FACT and f.rule.value == fact and _says(f) != value
                }
            elif not said and not doubtful:
                yield learned(sentence, Kind.FACT, fact, "yes" if value else "no")
    yield from (finding for finding in findings if id(finding) not in wrong)


def _says(finding: Finding) -> bool:
    return (finding.rule.strength == "yes") != finding.negated


def _wish(findings: Sequence[Finding], sentence: ReadSentence, given: Probabilities) -> Iterator[Finding]:
    """The wish that the second reader hears of goods that the sentence names; what else is wished may be anybody's."""
    wishes = [finding for finding in findings if finding.rule.kind is Kind.WANTS]
    if (
        not sentence.names_goods
        or sentence.supposes
        or sentence.elsewhere
        or any(given[name] >= _NOTICED for name in _ASIDE)
    ):
        return
    if any(wish.mood is Mood.VOID and wish.negated for wish in wishes):
        return
    if any(wish.mood in {Mood.ASSERTED, Mood.ASKED} and wish.rule.strength == Strength.CLEAR for wish in wishes):
        return
    likely = {wish.rule.value for wish in wishes if wish.mood is not Mood.VOID}
    best = max(Remedy, key=lambda remedy: given.get(f"{_WANTS}{remedy}", 0.0))
    least = _CONFIRMS if best in likely and best is not Remedy.REPAIR else _SURE
    if given.get(f"{_WANTS}{best}", 0.0) >= least:
        yield learned(sentence, Kind.WANTS, best)


def _facts_in_doubt(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities]) -> tuple[Fact, ...]:
    """What the second reader hears against a return and the grammar does not: used, altered, no box any more."""
    values = read_facts(sentences).values
    agreed = {
        fact
        for fact, value, _, other in _AGAINST
        if values.get(fact) is (not value) and any(given.get(other, 0.0) >= _SURE for given in heard)
    }
    return tuple(
        fact
        for fact, value, against, other in _AGAINST
        if any(
            given.get(against, 0.0) >= (_UNDERSTOOD if fact in agreed else _NOTICED)
            and given[against] > given[other] / 2
            and values.get(fact) != value
            for given in heard
        )
    )


def _buys_again_in_doubt(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities]) -> bool:
    """Whether "I have ordered the right one", which spares the customer a fee (C10), may be no fact.

    The second reader is not sure of it, or something in the sentence is denied and it is not understood what.

    Args:
        sentences: as the grammar alone reads them.
        heard: by the second reader.
    """
    facts = read_facts(sentences)
    if not facts.values.get(Fact.REPURCHASED):
        return False
    sure = any(given.get("repurchased", 0.0) >= _SURE for given in heard)
    return not sure or facts.places[Fact.REPURCHASED][0].denies
