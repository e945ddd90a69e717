"""What does the customer ask for, why, and how sure is a careful reader? Every answer with the words it rests on."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from mailbot.model.facts import Claim, Reason
from mailbot.model.reading import Body, ClaimedPiece, GoodsRow, SegmentKind, Span, Topic
from mailbot.understand.doubts import (
    IN_DOUBT,
    PART,
    READERS_DISAGREE,
    SPEAKS_FOR_ITSELF,
    confidence,
    find_doubts,
    is_ours,
)
from mailbot.understand.findings import ReadSentence, read_sentence
from mailbot.understand.follow_ups import read_follow_ups
from mailbot.understand.lexicons import NO_ORDER, Fact, Kind, Lexicon
from mailbot.understand.part import find_part
from mailbot.understand.reason import read_reason
from mailbot.understand.scope import Mood
from mailbot.understand.second_opinion import review, says_something
from mailbot.understand.second_reader import load_second_reader, together
from mailbot.understand.sentences import split_sentences
from mailbot.understand.settling import LIKELY, settle
from mailbot.understand.stated_dates import find_dates
from mailbot.understand.stated_facts import read_facts
from mailbot.understand.whole_mail import REQUEST, Seen, Weighing, load_scales
from mailbot.understand.wish import Place, StatedWish, read_wish
from mailbot.understand.wording import NUMBER, word_sentence, words_of

LANGUAGE_NOT_READ = "language_not_read"
_LONG_ENOUGH = 160  # characters; of a longer text the detector is believed
_SAMPLE = 4_000  # characters that tell which lexicon fits
_AS_GOOD = 0.8  # of the words that the best lexicon knows
_LEAST_KNOWN = 0.35  # of the words, for a text of unclear language
_WHOLE = "whole"
_TO_THE_MACHINE = "addresses_the_machine"
_ABOUT_RULES = frozenset({"policy", "process"})
"""What may be asked beside an order and a reason: whether AW-10231, which is disliked, is eligible for a refund."""
_NEVER, _SURELY = 0.05, 0.95  # that something is asked for, by the words of all sentences
_TAKEN_BACK = "withdrawn"
_BILLING = "billing"
_LEAST_KNOWN_AGAINST = 0.6  # where the text was taken for a language without lexicon
_REFERENCE = re.compile(r"[A-Za-z#]-?\d{4}|\d{5}")
_REPLY_MARK = re.compile(
    r"\s*(?:\[[^\]]{1,40}\]\s*)?(?:(?:re|aw|sv|antw|fwd?|wg|tr|rv|vs|vl|odp|res|enc|ynt|rif|ref|i|pd|\u56de\u590d|\u7b54\u590d|\u8f6c\u53d1|\u8fd4\u4fe1|\u8ee2\u9001)\s?(?:\[\d{1,3}\])?[:\uff1a]\s*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimReading:
    """One mail's claim.

    Attributes:
        language: ISO 639-1 of the lexicon that it was read by; ``None`` where none fits.
        topic: what the customer writes about.
        claim: as stated. Its ``reason_confidence`` is under 0.8 wherever there is a doubt, and 0 where nothing is
            asked for. ``lines`` stays empty: words name goods by kind, not by sku.
        spans: the words that each fact was read from. A span of the fact ``lines`` names one item: of an order that
            has more, the claim may be about a part only.
        part: that part, where it is certain which pieces of the enclosed invoice it is.
        doubts: what keeps a machine from deciding, one short constant text each.
        follow_ups: what the body says about a case that is running, whatever the topic.
    """

    topic: Topic
    claim: Claim
    spans: tuple[Span, ...]
    doubts: tuple[str, ...]
    language: str | None = None
    part: tuple[ClaimedPiece, ...] = ()
    follow_ups: tuple[Span, ...] = ()


def read_claim(
    subject: str,
    body: Body,
    lexicons: Mapping[str, Lexicon],
    language: str | None,
    *,
    asked_on: date,
    day_first: bool,
    goods: Sequence[GoodsRow] = (),
    scales: Weighing | None = None,
) -> ClaimReading:
    """Read the subject and what the customer wrote now; quotes, signatures and hidden text never speak.

    Args:
        subject: decoded. One that starts with "Re:" may hold the shop's words, and only ever hints.
        body: the mail's text with its segments.
        lexicons: by language.
        language: of the new text, from ``detect_language``.
        asked_on: day of the request in the shop's time zone; no date of receipt lies after it.
        day_first: how the customer most likely orders day and month in numbers.
        goods: rows of the enclosed invoice, by which it is told which pieces a claim about a part is about.
        scales: what weighs the whole mail, if not those that ship.
    """
    new = " \n".join(body.text[part.start : part.end] for part in body.segments if part.kind is SegmentKind.NEW)
    lexicon = _choose_lexicon(f"{subject} \n{new}", lexicons, language)
    if lexicon is None:
        return _unread(subject, new)
    reader = _Reader(lexicon=lexicon, asked_on=asked_on, day_first=day_first)
    own = [
        sentence
        for segment in body.segments
        if segment.kind is SegmentKind.NEW
        for sentence in reader.read(body.text, "body", segment.start, segment.end)
    ]
    mark = _REPLY_MARK.match(subject)
    heading = list(reader.read(subject, "subject", mark.end() if mark else 0, len(subject)))
    reading = _judge(own, heading, lexicon, scales or load_scales(), carried=mark is not None, goods=goods)
    return replace(reading, language=lexicon.language, follow_ups=read_follow_ups(body.text, own, lexicon))


def _unread(subject: str, new: str) -> ClaimReading:
    """What is made of a language without a lexicon: who names an order wants something of it, and a person reads it."""
    topic = Topic.REFUND_REQUEST if _REFERENCE.search(f"{subject} {new}") else Topic.OTHER
    claim = Claim(reason=Reason.UNSPECIFIED, reason_confidence=0.0)
    return ClaimReading(topic=topic, claim=claim, spans=(), doubts=(LANGUAGE_NOT_READ,))


def _choose_lexicon(text: str, lexicons: Mapping[str, Lexicon], language: str | None) -> Lexicon | None:
    """The lexicon of the detected language; of a short text, the one that knows most of its words.

    A detector is easily wrong about ten words, and the words are what the reading rests on.
    """
    detected = lexicons.get(language or "")
    if detected is not None and len(text) > _LONG_ENOUGH:
        return detected
    words = words_of(text[:_SAMPLE])
    known = {code: _known(words, lexicon) for code, lexicon in lexicons.items()}
    best = max(known, key=lambda code: known[code], default=None)
    if best is None:
        return None
    if detected is not None and known[detected.language] >= _AS_GOOD * known[best]:
        return detected
    least = _LEAST_KNOWN_AGAINST if language is not None and detected is None else _LEAST_KNOWN
    return lexicons[best] if known[best] > least * len(words) else detected


def _known(words: Sequence[str], lexicon: Lexicon) -> int:
    same = lexicon.spelling.same
    folded = lexicon.spelling.fold("\n".join(words)).split("\n")  # all at once: no word holds a line's end
    return sum(word in lexicon.vocabulary or word in same for word in folded)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    lexicon: Lexicon
    asked_on: date
    day_first: bool

    def read(self, text: str, part: str, start: int, end: int) -> Iterator[ReadSentence]:
        """The sentences of one stretch of a part's text, each with all that the lexicon finds in it."""
        lexicon = self.lexicon
        for place in split_sentences(text, start, end, lexicon.abbreviations):
            stretch = (place.start, place.end)
            dates = find_dates(text, stretch, lexicon.dates, asked_on=self.asked_on, day_first=self.day_first)
            wording = word_sentence(
                text, stretch, spelling=lexicon.spelling, known=lexicon.vocabulary.exact, dates=dates
            )
            yield read_sentence(text, part, wording, lexicon, asks=place.asks)


