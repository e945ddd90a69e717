"""Teaches what weighs a whole mail: ``bench/letters/*.toml`` to ``mailbot/understand/whole_mail.bin`` and ``.json``.

``make reader`` runs it after the second reader, whose findings it weighs. Logistic regression learns what the words of
a letter tell of it; boosted trees (LightGBM) learn, from that and from what both readers find, which reason a letter
gives, what it says of the goods, and whether a clerk would act on all that. Trees are learned on what was weighed
without the letter itself, a doubt may only lower trust, and all is measured on letters that were not learned from.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt
from operator import eq
from pathlib import Path
from typing import Any, TypeVar

import lightgbm
import numpy as np
import numpy.typing as npt

from bench.clerk import Letter, fingerprint, letters, sayings
from bench.learning import Learning, by_table, columns_of, packed, share
from mailbot.model.facts import Reason
from mailbot.understand import whole_mail
from mailbot.understand.settling import LIKELY, settle
from mailbot.understand.trees import Features, Tree, Trees
from mailbot.understand.weights import Weights, unpack
from mailbot.understand.whole_mail import (
    DECISIVE,
    MATTERS,
    REQUEST,
    SOUND,
    TRUSTED,
    YES,
    Scales,
    Seen,
    Weighed,
    features_of,
    told_by,
)

Table = npt.NDArray[np.float64]

FILE = Path(whole_mail.__file__).with_name("whole_mail.json")
_FOLDS, _MEASURED_IN = 8, 4
_LEAST_SEEN = 5  # letters that a feature stands in
_HOW: Mapping[str, Any] = {
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 1,
    "use_missing": False,
    "min_data_in_leaf": 10,
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,
    "feature_fraction_bynode": 0.5,
    "monotone_constraints_method": "intermediate",
}
_OTHER = "other"
_LABELS = (*Reason, *DECISIVE, TRUSTED, SOUND, _OTHER, REQUEST)
"""What the words of a letter may tell."""
_REASON = {"objective": "multiclass", "num_class": len(Reason), "num_leaves": 4, "learning_rate": 0.12}, 60
_FACT = {"objective": "binary", "num_leaves": 4, "learning_rate": 0.1}, 60
_TRUST = {"objective": "binary", "num_leaves": 8, "learning_rate": 0.06}, 150

_NO_WORDS = Weights({"labels": {}, "tables": {}, "step": 1.0}, {"keys": b"", "rows": b""})

Row = tuple[Letter, Features]
ItemT = TypeVar("ItemT")
LearnedT = TypeVar("LearnedT")


def is_doubt(feature: str) -> bool:
    """Whether a feature may only lower trust."""
    return feature.startswith("doubt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the words of whole letters tell, learned from any of them.

    Attributes:
        learning: the letters' signs, by their numbers.
        columns: of each sign.
    """

    learning: Learning
    columns: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, known: Sequence[Letter]) -> "Words":
        """Of all letters there are, in the order of their numbers."""
        seen = [_shares(letter) for letter in known]
        columns = columns_of(seen)
        truth = np.array([[label in _labels(letter) for label in _LABELS] for letter in known], np.float32)
        return cls(learning=Learning.of(seen, truth, columns), columns=columns)

    def learn(self, known: Sequence[Letter]) -> bytes:
        """The file of weights that explain these letters."""
        weights, bias = self.learning.run(np.array([letter.number for letter in known]))
        tables = by_table(weights, self.columns)
        rows = {name: {sign: row * share(name) for sign, row in each.items()} for name, each in tables.items()}
        return packed({label: [float(begin), 1.0, 0.0] for label, begin in zip(_LABELS, bias, strict=True)}, rows, {})


def _labels(letter: Letter) -> set[str]:
    told = {fact for fact, value in DECISIVE.items() if letter.facts.get(fact) is value}
    sound = letter.trusted or (letter.request and letter.part)
    stands = {TRUSTED: letter.trusted, SOUND: sound, _OTHER: letter.other, REQUEST: letter.request}
    reasons = letter.reasons if letter.request else ()
    return {*reasons, *told, *(label for label, holds in stands.items() if holds)}


