"""The policy file's own examples: facts, and what it says that it decides about them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mailbot.errors import shown
from mailbot.model.decision import Decision, Outcome
from mailbot.model.facts import Facts, FactsError
from mailbot.model.forms import parse_facts
from mailbot.policy.fields import PolicyError, read, read_table, read_word, refuse_unknown

_KEYS = {"name", "like", "facts", "outcome", "rule", "proposal", "refund"}
_WIDEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One ``[[example]]``: facts with the decision that the file promises.

    Attributes:
        rule: the row or guard that answers; ``proposal`` the row that an escalation proposes by. ``None``: not said.
        refund: the sum settled or proposed, as a decimal string.
    """

    name: str
    facts: Facts
    outcome: Outcome
    rule: str | None
    proposal: str | None
    refund: str | None

    def differences(self, decision: Decision) -> list[str]:
        """What a decision answers otherwise than the example says, each as "rule is X, not Y"."""
        settlement = decision.settlement or (decision.proposal.settlement if decision.proposal else None)
        said = {
            "outcome": (self.outcome, decision.outcome),
            "rule": (self.rule, decision.rule),
            "proposal": (self.proposal, decision.proposal.rule if decision.proposal else "none"),
            "refund": (self.refund, str(settlement.refund) if settlement else "none"),
        }
        return [f"{key} is {got}, not {wanted}" for key, (wanted, got) in said.items() if wanted not in {None, got}]


def read_examples(file: dict[str, Any]) -> tuple[Example, ...]:
    """The examples of a policy file; each may be ``like`` an earlier one and give only what differs.

    Raises:
        PolicyError: an example is wrong; it names which.
    """
    forms = file.get("example", [])
    if not isinstance(forms, list) or not all(isinstance(form, dict) for form in forms):
        raise PolicyError("file", "[[example]] must be tables")
    facts_of: dict[str, dict[str, Any]] = {}
    examples = []
    for form in forms:
        name = form.get("name")
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= _WIDEST or name in facts_of:
            raise PolicyError(f"example {shown(name)}", "needs a name of its own, of 1 to 200 printable characters")
        place = f"example {name!r}"
        refuse_unknown(place, form, _KEYS)
        facts_of[name] = _laid_over(_earlier(place, form, facts_of), read_table(place, {"facts": {}, **form}, "facts"))
        examples.append(_example(place, name, form, facts_of[name]))
    return tuple(examples)


def _earlier(place: str, form: dict[str, Any], facts_of: dict[str, dict[str, Any]]) -> dict[str, Any]:
    if "like" not in form:
        return {}
    like = form["like"]
    if not isinstance(like, str) or like not in facts_of:
        raise PolicyError(place, f"is like {shown(like)}, which no example before it is called")
    return facts_of[like]


def _example(place: str, name: str, form: dict[str, Any], facts: dict[str, Any]) -> Example:
    try:
        parsed = parse_facts({"order": None, **_written(facts)})
    except FactsError as problem:
        raise PolicyError(place, f"facts.{problem}") from None
    return Example(
        name=name,
        facts=parsed,
        outcome=read_word(place, form, "outcome", Outcome),
        rule=_maybe_text(place, form, "rule"),
        proposal=_maybe_text(place, form, "proposal"),
        refund=_maybe_text(place, form, "refund"),
    )


def _maybe_text(place: str, form: dict[str, Any], key: str) -> str | None:
    text = None if key not in form else read(place, form, key)
    if text is not None and not isinstance(text, str):
        raise PolicyError(place, f"{key} = {shown(text)} is no text in quotes")
    return text


def _laid_over(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """One table over another, key by key; "unknown" takes away what lies below."""
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        both[key] = _laid_over(below if isinstance(below, dict) else {}, value) if isinstance(value, dict) else value
    return {key: value for key, value in both.items() if value != "unknown"}


def _written(value: Any) -> Any:
    """A value of TOML as JSON has it: dates and times as text."""
    if isinstance(value, dict):
        return {key: _written(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_written(entry) for entry in value]
    return value.isoformat() if isinstance(value, date | datetime) else value
