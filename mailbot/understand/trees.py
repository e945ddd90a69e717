"""Boosted decision trees: each looks at a few features and adds a little for or against a choice.

Source: Friedman, "Greedy function approximation: a gradient boosting machine", 2001.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any, TypeAlias

Features = Mapping[str, float]
"""How much of each; what is not named is 0."""
Tree: TypeAlias = "float | Sequence[Any]"
"""What is added; or a feature's number, a bound, the tree where it is at most that, and the tree where it is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """What was learned of one question.

    Attributes:
        names: of the features that it looks at.
        choices: the trees of each answer; of a question for yes or no, those of yes.
    """

    names: Sequence[str]
    choices: Mapping[str, Sequence[Tree]]

    def chances(self, features: Features) -> dict[str, float]:
        """How likely each answer is, 0 to 1; only one of several is right."""
        given = [features.get(name, 0.0) for name in self.names]
        much = {choice: exp(_sum(trees, given)) for choice, trees in self.choices.items()}
        whole = sum(much.values()) if len(much) > 1 else 1 + sum(much.values())
        return {choice: each / whole for choice, each in much.items()}


def _sum(trees: Sequence[Tree], given: Sequence[float]) -> float:
    total = 0.0
    for tree in trees:
        at: Any = tree
        while type(at) is not float:  # asked thousands of times a mail
            feature, bound, below, above = at
            at = below if given[feature] <= bound else above
        total += at
    return total