def _shares(letter: Letter) -> dict[str, dict[str, float]]:
    return {
        table: dict.fromkeys(signs, share(table) / sqrt(max(1, len(signs)))) for table, signs in letter.signs.items()
    }


def learn(known: Sequence[Letter], words: Words) -> tuple[bytes, Scales]:
    """What explains these letters best: the file of what their words tell, and what is made of all.

    What weighs a letter's words was learned from others, and so was what its trust is learned on.
    """
    told = [
        (letter, features_of(replace(letter.seen, told=told_by(weights, letter.signs, of_a_part=False))))
        for weights, letter in _left_out(known, lambda some: _weights(words.learn(some)), _FOLDS, lambda each: each)
        if letter.seen is not None
    ]
    apart = [(row, *scales.claim(row[1])) for scales, row in _left_out(told, _learn_claims, _FOLDS, _letter_of)]
    trust = _trees(
        [trust for _, _, trust in apart],
        [letter.is_right(weighed) for (letter, _), weighed, _ in apart],
        [YES],
        *_TRUST,
        falling=is_doubt,
    )
    file = words.learn(known)
    return file, replace(_learn_claims(told), words=_weights(file), trust=trust)


def _weights(file: bytes) -> Weights:
    return Weights(*unpack(file))


def _letter_of(row: Row) -> Letter:
    return row[0]


def _learn_claims(known: Sequence[Row]) -> Scales:
    asked = [row for row in known if row[0].request]
    several = [(letter, features, reason) for letter, features in asked for reason in sorted(letter.reasons)]
    reason = _trees(
        [features for _, features, _ in several],
        [list(Reason).index(Reason(reason)) for _, _, reason in several],
        list(Reason),
        *_REASON,
        evenly=True,
    )
    rests = [row for row in asked if not row[0].reasons.isdisjoint(MATTERS)]
    facts = {
        fact: _trees(
            [features for _, features in rests],
            [letter.facts.get(fact) is value for letter, _ in rests],
            [YES],
            *_FACT,
        )
        for fact, value in DECISIVE.items()
    }
    return Scales(words=_NO_WORDS, reason=reason, facts=facts, trust=Trees(names=[], choices={YES: []}))


def _left_out(
    known: Sequence[ItemT],
    learned: Callable[[Sequence[ItemT]], LearnedT],
    folds: int,
    letter_of: Callable[[ItemT], Letter],
) -> Iterator[tuple[LearnedT, ItemT]]:
    """Each letter with what was learned from others; those written one after another are left out together."""
    places = np.argsort([letter_of(each).place for each in known], kind="stable")
    for part in np.array_split(places, folds):
        out = {int(at) for at in part}
        found = learned([each for at, each in enumerate(known) if at not in out])
        yield from ((found, known[at]) for at in sorted(out))


def _trees(
    rows: Sequence[Features],
    right: Sequence[int],
    choices: Sequence[str],
    how: Mapping[str, Any],
    rounds: int,
    *,
    falling: Callable[[str], bool] = lambda _: False,
    evenly: bool = False,
) -> Trees:
    many: dict[str, int] = {}
    for row in rows:
        for name in row:
            many[name] = many.get(name, 0) + 1
    names = sorted(name for name, often in many.items() if often >= _LEAST_SEEN)
    table = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    bounds = {"monotone_constraints": [-1 if falling(name) else 0 for name in names]}
    weight = np.bincount(right)[right] ** -0.5 if evenly else None
    taught = lightgbm.Dataset(table, np.array(right), weight=None if weight is None else weight / weight.mean())
    model = lightgbm.train({**_HOW, **how, **bounds}, taught, rounds).dump_model()
    grown = [_tree(each["tree_structure"]) for each in model["tree_info"]]
    used = sorted({at for tree in grown for at in _looks_at(tree)})
    number = {at: place for place, at in enumerate(used)}
    grown = [_renumbered(tree, number) for tree in grown]
    return Trees(
        names=[names[at] for at in used],
        choices={choice: grown[place :: len(choices)] for place, choice in enumerate(choices)},
    )


