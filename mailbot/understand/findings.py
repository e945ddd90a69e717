"""Which phrases of the lexicon stand in a sentence, how are they meant, and which words do they leave unexplained?"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from mailbot.understand.lexicons import Kind, Lexicon, Rule, Strength
from mailbot.understand.scope import Match, Mood, Scope
from mailbot.understand.wording import NUMBER, Wording

_FOREIGN_SHARE = 0.6  # of a sentence's words unknown to the lexicon; beyond that it is in another language
_FOREIGN_WORDS = 4
_LEAST_QUESTION = 3  # unexplained words that make a question one
_SAYS_NOTHING = frozenset({Kind.FRAME, Kind.FILLER})
_STANDS_ANYWHERE = frozenset({Kind.DISPUTE, Kind.DOUBT, Kind.FOLLOW_UP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One phrase in one sentence.

    Attributes:
        first, last: the first and the last of its words.
        start, end, quote: where it stands in the sentence's part of the mail, and those words.
        negated: a negator reaches it.
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
        hints: for each unexplained word that is not denied, the reasons, facts and doubts that it may tell of.
        reason_unread: something is denied, or announced as a reason ("because"), and not understood.
        elsewhere: it speaks of another order, shop or person.
        foreign: hardly a word is of the lexicon's language.
        asks: it is a question.
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
    asks: bool
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
    scope = Scope(wording.words, lexicon, matches, asks=asks)
    findings = [
        Finding(
            rule=match.rule,
            first=match.first,
            last=match.last,
            start=wording.spans[match.first][0],
            end=wording.spans[match.last][1],
            quote=text[wording.spans[match.first][0] : wording.spans[match.last][1]],
            mood=scope.mood(match),
            negated=scope.denies(match),
        )
        for match in matches
        if match.rule.kind not in _SAYS_NOTHING
    ]
    covers = [match for match in matches if match.rule.kind is Kind.FILLER]
    covers += [
        Match(found.rule, found.first, found.last)
        for found in findings
        if found.rule.kind is Kind.OTHER and found.mood is not Mood.VOID
    ]
    findings = [finding for finding in findings if not _is_part_of(finding, covers, wording.words)]
    open_words = [] if not findings and _is_listing(wording.words, lexicon) else _open_words(wording, lexicon, matches)
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
            lexicon.tells[word] for place, word in strange if word in lexicon.tells and not scope.is_denied(place)
        ),
        reason_unread=any(word in lexicon.negators for _, word in open_words)
        or _ground_unread(wording.words, lexicon, findings, {*everyday, *(place for place, _ in strange)}),
        elsewhere=scope.elsewhere,
        foreign=unknown >= _FOREIGN_WORDS and unknown > _FOREIGN_SHARE * len(wording.words),
        asks=scope.asks,
        asks_more=scope.asks and len(open_words) >= _LEAST_QUESTION and not _asks_or_wishes(findings),
        names_goods=not lexicon.goods.isdisjoint(wording.words),
    )


def _matches(wording: Wording, lexicon: Lexicon) -> Iterator[Match]:
    for place in lexicon.candidates(wording.words):
        rule = lexicon.rules[place]
        found = rule.phrase.regex.search(wording.text)
        while found is not None:
            yield Match(rule, wording.place(found.start()), wording.place(found.end() - 1))
            found = rule.phrase.regex.search(wording.text, found.end())


def _is_part_of(finding: Finding, covers: Sequence[Match], words: Sequence[str]) -> bool:
    """Whether the words belong to a phrase that says something else ("cancel" in "is there a cancellation fee?").

    A question takes all that stands in it, but for disputes and doubts; a filler takes questions and weak phrases,
    and only by words of its own.
    """
    kind = finding.rule.kind
    if kind in _STANDS_ANYWHERE:
        return False
    weak = finding.rule.strength in {Strength.LIKELY, Strength.VAGUE}
    for cover in covers:
        if cover.first <= finding.first and finding.last <= cover.last:
            is_filler = cover.rule.kind is Kind.FILLER
            if not is_filler and (weak or kind is not Kind.OTHER):
                return True
            own = cover.rule.phrase.words
            if is_filler and (weak or kind is Kind.OTHER) and own.issuperset(words[finding.first : finding.last + 1]):
                return True
    return False


def _open_words(wording: Wording, lexicon: Lexicon, matches: Sequence[Match]) -> list[tuple[int, str]]:
    """The words that no phrase explains; what stands in a phrase's gap is not explained by it."""
    explained = {
        place
        for match in matches
        if match.rule.kind is not Kind.FOLLOW_UP
        for place in range(match.first, match.last + 1)
        if lexicon.has_stems or wording.words[place] in match.rule.phrase.words
    }
    return [(place, word) for place, word in enumerate(wording.words) if word[0].isalpha() and place not in explained]


def _is_listing(words: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether this is a line of a pasted paper ("1 x Locket, 45 cm 118.00"): figures, and hardly a word that joins."""
    figures = any(word == NUMBER or word[0].isdigit() for word in words)
    return figures and sum(word in lexicon.neutral and word not in lexicon.everyday for word in words) <= 1


def _is_name(text: str, wording: Wording, lexicon: Lexicon, place: int) -> bool:
    start, end = wording.spans[place]
    capital = text[start].isupper() and not text[start:end].isupper()
    return lexicon.names_capitalised and place > 0 and capital and wording.words[place] not in lexicon.vocabulary


def _asks_or_wishes(findings: Sequence[Finding]) -> bool:
    return any(finding.rule.kind in {Kind.WANTS, Kind.OTHER} for finding in findings)


def _ground_unread(
    words: Sequence[str], lexicon: Lexicon, findings: Sequence[Finding], unread: Collection[int]
) -> bool:
    """Whether a reason is announced, before "so" or after "because", and the words there say none that is known."""
    if lexicon.grounds.isdisjoint(words) and lexicon.conclusions.isdisjoint(words):
        return False
    reasons = [finding.first for finding in findings if finding.rule.kind is Kind.REASON]
    for place, word in enumerate(words):
        if word in lexicon.grounds and any(after > place for after in unread):
            return not any(first > place for first in reasons)
        if word in lexicon.conclusions and any(before < place for before in unread):
            return not any(first < place for first in reasons)
    return False
