"""Where the grammar is in doubt, what does the second reader make of the sentence? And do the two agree?

The second reader mends what the grammar left open: it explains stray words, settles a conflict, gives a reason, a wish
or a fact that was said in other words. What the grammar reads as denied, supposed or asked it never makes a claim.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mailbot.model.facts import Reason, Remedy
from mailbot.understand.doubts import PART
from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.lexicons import QUESTIONS, Fact, Kind, Rule, Strength
from mailbot.understand.phrases import Phrase, WordSet
from mailbot.understand.reason import goes_with, read_reason
from mailbot.understand.scope import Mood
from mailbot.understand.second_reader import Probabilities
from mailbot.understand.stated_facts import read_facts
from mailbot.understand.wish import read_wish
from mailbot.understand.wording import NUMBER

_SURE = 0.8
_GIVES = 0.7  # a reason that no phrase gives
_CONFIRMS = 0.5  # what a weak phrase says as well
_AGREES = 0.6  # what the grammar reads as well
_MAY_WELL = 0.4
_NOTICED = 0.25  # what may be said
_ABSENT = 0.15  # what a stray word may mean
_UNDERSTOOD = 0.5
_A_TITLE = 30  # characters
_ANOTHERS = 0.1  # that a request which names no goods is for another business
_FEW = 3  # words that no phrase explains
_LEGAL = "legal"
_ANY_REASON = "any.reason"
_REASON, _WANTS, _ASKS = "reason.", "wants.", "asks."
_GOES_ON = "asks.process"  # how a refund goes on: nothing that a decision must wait for
_ASIDE = ("supposed", "elsewhere", "withdrawn")
_FACTS: Mapping[Fact, tuple[str, str]] = {
    Fact.ITEM_USED: ("used.yes", "used.no"),
    Fact.ITEM_ALTERED: ("altered.yes", "altered.no"),
    Fact.ORIGINAL_BOX: ("box.yes", "box.no"),
}
_MEANT_BY: Mapping[str, tuple[str, ...]] = {
    **{reason: (f"{_REASON}{reason}",) for reason in Reason},
    **{str(fact): labels for fact, labels in _FACTS.items()},
    "mentioned": ("dispute",),
    "use_unclear": ("used.yes",),
    "partial_claim": ("partial",),
    "special_case": ("dispute", "elsewhere", "return_sent"),
    "legal": ("dispute",),
}
_AGAINST = tuple(
    (fact, fact is not Fact.ORIGINAL_BOX, *(labels if fact is not Fact.ORIGINAL_BOX else labels[::-1]))
    for fact, labels in _FACTS.items()
)
"""What speaks against a return: the fact, its value, the label for it and the one against it."""
_MILD = frozenset(
    {
        Reason.CHANGE_OF_MIND,
        Reason.MISTAKEN_ORDER,
        Reason.NATURAL_VARIATION,
        Reason.RING_OPENING,
        Reason.UNSPECIFIED,
    }
)
"""Reasons for which nobody is to blame, so that money may go back at once."""
_OWN_CHOICE = frozenset({Reason.CHANGE_OF_MIND, Reason.MISTAKEN_ORDER})
"""The customer's own: whoever gives both has the same order to take back, on the same terms."""
_LEAVES: Mapping[Reason, frozenset[Reason]] = {
    Reason.CUSTOMER_DAMAGE: frozenset({Reason.QUALITY_DEFECT, Reason.DAMAGED_IN_TRANSIT}),
    Reason.RING_OPENING: frozenset({Reason.QUALITY_DEFECT, Reason.DAMAGED_IN_TRANSIT}),
}
"""What a told cause leaves behind, and a heading ("stone cracked") names without it."""
_ABOUT_USE = frozenset({Fact.ITEM_USED, "use_unclear"})
_BY_LEARNING = Phrase(pattern="", needs=(), words=WordSet(()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """The sentences as both readers together read them, and whether they contradict each other."""

    sentences: tuple[ReadSentence, ...]
    disagree: bool


def review(sentences: Sequence[ReadSentence], ask: Callable[[ReadSentence], Probabilities]) -> Opinion:
    """Read the sentences of a mail once more.

    Args:
        sentences: as the grammar reads them.
        ask: the second reader.
    """
    heard = [ask(sentence) if _says_something(sentence) else {} for sentence in sentences]
    if not any(heard):
        return Opinion(sentences=tuple(sentences), disagree=False)
    if not any(NUMBER in sentence.wording.words for sentence in sentences):
        others = (_elsewhere(sentence, given) for sentence, given in zip(sentences, heard, strict=True))
        return Opinion(sentences=tuple(others), disagree=False)
    wish, used_told = read_wish(sentences), Fact.ITEM_USED in read_facts(sentences).values
    clearer = [
        _explain(sentence, given, asked_for=wish.clear, wished=bool(wish.places), used_told=used_told)
        if given
        else sentence
        for sentence, given in zip(sentences, heard, strict=True)
    ]
    clearer = _settle_reason(clearer, heard)
    reason = read_reason(clearer).reason
    clearer = [
        replace(sentence, unexplained=(), everyday=0, reason_unread=False)
        if _stated(reason, given) >= _GIVES
        else sentence
        for sentence, given in zip(clearer, heard, strict=True)
    ]
    return Opinion(sentences=tuple(clearer), disagree=_disagree(clearer, heard))


def _elsewhere(sentence: ReadSentence, given: Probabilities) -> ReadSentence:
    """One sentence, with what shows that a request is made to some other business."""
    if sentence.names_goods or given.get("no_order", 0.0) < _ANOTHERS:
        return sentence
    return replace(sentence, findings=(*sentence.findings, _learned(sentence, Kind.OTHER, "no_order")))


def _says_something(sentence: ReadSentence) -> bool:
    return bool(sentence.wording.spans) and bool(sentence.findings or sentence.unexplained or sentence.everyday)


def _explain(
    sentence: ReadSentence, given: Probabilities, *, asked_for: bool, wished: bool, used_told: bool
) -> ReadSentence:
    """One sentence: stray words that mean nothing more, questions that are none, wishes and facts in other words."""
    asked = max(value for label, value in given.items() if label.startswith(_ASKS) and label != _GOES_ON)
    findings = [
        finding
        for finding in sentence.findings
        if not (_is_question(finding) and ((asked_for and asked < _ABSENT) or _is_exchange(finding, given)))
        and not (finding.rule.value == _LEGAL and given["dispute"] < _threat(sentence))
    ]
    findings = list(_facts(findings, sentence, given))
    if not asked_for:
        findings += _wish(findings, sentence, given)
    if given["dispute"] >= _GIVES and not any(finding.rule.kind is Kind.DISPUTE for finding in findings):
        findings.append(_learned(sentence, Kind.DISPUTE, "mentioned"))
    if given["partial"] >= _GIVES and not any(finding.rule.value == PART for finding in findings):
        findings.append(_learned(sentence, Kind.DOUBT, PART))
    well_known = used_told or given["none"] >= _UNDERSTOOD or len(sentence.unexplained) <= _FEW
    hints = tuple(
        hint
        for hint in sentence.hints
        if not (wished and (well_known or _ABOUT_USE.isdisjoint(hint)) and _is_explained(hint, given))
    )
    no_reason = wished and given[_ANY_REASON] < _ABSENT
    return replace(
        sentence,
        findings=tuple(findings),
        hints=hints,
        reason_unread=sentence.reason_unread and not no_reason,
        asks_more=sentence.asks_more and asked >= _ABSENT,
        unexplained=() if no_reason else sentence.unexplained,
        everyday=0 if no_reason else sentence.everyday,
        foreign=sentence.foreign and given["none"] < _UNDERSTOOD,
    )


def _is_question(finding: Finding) -> bool:
    return finding.rule.kind is Kind.OTHER and finding.rule.value in QUESTIONS


def _is_exchange(finding: Finding, given: Probabilities) -> bool:
    """Whether a change that seems asked for ("another size, please") is one of the goods and not of a running order."""
    return finding.rule.value == "change" and given[f"{_WANTS}{Remedy.EXCHANGE}"] >= _GIVES


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
    for fact, (yes, no) in _FACTS.items():
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
                yield _learned(sentence, Kind.FACT, fact, "yes" if value else "no")
    yield from (finding for finding in findings if id(finding) not in wrong)


def _says(finding: Finding) -> bool:
    return (finding.rule.strength == "yes") != finding.negated


def _wish(findings: Sequence[Finding], sentence: ReadSentence, given: Probabilities) -> Iterator[Finding]:
    """The wish that the second reader hears of goods that the sentence names; what else is wished may be anybody's."""
    wishes = [finding for finding in findings if finding.rule.kind is Kind.WANTS]
    if (
        not (sentence.names_goods or given["no_order"] < _ANOTHERS)
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
        yield _learned(sentence, Kind.WANTS, best)


def _settle_reason(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities]) -> list[ReadSentence]:
    """Where the grammar has no clear reason, or several: the one that the second reader alone is sure of."""
    read = read_reason(sentences)
    if read.clear and read.conflict:
        sentences = [
            _without_guesses(sentence, given, read.reason) for sentence, given in zip(sentences, heard, strict=True)
        ]
        read = read_reason(sentences)
    if (read.clear and not read.conflict) or not read_wish(sentences).places:
        return list(sentences)
    likeliest = _reasons(heard)
    reason = max(likeliest, key=lambda each: likeliest[each], default=None)
    if reason is None:
        return list(sentences)
    weak = {finding.rule.value for _, finding in read.places}
    least = _CONFIRMS if reason in weak else _GIVES
    others = {each for each, value in likeliest.items() if value >= _NOTICED} - goes_with(reason)
    if likeliest[reason] < least or others or any(given.get(name, 0.0) >= _GIVES for given in heard for name in _ASIDE):
        return list(sentences)
    settled = []
    for sentence, given in zip(sentences, heard, strict=True):
        findings = [
            finding
            for finding in sentence.findings
            if finding.rule.kind is not Kind.REASON or finding.rule.value in goes_with(reason)
        ]
        stated = _stated(reason, given) >= least
        if stated and not _is_aside(sentence, given) and not _denies(sentence, reason):
            findings = [each for each in findings if each.rule.kind is not Kind.REASON]
            findings.append(_learned(sentence, Kind.REASON, reason))
        settled.append(replace(sentence, findings=tuple(findings)))
    return settled


def _without_guesses(sentence: ReadSentence, given: Probabilities, reason: Reason) -> ReadSentence:
    """Without other reasons that a phrase only hints at and the second reader does not notice."""
    if not given:
        return sentence
    unnoticed = given[_ANY_REASON] < _NOTICED
    kept = (
        finding
        for finding in sentence.findings
        if finding.rule.kind is not Kind.REASON
        or finding.rule.value == reason
        or not Strength(finding.rule.strength).uncertain
        or not (unnoticed or given[f"{_REASON}{finding.rule.value}"] < _NOTICED)
    )
    return replace(sentence, findings=tuple(kept))


def _reasons(heard: Sequence[Probabilities]) -> dict[Reason, float]:
    return {
        reason: max((_stated(reason, given) for given in heard), default=0.0)
        for reason in Reason
        if reason is not Reason.UNSPECIFIED
    }


def _stated(reason: Reason, given: Probabilities) -> float:
    """How likely a sentence gives this reason: at most as likely as that it gives one at all."""
    return min(given.get(f"{_REASON}{reason}", 0.0), given.get(_ANY_REASON, 0.0))


def _is_aside(sentence: ReadSentence, given: Probabilities) -> bool:
    only_asked = sentence.asks and not any(finding.rule.kind is Kind.WANTS for finding in sentence.findings)
    return only_asked or sentence.supposes or sentence.elsewhere or any(given[name] >= _NOTICED for name in _ASIDE)


def _denies(sentence: ReadSentence, reason: Reason) -> bool:
    return any(
        finding.rule.kind is Kind.REASON and finding.rule.value == reason and finding.mood is Mood.VOID
        for finding in sentence.findings
    )


def _disagree(sentences: Sequence[ReadSentence], heard: Sequence[Probabilities]) -> bool:
    """Whether the second reader hears what the grammar does not.

    Another reason, or one that cannot be named; that the request is none; that the goods were used, altered, or have no
    box any more.
    """
    read = read_reason(sentences)
    sureness = _reasons(heard).get(read.reason, 0.0)
    others = _other_reasons(sentences, heard, read.reason, confirmed=sureness >= _AGREES)
    if any(value >= _UNDERSTOOD for value in others.values()):
        return True
    if sureness < _GIVES and _hints_at_another(sentences, read.reason):
        return True
    unnamed = sureness < _AGREES or max(others.values(), default=0.0) >= _MAY_WELL
    if unnamed and any(map(_gives_a_reason_unread, sentences, heard)):
        return True
    if any(map(_is_meant_otherwise, sentences, heard)):
        return True
    values = read_facts(sentences).values
    agreed = {
        fact
        for fact, value, _, other in _AGAINST
        if values.get(fact) is (not value) and any(given.get(other, 0.0) >= _SURE for given in heard)
    }
    return any(
        given.get(against, 0.0) >= (_UNDERSTOOD if fact in agreed else _NOTICED)
        and given[against] > given[other] / 2
        and values.get(fact) != value
        for given in heard
        for fact, value, against, other in _AGAINST
    )


def _other_reasons(
    sentences: Sequence[ReadSentence], heard: Sequence[Probabilities], told: Reason, *, confirmed: bool
) -> dict[Reason, float]:
    """How likely each other reason is, where a sentence does not rather give the one that was read.

    Args:
        sentences: as read.
        heard: by the second reader.
        told: the reason that was read.
        confirmed: the second reader hears it as well; then a denial that the grammar sees is one.
    """
    known, found = goes_with(told), dict.fromkeys(Reason, 0.0)
    for sentence, given in zip(sentences, heard, strict=True):
        for reason in set(Reason) - known:
            value = _stated(reason, given)
            spared = confirmed and (_is_like(told, reason) or _denies(sentence, reason))
            if value > _stated(told, given) and not spared:
                found[reason] = max(found[reason], value)
    return found


def _hints_at_another(sentences: Sequence[ReadSentence], told: Reason) -> bool:
    """Whether a phrase may give a reason that the customer could not help."""
    mild = goes_with(told) | _MILD
    return told in _MILD and any(
        finding.rule.kind is Kind.REASON and finding.rule.value not in mild and finding.mood is not Mood.VOID
        for sentence in sentences
        for finding in sentence.findings
    )


def _is_meant_otherwise(sentence: ReadSentence, given: Probabilities) -> bool:
    """Whether the request is taken back; or what it asks, or why, is most likely supposed or told of others."""
    if given.get("withdrawn", 0.0) >= _SURE:
        return True
    tells = any(finding.rule.kind in {Kind.REASON, Kind.WANTS, Kind.FACT} for finding in sentence.findings)
    return tells and any(given.get(name, 0.0) >= _SURE for name in _ASIDE)


def _is_like(told: Reason, heard: Reason) -> bool:
    """Whether a reason that only the second reader hears is no other than the one that both do."""
    return heard in _LEAVES.get(told, frozenset()) or {told, heard} <= _OWN_CHOICE


def _gives_a_reason_unread(sentence: ReadSentence, given: Probabilities) -> bool:
    """Whether it most likely says why, and in words that neither reader can name."""
    return given.get(_ANY_REASON, 0.0) >= _GIVES and not any(
        finding.rule.kind is Kind.REASON for finding in sentence.findings
    )


def _learned(sentence: ReadSentence, kind: Kind, value: str, strength: str = Strength.CLEAR) -> Finding:
    """A finding that no phrase made: the whole sentence is its place."""
    spans = sentence.wording.spans
    return Finding(
        rule=Rule(kind=kind, value=value, strength=strength, phrase=_BY_LEARNING),
        first=0,
        last=len(spans) - 1,
        start=spans[0][0],
        end=spans[-1][1],
        quote=sentence.quote,
        mood=Mood.ASSERTED,
        negated=False,
    )
