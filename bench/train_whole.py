"""Teaches what weighs a whole mail: ``bench/letters/*.toml`` to ``mailbot/understand/whole_mail.json``.

``make reader`` runs it after the second reader, whose findings it weighs. Boosted trees (LightGBM) learn which reason a
letter gives, what it says of the goods, and whether a clerk would act on all that. Trust is learned on what was weighed
without the letter itself, a doubt may only lower it, and all is measured on letters that were not learned from.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from bench.clerk import Letter, fingerprint, letters
from mailbot.model.facts import Reason
from mailbot.understand import whole_mail
from mailbot.understand.settling import LIKELY, settle
from mailbot.understand.trees import Features, Tree, Trees
from mailbot.understand.whole_mail import (
    DECISIVE,
    MATTERS,
    YES,
    Scales,
    Weighed,
    features_of,
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
_REASON = {"objective": "multiclass", "num_class": len(Reason), "num_leaves": 4, "learning_rate": 0.12}, 60
_FACT = {"objective": "binary", "num_leaves": 4, "learning_rate": 0.1}, 60
_TRUST = {"objective": "binary", "num_leaves": 8, "learning_rate": 0.06}, 150

Row = tuple[Letter, Features]


def is_doubt(feature: str) -> bool:
    """Whether a feature may only lower trust."""
    return feature.startswith("doubt")


def learn(known: Sequence[Row]) -> Scales:
    """What explains these letters best; trust is learned on what was weighed without the letter itself."""
    claims = _learn_claims(known)
    apart = [(row, *scales.claim(row[1])) for scales, row in _left_out(known, _learn_claims, _FOLDS)]
    trust = _trees(
        [trust for _, _, trust in apart],
        [letter.is_right(weighed) for (letter, _), weighed, _ in apart],
        [YES],
        *_TRUST,
        falling=is_doubt,
    )
    return replace(claims, trust=trust)


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
    told = [row for row in asked if not row[0].reasons.isdisjoint(MATTERS)]
    facts = {
        fact: _trees(
            [features for _, features in told],
            [letter.facts.get(fact) is value for letter, _ in told],
            [YES],
            *_FACT,
        )
        for fact, value in DECISIVE.items()
    }
    return Scales(reason=reason, facts=facts, trust=Trees(names=[], choices={YES: []}))


def _left_out(
    known: Sequence[Row], learned: Callable[[Sequence[Row]], Scales], folds: int
) -> Iterator[tuple[Scales, Row]]:
    """Each letter with scales that were learned from others; those written one after another are left out together."""
    parts = np.array_split(np.arange(len(known)), folds)
    for part in parts:
        out = {int(at) for at in part}
        scales = learned([row for at, row in enumerate(known) if at not in out])
        yield from ((scales, known[at]) for at in sorted(out))


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


def _share_right(acted: Sequence[tuple[Letter, Weighed]]) -> str:
    return f"{len(acted)}, {sum(letter.is_right(weighed) for letter, weighed in acted) / len(acted):.1%} rightly"


def main() -> int:
    """Learn, measure on letters left out in turn, write."""
    known = [(letter, features_of(letter.seen)) for letter in letters()]
    apart = [(letter, scales.weigh(letter.seen)) for scales, (letter, _) in _left_out(known, learn, _MEASURED_IN)]
    asked = [(letter, weighed) for letter, weighed in apart if letter.request]
    hits = sum(weighed.reason in letter.reasons for letter, weighed in asked)
    print(f"{len(known)} letters; of {len(asked)} requests {hits / len(asked):.1%} reasons right")
    rests = [(letter, weighed) for letter, weighed in asked if not letter.reasons.isdisjoint(MATTERS)]
    for fact, value in DECISIVE.items():
        told = [(letter.facts.get(fact) is value, letter, weighed) for letter, weighed in rests]
        read = sum((letter.seen.facts.values.get(fact) is value) == said for said, letter, _ in told)
        right = sum((weighed.facts[fact] >= LIKELY) == said for said, _, weighed in told)
        shares = f"as read {read / len(told):.1%} right, as weighed {right / len(told):.1%}"
        print(f"{fact} {value}: said by {sum(said for said, _, _ in told)}; {shares}")
    for least in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6):
        print(f"trusted {least}: {_share_right([each for each in apart if each[1].trust >= least])}")
    print(f"acted on {_share_right([each for each in apart if not settle(each[0].seen, each[1]).doubts])}")
    scales = learn(known)
    told = {"letters": fingerprint(), **asdict(scales)}
    FILE.write_text(json.dumps(told, sort_keys=True, separators=(",", ":")) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
