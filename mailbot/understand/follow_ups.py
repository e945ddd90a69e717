"""What does a mail say about a case that is already running: taken back, asked after, sent off, merely thanked for?"""

import re
from collections.abc import Iterator, Sequence

from mailbot.model.reading import FollowUp, Span
from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.lexicons import QUESTIONS, Follow, Kind, Lexicon, Strength
from mailbot.understand.scope import Mood
from mailbot.understand.wish import Place, read_wish

_CARRIER_FORM = re.compile(
    r"""(?<![A-Z0-9-])(?:
    1Z(?:[ ]?[0-9A-Z]){16}                                 # UPS
    | [A-Z]{2}[ ]?[0-9]{3}[ ]?[0-9]{3}[ ]?[0-9]{3}[ ]?[A-Z]{2}  # UPU S10: post offices
    | J[A-Z]{2,3}[0-9]{16,20}                              # DHL
    | 9[0-9]{3}(?:[ ]?[0-9]{4}){4}(?:[ ]?[0-9]{2})?        # USPS
    )(?![A-Z0-9])""",
    re.VERBOSE | re.IGNORECASE,
)
_NAMED_FORM = re.compile(
    r"(?<![\w@.-])(?:[A-Z]{1,4})?[0-9][0-9A-Z]{0,33}(?:[ -][0-9]{1,8}){0,8}(?![\w@-])", re.ASCII | re.IGNORECASE
)
_LEAST_DIGITS = 8
_MOST_EVERYDAY = 10  # words of a mere "thank you"
_SPEAKS_OF_MORE = frozenset({Kind.WANTS, Kind.REASON, Kind.FACT, Kind.DOUBT, Kind.DISPUTE})


def read_follow_ups(text: str, sentences: Sequence[ReadSentence], lexicon: Lexicon) -> tuple[Span, ...]:
    """Everything of the kind in the customer's own sentences of the body; whether a case runs is for others to know.

    Args:
        text: the body's, which the sentences point into.
        sentences: of what the customer wrote now.
        lexicon: that they were read by.
    """
    found = [*_withdrawals(sentences), *_questions(sentences, lexicon), *_sent(sentences)]
    found += _tracking_numbers(text, sentences)
    return tuple(found or _thanks(sentences))


def _withdrawals(sentences: Sequence[ReadSentence]) -> Iterator[Span]:
    """A request taken back outright, by somebody who asks for nothing else."""
    if read_wish(sentences).clear:
        return
    for sentence, finding in _all(sentences, Kind.OTHER, "withdrawn"):
        if finding.mood is Mood.ASSERTED:
            yield _span(FollowUp.WITHDRAWAL, sentence, finding)
            return


def _questions(sentences: Sequence[ReadSentence], lexicon: Lexicon) -> Iterator[Span]:
    asked = set()
    for sentence, finding in _all(sentences, Kind.OTHER, "status"):
        about_money = lexicon.money.stand_in(sentence.wording.words)
        about = FollowUp.REFUND_STATUS if about_money else FollowUp.ORDER_STATUS
        if about not in asked:
            asked.add(about)
            yield _span(about, sentence, finding)


def _sent(sentences: Sequence[ReadSentence]) -> Iterator[Span]:
    for sentence, finding in _all(sentences, Kind.FOLLOW_UP, Follow.RETURN_SENT):
        if finding.mood is Mood.ASSERTED and not finding.negated:
            yield _span(FollowUp.RETURN_SENT, sentence, finding)
            return


def _tracking_numbers(text: str, sentences: Sequence[ReadSentence]) -> Iterator[Span]:
    """Numbers of a carrier's own form, and any long one that follows words such as "tracking number"."""
    announced = False
    for sentence in sentences:
        if not sentence.wording.spans:
            continue
        start, end = sentence.wording.spans[0][0], sentence.wording.spans[-1][1]
        named = next((finding for _, finding in _all([sentence], Kind.FOLLOW_UP, Follow.TRACKING)), None)
        matches = list(_CARRIER_FORM.finditer(text, start, end))
        if not matches and (named or announced):
            matches = [match for match in _NAMED_FORM.finditer(text, start, end) if _has_digits(match[0])][:1]
        for match in matches:
            number = re.sub(r"[ -]", "", match[0]).upper()
            yield Span(
                fact=FollowUp.TRACKING_NUMBER,
                value=number,
                part=sentence.part,
                start=match.start(),
                end=match.end(),
                quote=match[0],
            )
        announced = named is not None and not matches


def _has_digits(number: str) -> bool:
    return sum(sign.isdigit() for sign in number) >= _LEAST_DIGITS


def _thanks(sentences: Sequence[ReadSentence]) -> Iterator[Span]:
    """A mail that says "thank you" or "understood", and hardly anything else."""
    thanks = list(_all(sentences, Kind.FOLLOW_UP, Follow.ACKNOWLEDGEMENT))
    says_more = any(
        finding.rule.kind in _SPEAKS_OF_MORE or (finding.rule.kind is Kind.OTHER and finding.rule.value in QUESTIONS)
        for _, finding in _all(sentences)
        if finding.rule.strength != Strength.VAGUE
    )
    everyday = sum(sentence.everyday for sentence in sentences)
    unread = any(sentence.asks or len(sentence.unexplained) > 1 for sentence in sentences)
    if thanks and not (says_more or unread or everyday > _MOST_EVERYDAY):
        yield _span(FollowUp.ACKNOWLEDGEMENT, *thanks[0])


def _all(sentences: Sequence[ReadSentence], kind: Kind | None = None, value: str = "") -> Iterator[Place]:
    for sentence in sentences:
        for finding in sentence.findings:
            if finding.mood is not Mood.VOID and (
                kind is None or (finding.rule.kind is kind and finding.rule.value == value)
            ):
                yield sentence, finding


def _span(fact: FollowUp, sentence: ReadSentence, finding: Finding) -> Span:
    return Span(
        fact=fact,
        value="true",
        part=sentence.part,
        start=finding.start,
        end=finding.end,
        quote=finding.quote,
    )
