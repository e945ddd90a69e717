"""Teaches the second reader: ``bench/sentences/*.tsv`` to ``mailbot/understand/second_reader.bin``.

``make reader`` runs it: some minutes, the same file from the same sentences. One logistic regression for each label,
over all languages at once: what the grammar sees and what words mean counts alike in all, words in one.
Probabilities are calibrated on sentences that the weights for them were not learned from.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import compress
from math import sqrt
from pathlib import Path

import numpy as np

from bench.examples import CLEAN, Example, examples, fingerprints, joined, read_example
from bench.learning import Features, Learning, Table, by_table, calibrate, columns_of, packed, share
from bench.stems import stems_of
from mailbot.understand import second_reader
from mailbot.understand.lexicons import Lexicon, load_lexicons
from mailbot.understand.second_reader import LINES, STEMS, WORDS, Stems, features_of

FILE = Path(second_reader.__file__).with_name("second_reader.bin")
_LEAST_SEEN = 4  # sentences that a feature stands in


def main() -> int:
    """Learn, calibrate, write."""
    taught = [example for example in examples() if not example.held_back]
    taught += joined(taught)
    lexicons = load_lexicons()
    languages = {example.language for example in taught}
    told = {language: _told(lexicons[language]) for language in languages}
    stems = {language: stems_of(lexicons[language]) for language in languages}
    seen = [features(example, told[example.language], stems[example.language]) for example in taught]
    labels = sorted({label for example in taught for label in example.labels})
    truth = np.array([[label in example.labels for label in labels] for example in taught], np.float32)
    columns = columns_of(seen)
    learning = Learning.of(seen, truth, columns)
    asked = np.array([example.part in CLEAN for example in taught])
    weights, bias = learning.run(np.flatnonzero(~asked))
    scores = np.stack([much @ weights[places] + bias for places, much in compress(learning.rows, asked.tolist())])
    calibration = [calibrate(scores[:, place], truth[asked, place]) for place in range(len(labels))]
    weights, bias = learning.run(np.arange(len(seen)))
    heads = {
        label: [round(float(value), 5) for value in (bias[place], *calibration[place])]
        for place, label in enumerate(labels)
    }
    write(heads, by_table(weights, columns), told, stems)
    return 0


def features(example: Example, told: Mapping[str, Mapping[str, float]], stems: Stems) -> Features:
    """What the second reader sees in a sentence; what a word tells by the lexicon stands under ``WORDS``."""
    sentence, lexicon = read_example(example)
    found: dict[str, Mapping[str, float]] = {}
    for table, names in features_of(sentence, lexicon, stems).items():
        much_each = share(table) / sqrt(max(1, len(names)))
        if table.startswith(WORDS):
            tells: Counter[str] = Counter()
            for word in names:
                tells.update(told.get(word, {}))
            found[WORDS] = {name: much * much_each for name, much in tells.items()}
        else:
            found[table] = dict.fromkeys(names, much_each)
    return found


def _told(lexicon: Lexicon) -> dict[str, dict[str, float]]:
    """For each word of a lexicon, the tables whose phrases use it: the squared share of each."""
    if not lexicon.spaced:
        return {}
    used: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for rule in lexicon.rules:
        words = rule.phrase.listed.split()
        for word in words:
            used[word][f"{rule.kind} {rule.value}"] += 1 / sqrt(len(words))
    return {
        word: {name: (much / sum(names.values())) ** 2 for name, much in names.items()} for word, names in used.items()
    }


def write(
    heads: Mapping[str, Sequence[float]],
    weights: Mapping[str, Mapping[str, Table]],
    told: Mapping[str, Mapping[str, Mapping[str, float]]],
    stems: Mapping[str, Stems],
) -> None:
    """Write the file that ``SecondReader`` reads.

    Args:
        heads: bias, slope and shift of each label.
        weights: a row for each feature of each table.
        told: what the words of each lexicon tell.
        stems: what words mean, by language.
    """
    tables = {
        name: {key: row * share(name) for key, row in rows.items()} for name, rows in weights.items() if name != WORDS
    }
    tells = {name: row * share(WORDS) for name, row in weights[WORDS].items()}
    for language, words in sorted(told.items()):
        if words:
            tables[WORDS + language] = {
                word: sum(
                    (tells[name] * much for name, much in names.items() if name in tells),
                    start=np.zeros(len(heads), np.float32),
                )
                for word, names in words.items()
            }
    sections = {LINES: b"".join(sorted(fingerprints()))}
    for language, known in sorted(stems.items()):
        lines = (" ".join((stem, *names)) for stem, names in sorted(known.items()))
        sections[f"{STEMS}{language}"] = "\n".join(lines).encode()
    FILE.write_bytes(packed(heads, tables, sections))
    print(f"{FILE.name}: {FILE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    sys.exit(main())