def _tree(node: Mapping[str, Any]) -> Tree:
    if "leaf_value" in node:
        return round(float(node["leaf_value"]), 4)
    below = (_tree(node["left_child"]), _tree(node["right_child"]))
    return [int(node["split_feature"]), float(f"{node['threshold']:.5g}"), *below]


def _looks_at(tree: Tree) -> Iterator[int]:
    if not isinstance(tree, float):
        yield tree[0]
        yield from _looks_at(tree[2])
        yield from _looks_at(tree[3])


def _renumbered(tree: Tree, number: Mapping[int, int]) -> Tree:
    if isinstance(tree, float):
        return tree
    return [number[tree[0]], tree[1], _renumbered(tree[2], number), _renumbered(tree[3], number)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """One letter as it was weighed without having been learned from."""

    letter: Letter
    seen: Seen
    weighed: Weighed


def _share_right(acted: Sequence[_Left]) -> str:
    return f"{len(acted)}, {sum(each.letter.is_right(each.weighed) for each in acted) / len(acted):.1%} rightly"


def main() -> int:
    """Learn, measure on letters left out in turn, write."""
    known = letters()
    known += sayings(len(known))
    words = Words.of(known)
    told = [
        (letter, scales, scales.tell(letter.signs, of_a_part=False))
        for (_, scales), letter in _left_out(known, lambda some: learn(some, words), _MEASURED_IN, lambda each: each)
    ]
    for least in (0.05, 0.5, 0.95):
        taken = [letter.request for letter, _, chances in told if chances[REQUEST] >= least]
        asking = sum(letter.request for letter in known)
        print(f"request {least}: {len(taken)}, {sum(taken) / len(taken):.1%} rightly; of all {sum(taken) / asking:.1%}")
    apart = [
        _Left(letter=letter, seen=(seen := replace(letter.seen, told=chances)), weighed=scales.weigh(seen))
        for letter, scales, chances in told
        if letter.seen is not None
    ]
    asked = [each for each in apart if each.letter.request]
    hits = sum(each.weighed.reason in each.letter.reasons for each in asked)
    print(f"{len(known)} letters; of {len(asked)} requests {hits / len(asked):.1%} reasons right")
    rests = [each for each in asked if not each.letter.reasons.isdisjoint(MATTERS)]
    for fact, value in DECISIVE.items():
        said = [each.letter.facts.get(fact) is value for each in rests]
        read = [each.seen.facts.values.get(fact) is value for each in rests]
        weighed = [each.weighed.facts[fact] >= LIKELY for each in rests]
        shares = [sum(map(eq, said, found)) / len(said) for found in (read, weighed)]
        print(f"{fact} {value}: said by {sum(said)}; as read {shares[0]:.1%} right, as weighed {shares[1]:.1%}")
    for least in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6):
        print(f"trusted {least}: {_share_right([each for each in apart if each.weighed.trust >= least])}")
    print(f"acted on {_share_right([each for each in apart if not settle(each.seen, each.weighed).doubts])}")
    write(known, words)
    return 0


def write(known: Sequence[Letter], words: Words) -> None:
    """Learn from all, and write both files."""
    file, scales = learn(known, words)
    trees = {name: asdict(each) for name, each in (("reason", scales.reason), ("trust", scales.trust))}
    facts = {fact: asdict(each) for fact, each in scales.facts.items()}
    told = {"letters": fingerprint(), **trees, "facts": facts}
    FILE.write_text(json.dumps(told, sort_keys=True, separators=(",", ":")) + "\n", encoding="utf-8")
    FILE.with_suffix(".bin").write_bytes(file)


if __name__ == "__main__":
    sys.exit(main())
