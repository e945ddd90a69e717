"""Which phrases of the lexicon stand in a sentence, how are they meant, and which words do they leave unexplained?"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mailbot.understand.lexicons import NO_ORDER, Kind, Lexicon, Rule, Strength
from mailbot.understand.scope import Match, Mood, Scope
from mailbot.understand.wording import CLAUSE_MARK, NUMBER, Wording

_FOREIGN_SHARE = 0.6  # of a sentence's words unknown to the lexicon; beyond that it is in another language
_FOREIGN_WORDS = 4
_LEAST_QUESTION = 3  # unexplained words that make a question one
_LONGEST_NAME = 3  # words
_NAMED = "named"  # the value of ``items`` for one piece
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
        quote: its words as they stand there.
        findings: in the order of the words; frames and fillers are left out.
        unexplained: words that no phrase explains and that are not neutral.
        everyday: how many words no phrase explains that are neutral by themselves only.
        hints: for each unexplained word that is not denied, the reasons, facts and doubts that it may tell of.
        reason_unread: something is denied, or announced as a reason ("because"), and not understood.
        denies: a negator stands in it that no phrase explains.
        supposes: something in it is supposed ("if it breaks").
        elsewhere: it speaks of another order, shop or person.
        foreign: hardly a word is of the lexicon's language.
        asks: it is a question.
        asks_more: a question that no phrase explains.
        names_goods: it says what it is about: an order, goods, an invoice, a number.
    """

    part: str
    quote: str
    findings: tuple[Finding, ...]
    wording: Wording
    unexplained: tuple[str, ...]
    everyday: int
    hints: tuple[frozenset[str], ...]
    reason_unread: bool
    denies: bool
    supposes: bool
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
    if any(finding.rule.value == NO_ORDER for finding in findings):
        beyond = _beyond_the_shop(findings, wording.words, lexicon)
        findings = [finding for finding in findings if finding.rule.value != NO_ORDER or finding in beyond]
    covers = [match for match in matches if match.rule.kind is Kind.FILLER]
    covers += [
        Match(found.rule, found.first, found.last)
        for found in findings
        if found.rule.kind is Kind.OTHER and found.mood is not Mood.VOID
    ]
    findings = [finding for finding in findings if not _is_part_of(finding, covers, wording.words)]
    left = _Left((), (), denies=False)
    if findings or not _is_listing(wording.words, lexicon):
        left = _left_over(wording, lexicon, matches)
    unknown = sum(not _is_known(word, lexicon) for _, word in left.strange)
    is_signed = _is_signed(text, wording, lexicon)
    return ReadSentence(
        part=part,
        quote=text[wording.spans[0][0] : wording.spans[-1][1]] if wording.spans else "",
        findings=tuple(sorted(findings, key=lambda finding: (finding.first, finding.last))),
        wording=wording,
        unexplained=()
        if is_signed
        else tuple(word for place, word in left.strange if not _is_name(text, wording, lexicon, place)),
        everyday=len(left.everyday),
        hints=tuple(
            hint
            for place, word in left.strange
            if (hint := lexicon.hints(word)) and not (is_signed or scope.is_denied(place))
        ),
        reason_unread=left.denies
        or _ground_unread(wording.words, lexicon, findings, {*left.everyday, *(place for place, _ in left.strange)}),
        denies=left.denies,
        supposes=scope.supposes,
        elsewhere=scope.elsewhere,
        foreign=unknown >= _FOREIGN_WORDS and unknown > _FOREIGN_SHARE * len(wording.words),
        asks=scope.asks,
        asks_more=scope.asks and left.asks() and not _asks_or_wishes(findings),
        names_goods=lexicon.goods.stand_in(wording.words),
    )


def _matches(wording: Wording, lexicon: Lexicon) -> Iterator[Match]:
    for place in lexicon.candidates(wording.words):
        rule = lexicon.rules[place]
        found = rule.phrase.regex.search(wording.text)
        while found is not None:
            yield Match(rule, wording.place(found.start()), wording.place(found.end() - 1))
            found = rule.phrase.regex.search(wording.text, found.end())


