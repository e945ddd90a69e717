"""What the second reader alone finds in a sentence, as if a phrase had made it."""

from mailbot.understand.findings import Finding, ReadSentence
from mailbot.understand.lexicons import Kind, Rule, Strength
from mailbot.understand.phrases import Phrase
from mailbot.understand.scope import Mood

_BY_LEARNING = Phrase(pattern="", listed="")


def learned(sentence: ReadSentence, kind: Kind, value: str, strength: str = Strength.CLEAR) -> Finding:
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
