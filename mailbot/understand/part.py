"""Is the mail about a part of the order, and which pieces of the enclosed invoice are it?

Where that is certain, the mail is read on as if it were about the whole of what is claimed: what it says of the pieces
that stay is no matter, and that it speaks of a part is no doubt any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from mailbot.model.facts import Remedy
from mailbot.model.reading import ClaimedPiece, GoodsRow, Span
from mailbot.understand.amounts import find_amounts
from mailbot.understand.doubts import PART
from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.invoice_lexicon import invoice_lexicon
from mailbot.understand.lexicons import Fact, Kind
from mailbot.understand.mentions import Mention, read_mentions
from mailbot.understand.pieces import PieceWords, fold, load_pieces
from mailbot.understand.scope import Mood
from mailbot.understand.statements import Role, Unclear
from mailbot.understand.tally import tally
from mailbot.understand.weights import Probabilities
from mailbot.understand.whole_mail import DECISIVE

_MOST_SENTENCES = 200
_OTHER_SUM = "other_sum"
_TAKEN_BACK = "withdrawn"
_OTHER_REMEDY = frozenset({Remedy.EXCHANGE, Remedy.REPAIR})
_OF_A_PART = frozenset({"partial"})
_OF_WHAT_STAYS = frozenset({"partial", "withdrawn"})
"""The second reader's labels that say no more than that the claim is about a part."""
_ABOUT_PIECES = frozenset({PART, *Fact, "use_unclear", _TAKEN_BACK, "thanks"})
"""What may be said of a piece that stays, and is then nobody's matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the order that is certain.

    Attributes:
        pieces: of the invoice, each with how many are claimed.
        spans: the words that say so.
        sentences: the mail's, without what only says which pieces are meant.
        beside: those of them that speak of pieces that stay.
    """

    pieces: tuple[ClaimedPiece, ...]
    spans: tuple[Span, ...]
    sentences: tuple[ReadSentence, ...]
    beside: tuple[ReadSentence, ...]

    def without_itself(self, sentence: ReadSentence, heard: Probabilities) -> Probabilities:
        """What the second reader hears in a sentence, but for what only says that the claim is about a part."""
        known = _OF_WHAT_STAYS if any(each is sentence for each in self.beside) else _OF_A_PART
        return {label: 0.0 if label in known else chance for label, chance in heard.items()}


def find_part(sentences: Sequence[ReadSentence], goods: Sequence[GoodsRow], language: str) -> Part | None:
    """The pieces that a mail is about; ``None`` where it is about the whole order, or where they are not certain.

    Args:
        sentences: all that the customer wrote now.
        goods: rows of the enclosed invoice.
        language: of the mail, ISO 639-1.
    """
    if not goods or (len(goods) == 1 and goods[0].quantity == 1) or len(sentences) > _MOST_SENTENCES:
        return None
    pieces = load_pieces()
    words = pieces.by_language.get(language)
    if words is None:
        return None
    try:
        told = [
            read_mentions(sentence.quote, words, pieces, language) if sentence.wording.spans else []
            for sentence in sentences
        ]
        mentions = _checked(sentences, told)
        if not any(each.role for each in mentions):
            return None
        claimed = tally(mentions, goods, pieces)
        _check_sums(sentences, told, claimed)
    except Unclear:
        return None
    spans = [
        _span(sentence, each)
        for sentence, here in zip(sentences, told, strict=True)
        for each in here
        if each.role is Role.BACK or each.spared
    ]
    left = [_left(*each, words) for each in zip(sentences, told, strict=True)]
    beside = (each for each, here in zip(left, told, strict=True) if any(one.role is Role.STAYS for one in here))
    return Part(pieces=claimed, spans=tuple(spans), sentences=tuple(left), beside=tuple(beside))