def _judge(
    own: Sequence[ReadSentence],
    heading: Sequence[ReadSentence],
    lexicon: Lexicon,
    scales: Weighing,
    *,
    carried: bool,
    goods: Sequence[GoodsRow],
) -> ClaimReading:
    """Put wish, reason and facts together; a subject carried along in a reply only speaks where the body is silent."""
    second = load_second_reader()
    sentences = [*own] if carried else [*heading, *own]
    part = find_part(sentences, goods, lexicon.language)
    sentences = sentences if part is None else [*part.sentences]
    looks = [second.look(sentence, lexicon) if says_something(sentence) else {} for sentence in sentences]
    heard = [second.tell(look) for look in looks]
    if part is not None:
        heard = [part.without_itself(sentence, given) for sentence, given in zip(sentences, heard, strict=True)]
    opinion = review(sentences, heard)
    told = scales.tell(together(looks), of_a_part=part is not None) if opinion.heard else {}
    said = tuple(map(_without_the_kept, opinion.sentences))
    aside = heading if carried else ()
    asks = told.get(REQUEST, LIKELY)
    plain = _is_request(said, aside, asks)
    if not plain and asks < _SURELY:
        nothing = Claim(reason=Reason.UNSPECIFIED, reason_confidence=0.0, mentions_dispute=False)
        speaks_to_us = any(finding.rule.value == _TO_THE_MACHINE for _, finding in _places(said, Kind.DOUBT))
        return ClaimReading(
            topic=Topic.OTHER, claim=nothing, spans=(), doubts=(_TO_THE_MACHINE,) if speaks_to_us else ()
        )
    wish, reason, facts = _read_wish(said, aside), read_reason(said), read_facts(said)
    others, disputes = _other_matters(said), list(_places(said, Kind.DISPUTE))
    named = any(sentence.names_goods for sentence in [*heading, *own])
    doubts = find_doubts(said, wish, reason, facts, others=others, named=named, between=opinion.doubts)
    sureness = confidence(reason, said, doubts)
    if opinion.heard:
        seen = Seen(
            sentences=sentences,
            heard=opinion.heard,
            told=told,
            reason=reason,
            wish=wish,
            facts=facts,
            doubts=doubts,
        )
        settled = settle(seen, scales.weigh(seen))
        reason, facts, doubts, sureness = settled.reason, settled.facts, settled.doubts, settled.confidence
    if not plain:
        doubts, sureness = (*doubts, READERS_DISAGREE), min(sureness, IN_DOUBT)
    claim = Claim(
        reason=reason.reason,
        reason_confidence=sureness,
        wants=wish.wants,
        item_used=facts.values.get(Fact.ITEM_USED),
        item_altered=facts.values.get(Fact.ITEM_ALTERED),
        original_box=facts.values.get(Fact.ORIGINAL_BOX),
        received_on=None if reason.reason is Reason.NOT_DELIVERED else facts.received_on,
        repurchased=facts.values.get(Fact.REPURCHASED),
        mentions_dispute=bool(disputes),
    )
    spans = [_span("reason", claim.reason, place) for place in reason.places]
    spans += [_span("wants", claim.wants, place) for place in wish.places[:1]]
    spans += [_span(fact, str(value).lower(), facts.places[fact]) for fact, value in facts.values.items()]
    if facts.received_at is not None:
        spans.append(_span("received_on", str(claim.received_on or "unclear"), facts.received_at))
    spans += [_span("mentions_dispute", "true", place) for place in disputes[:1]]
    spans += (
        [_span("lines", place[1].quote, place) for place in _named_part(said, wish)] if part is None else part.spans
    )
    return ClaimReading(
        topic=Topic.REFUND_REQUEST,
        claim=claim,
        spans=tuple(spans),
        doubts=doubts,
        part=() if part is None else part.pieces,
    )


