"""Which phrases of the lexicon stand in a sentence, and are they meant as they stand?"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailbot.understand.lexicons import Frame, Kind, Lexicon, Rule, Strength
from mailbot.understand.wording import CLAUSE_MARK, DATE, NUMBER, Wording

_REACH = 6  # words that a negator reaches forward, as long as no break stands between
_LIST_REACH = 4  # words after a comma in which "or" shows that a denied list goes on
_FOREIGN_SHARE = 0.6  # of a sentence's words unknown to the lexicon; beyond that it is in another language
_FOREIGN_WORDS = 4
_TAKEN_BACK = frozenset({"thanks", "withdrawn"})
_STATEMENTS = _TAKEN_BACK | {"service"}  # values of ``other`` that a negator turns around
_LEAST_QUESTION = 3  # words


class Mood(StrEnum):
    """How a phrase is meant."""

    ASSERTED = "asserted"
    HEDGED = "hedged"
    CONDITIONAL = "conditional"
    ASKED = "asked"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One phrase in one sentence.

    Attributes:
        first, last: the first and the last of its words.
        start, end, quote: where it stands in the sentence's part of the mail, and those words.
        mood: ``VOID`` where the words say the opposite, suppose it, or speak of something else.
    """

    rule: Rule
    first: int
    last: int
    start: int
    end: int
    quote: str
    mood: Mood
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSentence:
    """One sentence as read.

    Attributes:
        findings: in the order of the words; frames and fillers are left out.
        unexplained: words that no phrase explains and that are not neutral.
        everyday: how many words no phrase explains that are neutral by themselves only.
        hints: for each such word that is not denied, the reasons, facts and doubts that it may tell of.
        reason_unread: something is denied, or announced as a reason ("because"), and not understood.
        elsewhere: it speaks of another order, shop or person.
        foreign: hardly a word is of the lexicon's language.
        asks_more: a question that no phrase explains.
        names_goods: it says what it is about: an order, goods, an invoice, a number.
    """

    part: str
    findings: tuple[Finding, ...]
    wording: Wording
    unexplained: tuple[str, ...]
    everyday: int
    hints: tuple[frozenset[str], ...]
    reason_unread: bool
    elsewhere: bool
    foreign: bool
    asks_more: bool
    names_goods: bool


def read_sentence(text: str, part: str, wording: Wording, lexicon: Lexicon, *, asks: bool) -> ReadSentence:
    """Find every phrase of the lexicon in one sentence and judge how each is meant.

    Args:
        text: the part's whole text.
        part: ``"body"`` or ``"subject"``.
        wording: the sentence in plain words.
        lexicon: of the sentence's language.
        asks: it ends with a question mark.
    """
    matches = list(_matches(wording, lexicon))
    frames: dict[str, list[_Match]] = {}
    for match in matches:
        if match[0].kind is Kind.FRAME:
            frames.setdefault(match[0].value, []).append(match)
    scope = _Scope(wording, lexicon, frames, asks=asks)
    findings = [
        Finding(
            rule=rule,
            first=first,
            last=last,
            start=wording.spans[first][0],
            end=wording.spans[last][1],
            quote=text[wording.spans[first][0] : wording.spans[last][1]],
            mood=scope.mood(rule, first, last),
            negated=scope.denies(rule, first, last),
        )
        for rule, first, last in matches
        if rule.kind not in {Kind.FRAME, Kind.FILLER}
    ]
    others = [
        (found.rule, found.first, found.last)
        for found in findings
        if found.rule.kind is Kind.OTHER and found.mood is not Mood.VOID
    ]
    others += [match for match in matches if match[0].kind is Kind.FILLER]
    findings = [finding for finding in findings if not _explained_away(finding, others)]
    return _accounted(text, part, wording, lexicon, matches, findings, scope)


def _explained_away(finding: Finding, others: Sequence["_Match"]) -> bool:
    """Whether the words are part of something else ("cancel" in a question about the cancellation policy)."""
    kind = finding.rule.kind
    if kind in {Kind.DISPUTE, Kind.DOUBT}:
        return False
    weak = finding.rule.strength in {Strength.LIKELY, Strength.VAGUE}
    return any(
        first <= finding.first and finding.last <= last and (weak or (rule.kind is Kind.FILLER) == (kind is Kind.OTHER))
        for rule, first, last in others
    )


_Match = tuple[Rule, int, int]


def _matches(wording: Wording, lexicon: Lexicon) -> Iterator[_Match]:
    for place in lexicon.candidates(wording.words):
        rule = lexicon.rules[place]
        match = rule.phrase.regex.search(wording.text)
        while match is not None:
            yield rule, wording.place(match.start()), wording.place(match.end() - 1)
            match = rule.phrase.regex.search(wording.text, match.end())