def _checked(sentences: Sequence[ReadSentence], told: Sequence[Sequence[Mention]]) -> list[Mention]:
    """All mentions, where nothing else that is said makes them uncertain.

    Raises:
        Unclear: a piece is spoken of in an "if", for somebody else, to be exchanged; one that stays has a reason, or
            what is said of it might be told of one that goes back: that it was worn.
    """
    mentions: list[Mention] = []
    claimed = {each.kind for here in told for each in here if each.role is Role.BACK}
    for sentence, here in zip(sentences, told, strict=True):
        stated = [finding for finding in sentence.findings if finding.mood is not Mood.VOID]
        if any(each.rule.kind is Kind.WANTS and each.rule.value in _OTHER_REMEDY for each in stated):
            raise Unclear
        roles = {Role.BACK if each.spared else each.role for each in here}
        if roles - {None} and (sentence.supposes or sentence.elsewhere):
            raise Unclear
        others = [each for each in here if each.kind and each.role is not Role.BACK and each.kind not in claimed]
        if others and roles != {Role.STAYS} and any(map(_speaks_against, stated)):
            raise Unclear
        if roles == {Role.STAYS} and any(each.rule.kind in {Kind.REASON, Kind.WANTS} for each in stated):
            raise Unclear
        if roles - {None} or not _is_listing(sentence):
            mentions += here
    return mentions


def _speaks_against(finding: Finding) -> bool:
    """Whether it tells of goods that were used, altered, or have no box any more."""
    fact = finding.rule.value
    said = (finding.rule.strength == "yes") != finding.negated
    return finding.rule.kind is Kind.FACT and DECISIVE.get(Fact(fact)) is said


def _is_listing(sentence: ReadSentence) -> bool:
    """Whether this is a line of a pasted invoice."""
    return not sentence.findings and any(map(str.isdigit, sentence.quote))


def _check_sums(
    sentences: Sequence[ReadSentence], told: Sequence[Sequence[Mention]], claimed: Sequence[ClaimedPiece]
) -> None:
    """Whatever sum is named beside a wish is what the pieces cost.

    Raises:
        Unclear: another sum is asked for, or told.
    """
    prices = {price for piece in claimed for price in _prices(piece)}
    prices.add(sum((max(_prices(piece)) for piece in claimed), Decimal(0)))
    for sentence, here in zip(sentences, told, strict=True):
        wished = any(finding.rule.kind is Kind.WANTS for finding in sentence.findings)
        if wished or any(each.role is Role.BACK for each in here):
            for amount in find_amounts(sentence.quote, invoice_lexicon().marks):
                if amount.meanings and amount.value(amount.meanings[0][0] or "EUR") not in prices:
                    raise Unclear


def _prices(piece: ClaimedPiece) -> list[Decimal]:
    """What so many pieces of a row may cost by its prices, be they of one piece or of all."""
    whole = piece.row.quantity or 1
    return [price * piece.quantity / count for price in piece.row.amounts for count in {1, whole}]


def _left(sentence: ReadSentence, here: Sequence[Mention], words: PieceWords) -> ReadSentence:
    """One sentence without what says that the claim is about a part; nothing of one that is only about what stays."""
    stays = any(each.role is Role.STAYS for each in here)
    stated = [finding for finding in sentence.findings if finding.mood is not Mood.VOID]
    about_pieces = all(each.rule.kind is Kind.ITEM or each.rule.value in _ABOUT_PIECES for each in stated)
    if stays and about_pieces and all(each.role is Role.STAYS and not each.spared for each in here):
        return _silent(sentence)
    findings = tuple(each for each in sentence.findings if not _says_part(each, words, stays=stays))
    return replace(sentence, findings=findings)


def _says_part(finding: Finding, words: PieceWords, *, stays: bool) -> bool:
    value = finding.rule.value
    if value == _OTHER_SUM:
        return bool(words.where("part", fold(finding.quote)))
    return value == PART or (stays and value == _TAKEN_BACK)


def _silent(sentence: ReadSentence) -> ReadSentence:
    return replace(
        sentence,
        findings=(),
        unexplained=(),
        everyday=0,
        hints=(),
        reason_unread=False,
        denies=False,
        foreign=False,
        asks=False,
        asks_more=False,
    )


def _span(sentence: ReadSentence, mention: Mention) -> Span:
    begun = sentence.wording.spans[0][0]
    quote = sentence.quote[mention.start : mention.end]
    return Span(
        fact="lines",
        value=quote,
        part=sentence.part,
        start=begun + mention.start,
        end=begun + mention.end,
        quote=quote,
    )
