"""What does the customer ask for, why, and how sure is a careful reader? Every answer with the words it rests on."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from mailbot.model.facts import Claim, Reason
from mailbot.model.reading import Body, SegmentKind, Span, Topic
from mailbot.understand.doubts import confidence, find_doubts
from mailbot.understand.findings import Mood, ReadSentence, read_sentence
from mailbot.understand.lexicons import Kind, Lexicon
from mailbot.understand.reason import StatedReason, read_reason
from mailbot.understand.sentences import split_sentences
from mailbot.understand.stated_dates import find_dates
from mailbot.understand.stated_facts import read_facts
from mailbot.understand.wish import Place, StatedWish, read_wish
from mailbot.understand.wording import word_sentence

_SAMPLE = 4_000  # characters that tell which lexicon fits
_LEAST_KNOWN = 0.35  # of the words, for a text of unclear language
_LEAST_KNOWN_AGAINST = 0.6  # where the text was taken for a language without lexicon
_REPLY_MARK = re.compile(
    r"\s*(?:\[[^\]]{1,40}\]\s*)?(?:(?:re|aw|sv|antw|fwd?|wg|tr|rv|vs|vl|odp|res|enc|ynt|rif)\s?(?:\[\d{1,3}\])?[:\uff1a]\s*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimReading:
    """One mail's claim.

    Attributes:
        topic: what the customer writes about.
        claim: as stated. Its ``reason_confidence`` is under 0.8 wherever there is a doubt, and 0 where nothing is
            asked for. ``lines`` stays empty: words name goods by kind, not by sku.
        spans: the words that each fact was read from. A span of the fact ``lines`` names one item: of an order that
            has more, the claim may be about a part only.
        doubts: what keeps a machine from deciding, one short constant text each.
    """

    topic: Topic
    claim: Claim
    spans: tuple[Span, ...]
    doubts: tuple[str, ...]


def read_claim(
    subject: str, body: Body, lexicons: Mapping[str, Lexicon], language: str | None, *, asked_on: date, day_first: bool
) -> ClaimReading:
    """Read the subject and what the customer wrote now; quotes, signatures and hidden text never speak.

    Args:
        subject: decoded. One that starts with "Re:" may hold the shop's words, and only ever hints.
        body: the mail's text with its segments.
        lexicons: by language.
        language: of the new text, from ``detect_language``.
        asked_on: day of the request in the shop's time zone; no date of receipt lies after it.
        day_first: how the customer most likely orders day and month in numbers.
    """
    lexicon = _choose_lexicon(subject, body, lexicons, language)
    if lexicon is None:
        unread = Claim(reason=Reason.UNSPECIFIED, reason_confidence=0.0)
        return ClaimReading(topic=Topic.OTHER, claim=unread, spans=(), doubts=("language_not_read",))
    own = [
        sentence
        for segment in body.segments
        if segment.kind is SegmentKind.NEW
        for sentence in _read(body.text, "body", segment.start, segment.end, lexicon, asked_on, day_first=day_first)
    ]
    mark = _REPLY_MARK.match(subject)
    start = 0 if mark is None else mark.end()
    heading = list(_read(subject, "subject", start, len(subject), lexicon, asked_on, day_first=day_first))
    return _judge(own, heading, carried=mark is not None)


def _choose_lexicon(subject: str, body: Body, lexicons: Mapping[str, Lexicon], language: str | None) -> Lexicon | None:
    if language in lexicons:
        return lexicons[language]
    new = " ".join(body.text[part.start : part.end] for part in body.segments if part.kind is SegmentKind.NEW)
    words = re.findall(r"[^\W\d_]+", f"{subject} {new}"[:_SAMPLE].lower())
    if not words or not lexicons:
        return None
    known = {code: sum(word in lexicon.vocabulary for word in words) for code, lexicon in lexicons.items()}
    best = max(known, key=lambda code: known[code])
    least = _LEAST_KNOWN if language is None else _LEAST_KNOWN_AGAINST
    return lexicons[best] if known[best] >= least * len(words) else None


def _read(
    text: str, part: str, start: int, end: int, lexicon: Lexicon, asked_on: date, *, day_first: bool
) -> Iterator[ReadSentence]:
    for place in split_sentences(text, start, end, lexicon.abbreviations):
        dates = find_dates(text, place.start, place.end, lexicon.dates, asked_on, day_first=day_first)
        wording = word_sentence(text, place.start, place.end, same=lexicon.same, known=lexicon.vocabulary, dates=dates)
        yield read_sentence(text, part, wording, lexicon, asks=place.asks)


def _judge(own: Sequence[ReadSentence], heading: Sequence[ReadSentence], *, carried: bool) -> ClaimReading:
    """Put wish, reason and facts together; a subject carried along in a reply only speaks where the body is silent."""
    said = [*own] if carried else [*heading, *own]
    wish, reason, facts = read_wish(said), read_reason(said), read_facts(said)
    others = [finding.rule.value for _, finding in _places(said, Kind.OTHER)]
    if carried and not wish.places and not others:
        wish = replace(read_wish(heading), clear=False)
    dispute = list(_places(said, Kind.DISPUTE))
    if not (dispute or _is_request(said, wish, reason, others)):
        nothing = Claim(reason=Reason.UNSPECIFIED, reason_confidence=0.0, mentions_dispute=False)
        return ClaimReading(topic=Topic.OTHER, claim=nothing, spans=(), doubts=())
    doubts = find_doubts(said, wish, reason, facts, others)
    received_on = None if reason.reason is Reason.NOT_DELIVERED else facts.received_on
    claim = Claim(
        reason=reason.reason,
        reason_confidence=confidence(reason, said, doubts),
        wants=wish.wants,
        received_on=received_on,
        mentions_dispute=bool(dispute),
        **{fact.value: value for fact, value in facts.values.items()},
    )
    read_from = [("reason", reason.reason.value, place) for place in reason.places]
    read_from += [("wants", wish.wants.value, place) for place in wish.places[:1]]
    read_from += [(fact.value, str(value).lower(), facts.places[fact]) for fact, value in facts.values.items()]
    if facts.received_at is not None:
        read_from.append(
            ("received_on", "unclear" if claim.received_on is None else str(claim.received_on), facts.received_at)
        )
    read_from += [("mentions_dispute", "true", place) for place in dispute[:1]]
    read_from += [("lines", place[1].quote, place) for place in list(_places(said, Kind.ITEM))[:1]]
    return ClaimReading(
        topic=Topic.REFUND_REQUEST, claim=claim, spans=tuple(_span(*read) for read in read_from), doubts=doubts
    )


def _is_request(said: Sequence[ReadSentence], wish: StatedWish, reason: StatedReason, others: Sequence[str]) -> bool:
    """Whether money, goods or a parcel are at stake; a hint of it only where the mail speaks of nothing else."""
    if wish.clear or any(finding.rule.value == "billing" for _, finding in _places(said, Kind.DOUBT)):
        return True
    if "withdrawn" in others:
        return False
    return reason.clear or (bool(wish.places or reason.places) and not others)


def _places(said: Sequence[ReadSentence], kind: Kind) -> Iterator[Place]:
    for sentence in said:
        for finding in sentence.findings:
            if finding.rule.kind is kind and finding.mood is not Mood.VOID:
                yield sentence, finding


def _span(fact: str, value: str, place: Place) -> Span:
    sentence, found = place
    return Span(fact=fact, value=value, part=sentence.part, start=found.start, end=found.end, quote=found.quote)