class _Scope:
    """What the frames and negators of one sentence reach."""

    def __init__(self, wording: Wording, lexicon: Lexicon, frames: dict[str, list[_Match]], *, asks: bool) -> None:
        self.words, self.lexicon = wording.words, lexicon
        polite = _places(frames.get(Frame.POLITE, ()))
        openers = [first for _, first, _ in frames.get(Frame.HYPOTHETICAL, ()) if first not in polite]
        self.supposed = {place for first in openers for place in range(first, self._clause_end(first))}
        self.conditional = bool(openers)
        self.hedged = Frame.HEDGE in frames
        self.elsewhere = Frame.ELSEWHERE in frames
        self.reported = Frame.REPORTED in frames
        self.asks = asks or Frame.QUESTION in frames
        self.denying = not lexicon.negators.isdisjoint(wording.words)
        self.negated = self._negated(_places(frames.get(Frame.AFFIRMING, ()))) if self.denying else ()

    def mood(self, rule: Rule, first: int, last: int) -> Mood:
        """How a phrase at these words is meant; questions and disputes count however they are put."""
        if rule.kind is Kind.DISPUTE or (rule.kind is Kind.OTHER and rule.value not in _STATEMENTS):
            return Mood.ASSERTED
        if rule.kind in {Kind.DOUBT, Kind.OTHER}:
            void = self.denies(rule, first, last) or (rule.value in _TAKEN_BACK and first in self.supposed)
            return Mood.VOID if void else Mood.ASSERTED
        if first in self.supposed or last in self.supposed:
            return Mood.VOID
        if self.elsewhere and rule.kind is Kind.WANTS:
            return Mood.HEDGED
        if (self.elsewhere or self.reported) and rule.kind is not Kind.WANTS:
            return Mood.VOID
        if rule.kind is not Kind.FACT and self.denies(rule, first, last):
            return Mood.VOID
        if rule.kind is Kind.WANTS and self.conditional:
            return Mood.VOID if self.hedged else Mood.CONDITIONAL
        if rule.kind is not Kind.FACT and self.hedged:
            return Mood.HEDGED
        return Mood.ASKED if self.asks else Mood.ASSERTED

    def denies(self, rule: Rule, first: int, last: int) -> bool:
        """Whether a negator reaches the phrase, from before it or out of one of its gaps."""
        if not self.denying:
            return False
        inside = self.words[first : last + 1]
        return self.negated[first] or any(word in self.lexicon.negators - rule.phrase.words for word in inside)

    def _clause_end(self, first: int) -> int:
        after = range(first + 1, len(self.words))
        return next((place for place in after if self.words[place] == CLAUSE_MARK), len(self.words))

    def _negated(self, affirming: set[int]) -> list[bool]:
        words, reach = self.words, 0
        negated = []
        for place, word in enumerate(words):
            if word in self.lexicon.breaks:
                reach = 0
            negated.append(reach > 0)
            if word in self.lexicon.negators and place not in affirming:
                reach = _REACH
            elif word == CLAUSE_MARK:
                goes_on = any(
                    after in self.lexicon.alternatives for after in words[place + 1 : place + 1 + _LIST_REACH]
                )
                reach = _REACH if reach and goes_on else 0
            elif word in self.lexicon.alternatives and reach:
                reach = _REACH
            else:
                reach -= reach > 0
        return negated


def _places(matches: Iterable[_Match]) -> set[int]:
    return {place for _, first, last in matches for place in range(first, last + 1)}


def _accounted(
    text: str,
    part: str,
    wording: Wording,
    lexicon: Lexicon,
    matches: Sequence[_Match],
    findings: Sequence[Finding],
    scope: _Scope,
) -> ReadSentence:
    """Count what of the sentence the phrases explain, word by word."""
    covered = {
        place
        for rule, first, last in matches
        for place in range(first, last + 1)
        if wording.words[place] in rule.phrase.words or lexicon.has_stems
    }
    open_words = [
        (place, word) for place, word in enumerate(wording.words) if place not in covered and word[0].isalpha()
    ]
    strange = [(place, word) for place, word in open_words if word not in lexicon.neutral]
    everyday = [place for place, word in open_words if word in lexicon.everyday]
    unknown = sum(word not in lexicon.vocabulary for _, word in strange)
    return ReadSentence(
        part=part,
        findings=tuple(sorted(findings, key=lambda finding: (finding.first, finding.last))),
        wording=wording,
        unexplained=tuple(word for place, word in strange if not _is_name(text, wording, lexicon, place)),
        everyday=len(everyday),
        hints=tuple(
            lexicon.tells[word]
            for place, word in strange
            if word in lexicon.tells and not (scope.denying and scope.negated[place])
        ),
        reason_unread=any(word in lexicon.negators for _, word in open_words)
        or _ground_unread(wording, lexicon, findings, {*everyday, *(place for place, _ in strange)}),
        elsewhere=scope.elsewhere,
        foreign=unknown >= _FOREIGN_WORDS and unknown > _FOREIGN_SHARE * (len(covered) + len(open_words)),
        asks_more=scope.asks
        and len(open_words) >= _LEAST_QUESTION
        and not any(finding.rule.kind in {Kind.WANTS, Kind.OTHER} for finding in findings),
        names_goods=not lexicon.goods.isdisjoint(wording.words),
    )


def _is_name(text: str, wording: Wording, lexicon: Lexicon, place: int) -> bool:
    start, end = wording.spans[place]
    capital = text[start].isupper() and not text[start:end].isupper()
    return lexicon.names_capitalised and place > 0 and capital and wording.words[place] not in lexicon.vocabulary


def _ground_unread(wording: Wording, lexicon: Lexicon, findings: Sequence[Finding], unread: set[int]) -> bool:
    """Whether a reason is announced, before "so" or after "because", and the words there say none that is known."""
    if lexicon.grounds.isdisjoint(wording.words) and lexicon.conclusions.isdisjoint(wording.words):
        return False
    reasons = [finding.first for finding in findings if finding.rule.kind is Kind.REASON]
    for place, word in enumerate(wording.words):
        if word in lexicon.grounds and any(after > place for after in unread):
            return not any(first > place for first in reasons)
        if word in lexicon.conclusions and any(before < place for before in unread):
            return not any(first < place for first in reasons)
    return False