def _beyond_the_shop(findings: Sequence[Finding], words: Sequence[str], lexicon: Lexicon) -> list[Finding]:
    """What shows that a sentence is meant for another business; nothing where that is only mentioned.

    It is where a clause asks for or tells something of the shop's goods: "my flight is tomorrow, please cancel order
    AW-10231", "the ring broke at the hotel". "Cancel my order because of the trip" is about an order, not about a trip.
    """
    goods = {place for places in lexicon.goods.places(words) for place in places}
    beyond = [
        finding for finding in findings if finding.rule.value == NO_ORDER and goods.isdisjoint(_gaps(finding, words))
    ]
    told = {
        finding.first
        for finding in findings
        if finding.rule.kind in {Kind.WANTS, Kind.REASON} and finding.mood is not Mood.VOID
    }
    if told and NUMBER in words[: min((finding.first for finding in beyond), default=0)]:
        return []
    items = {finding.last for finding in findings if finding.rule.kind is Kind.ITEM and finding.rule.value == _NAMED}
    start = 0
    for end in (*(place for place, word in enumerate(words) if word == CLAUSE_MARK), len(words)):
        clause, start = range(start, end), end + 1
        if told.isdisjoint(clause):
            continue
        others = [finding for finding in beyond if finding.first in clause]
        own = {place for finding in others for place in range(finding.first, finding.last + 1)}
        own -= {place for finding in others for place in _gaps(finding, words)}
        if (not others and not goods.isdisjoint(clause)) or not (items - own).isdisjoint(clause):
            return []
    return beyond


def _gaps(finding: Finding, words: Sequence[str]) -> list[int]:
    own = finding.rule.phrase.words
    return [place for place in range(finding.first, finding.last + 1) if words[place] not in own]


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
            inside = words[finding.first : finding.last + 1]
            if is_filler and (weak or kind is Kind.OTHER) and all(word in own for word in inside):
                return True
    return False


class _Left(NamedTuple):
    """The words of a sentence that no phrase explains; what stands in a phrase's gap is not explained by it.

    Attributes:
        strange: places and words that are not neutral. Of running text, pieces of two characters.
        everyday: places of words that are neutral by themselves only.
        silent: how many others, which never say anything.
        denies: a negator is among them.
    """

    strange: Sequence[tuple[int, str]]
    everyday: Sequence[int]
    silent: int = 0
    denies: bool = False

    def asks(self) -> bool:
        """Whether they are enough to ask something; words that never say anything ("what now?") ask nothing."""
        telling = len(self.strange) + len(self.everyday)
        return telling > 0 and telling + self.silent >= _LEAST_QUESTION


def _left_over(wording: Wording, lexicon: Lexicon, matches: Sequence[Match]) -> _Left:
    explained = {
        place
        for match in matches
        if match.rule.kind is not Kind.FOLLOW_UP
        for place in range(match.first, match.last + 1)
        if wording.words[place] in match.rule.phrase.words
    }
    words = wording.words
    still = [place for place, word in enumerate(words) if word[0].isalpha() and place not in explained]
    neutral = {place for places in lexicon.neutral.places(words) for place in places}
    unread = set(still)
    everyday = [places[0] for places in lexicon.everyday.places(words) if not unread.isdisjoint(places)]
    strange = [(place, words[place]) for place in still if place not in neutral]
    return _Left(
        strange=strange if lexicon.spaced else _in_pieces(strange),
        everyday=everyday,
        silent=len(still) - len(strange) - len(everyday) if lexicon.spaced else 0,
        denies=any(words[place] in lexicon.negators for place in still),
    )


def _in_pieces(characters: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Neighbouring characters by two, which is about a word of running text."""
    pieces: list[tuple[int, str]] = []
    for place, character in characters:
        if pieces and pieces[-1][0] == place - 1 and len(pieces[-1][1]) == 1:
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + character)
        else:
            pieces.append((place, character))
    return pieces


def _is_known(word: str, lexicon: Lexicon) -> bool:
    return word in lexicon.vocabulary or (not lexicon.spaced and all(sign in lexicon.vocabulary for sign in word))


def _is_listing(words: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether this is a line of a pasted paper ("1 x Locket, 45 cm 118.00"): figures, and hardly a word that joins."""
    figures = any(word == NUMBER or word[0].isdigit() for word in words)
    return figures and len(lexicon.neutral.places(words)) - len(lexicon.everyday.places(words)) <= 1


def _is_signed(text: str, wording: Wording, lexicon: Lexicon) -> bool:
    """Whether this is a name on a line of its own: a few unknown words, each with a capital."""
    return 0 < len(wording.words) <= _LONGEST_NAME and all(
        text[start].isupper() and word not in lexicon.vocabulary.exact
        for word, (start, _) in zip(wording.words, wording.spans, strict=True)
    )


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
