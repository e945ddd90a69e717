"""What some 800 words and stems of each language mean, by names that are the same in all ten.

``bench/meanings/<language>.txt`` has one meaning a line: its name, then the beginnings of words that have it. A
beginning under four letters is a whole word; in scripts without spaces each is a run of characters. A word may stand in
several lines.
"""

from collections import defaultdict
from pathlib import Path

from mailbot.understand.lexicons import Lexicon

MEANINGS = Path(__file__).parent / "meanings"


def stems_of(lexicon: Lexicon) -> dict[str, tuple[str, ...]]:
    """The names of what each stem of a language means, spelled as the lexicon spells words."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for line in (MEANINGS / f"{lexicon.language}.txt").read_text(encoding="utf-8").splitlines():
        name, *stems = line.split()
        for stem in stems:
            found[lexicon.spelling.fold(stem.lower())].add(name)
    return {stem: tuple(sorted(names)) for stem, names in found.items()}
