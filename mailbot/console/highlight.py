"""A mail's text cut into pieces for the page: who wrote each, and which facts were read in it."""

from dataclasses import dataclass
from itertools import pairwise

from mailbot.model.reading import Reading, SegmentKind, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of text with nothing changing inside it.

    Attributes:
        facts: what was read here, such as ``reason = change_of_mind``; empty for most.
        anchor: of the facts that begin here, for links from the list of facts.
        places: the anchors of all facts that were read here.
    """

    text: str
    kind: SegmentKind
    facts: tuple[str, ...]
    anchor: str | None
    places: tuple[str, ...]


def pieces(reading: Reading) -> list[Piece]:
    """The body's text in order, whole, cut where a segment or a span begins or ends."""
    text, spans = reading.body.text, [span for span in reading.spans if span.part == "body"]
    cuts = {0, len(text)}
    cuts |= {edge for segment in reading.body.segments for edge in (segment.start, segment.end)}
    cuts |= {edge for span in spans for edge in (span.start, span.end)}
    order = sorted(cut for cut in cuts if 0 <= cut <= len(text))
    return [
        Piece(
            text=text[start:end],
            kind=_kind_at(reading, start),
            facts=tuple(f"{span.fact} = {span.value}" for span in spans if span.start <= start < span.end),
            anchor=next((anchor(span) for span in spans if span.start == start), None),
            places=tuple(dict.fromkeys(anchor(span) for span in spans if span.start <= start < span.end)),
        )
        for start, end in pairwise(order)
    ]


def anchor(span: Span) -> str:
    """The name of a span's place on the page; spans that begin together share it."""
    return f"read-{span.start}"


def _kind_at(reading: Reading, at: int) -> SegmentKind:
    return next(
        (segment.kind for segment in reading.body.segments if segment.start <= at < segment.end), SegmentKind.NEW
    )