def _without_the_kept(sentence: ReadSentence) -> ReadSentence:
    """One sentence without a request taken back ("I will keep it") that is about the rest of an order ("the other")."""
    parts = [finding for finding in sentence.findings if finding.rule.value == PART]
    kept = tuple(
        finding
        for finding in sentence.findings
        if finding.rule.value != _TAKEN_BACK
        or not any(part.first <= finding.last and finding.first <= part.last for part in parts)
    )
    return replace(sentence, findings=kept)


def _read_wish(said: Sequence[ReadSentence], aside: Sequence[ReadSentence]) -> StatedWish:
    """What is asked for; where the sentences are silent, what a carried subject says, which is never clear."""
    wish = read_wish(said)
    return wish if wish.places or _other_matters(said) or not aside else replace(read_wish(aside), clear=False)


def _is_request(said: Sequence[ReadSentence], aside: Sequence[ReadSentence], asks: float) -> bool:
    """Whether money, goods or a parcel are at stake; a hint of it only where the mail speaks of nothing else.

    Args:
        said: the sentences.
        aside: those of a subject carried along.
        asks: how likely something is asked for by the words of all of them, 0 to 1.
    """
    wish, reason, others = _read_wish(said, aside), read_reason(said), _other_matters(said)
    grave = _is_grave(said)
    if grave or wish.clear or asks < _NEVER:
        return grave or asks >= _NEVER
    if _TAKEN_BACK in others:
        return False
    if NO_ORDER in others:
        if not any(map(is_ours, said)):
            return False
        others = [other for other in others if other != NO_ORDER]
    if reason.clear and reason.reason in SPEAKS_FOR_ITSELF:
        return True
    names_order = any(NUMBER in sentence.wording.words for sentence in said)
    if others:
        return reason.clear and names_order and _ABOUT_RULES.issuperset(others)
    only_supposed = all(finding.mood is Mood.CONDITIONAL for _, finding in wish.places)
    named = any(sentence.names_goods for sentence in [*said, *aside])
    tells = reason.places and (reason.clear or named or wish.places)
    return bool(tells or (wish.places and (names_order or not only_supposed)))


def _is_grave(said: Sequence[ReadSentence]) -> bool:
    """Whether a payment is disputed or was taken wrongly, be it with few words; not one that is another business's.

    So with a mail that names neither goods nor an order, and says "tell my bank that I travel" or "I was charged twice
    for my train ticket".
    """
    named = any(sentence.names_goods for sentence in said)
    for sentence, finding in (*_places(said, Kind.DISPUTE), *_places(said, Kind.DOUBT)):
        is_dispute = finding.rule.kind is Kind.DISPUTE
        if is_dispute or finding.rule.value == _BILLING:
            beyond = [other for other in sentence.findings if other.rule.value == NO_ORDER]
            if is_dispute:
                beyond = [other for other in beyond if other.first <= finding.first and finding.last <= other.last]
            if named or not beyond:
                return True
    return False


def _other_matters(said: Sequence[ReadSentence]) -> list[str]:
    return [finding.rule.value for _, finding in _places(said, Kind.OTHER)]


def _named_part(said: Sequence[ReadSentence], wish: StatedWish) -> list[Place]:
    """The part of an order that the mail speaks of, if any; none where the wish itself is for the whole order."""
    parts = [place for place in _places(said, Kind.DOUBT) if place[1].rule.value == PART]
    if parts:
        return parts[:1]
    for sentence, wished in wish.places:
        after = (found for found in sentence.findings if found.rule.kind is Kind.ITEM and found.last >= wished.first)
        first = next(after, None)
        if first is not None and first.rule.value == _WHOLE:
            return []
    return [place for place in _places(said, Kind.ITEM) if place[1].rule.value != _WHOLE][:1]


def _places(said: Sequence[ReadSentence], kind: Kind) -> Iterator[Place]:
    for sentence in said:
        for finding in sentence.findings:
            if finding.rule.kind is kind and finding.mood is not Mood.VOID:
                yield sentence, finding


def _span(fact: str, value: str, place: Place) -> Span:
    sentence, found = place
    return Span(fact=fact, value=value, part=sentence.part, start=found.start, end=found.end, quote=found.quote)
