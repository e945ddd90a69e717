"""Where a policy is weaker than a country's statutory floor, as far as ``statutes.toml`` knows. No legal advice."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from mailbot.errors import InputError
from mailbot.model.case import ClockKind
from mailbot.model.decision import Outcome
from mailbot.policy.settlement import FeeBearer, OutboundShipping
from mailbot.policy.table import Policy

_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """One ``[[floor]]``: what a law grants at the least.

    Attributes:
        least: the smallest lawful number; ``None`` where the measure is a question of yes or no.
        countries: ISO 3166-1 alpha-2 codes, groups such as the EU written out.
    """

    measure: str
    least: int | None
    countries: frozenset[str]
    law: str
    says: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A floor that a policy goes below, and what the policy says instead."""

    floor: Floor
    instead: str


def lint_policy(policy: Policy, country: str) -> list[Warned]:
    """Warn of every floor of a country that the policy goes below.

    Raises:
        InputError: ``statutes.toml`` knows nothing of that country.
    """
    floors = [floor for floor in _floors() if country.upper() in floor.countries]
    if not floors:
        known = ", ".join(sorted({country for floor in _floors() for country in floor.countries}))
        raise InputError(f"--country {country!r}: nothing is known of it; known are {known}")
    warned = ((floor, _MEASURES[floor.measure](policy, floor.least or 0)) for floor in floors)
    return [Warned(floor=floor, instead=instead) for floor, instead in warned if instead is not None]


@cache
def _floors() -> tuple[Floor, ...]:
    file = tomllib.loads(resources.files("mailbot.policy").joinpath("statutes.toml").read_text(encoding="utf-8"))
    return tuple(
        Floor(
            measure=form["measure"],
            least=form.get("least"),
            countries=frozenset(
                country for named in form["countries"] for country in file["groups"].get(named, [named])
            ),
            law=form["law"],
            says=form["says"],
            source=form["source"],
        )
        for form in file["floor"]
    )


def _return_days(policy: Policy, least: int) -> str | None:
    days = policy.terms.return_days
    return None if days >= least else f"returns are taken within {days} days of receipt"


def _guarantee_months(policy: Policy, least: int) -> str | None:
    months = policy.terms.guarantee_months
    return None if months >= least else f"the guarantee runs for {months} months"


def _dispatch_days(policy: Policy, least: int) -> str | None:
    days = policy.clocks[ClockKind.DISPATCH].limit.days
    return None if days >= least else f"returned goods must be sent within {days} days of the approval"


def _refund_hours(policy: Policy, most: int) -> str | None:
    hours = int(policy.clocks[ClockKind.REFUND].limit.total_seconds()) // _HOUR
    return None if hours <= most else f"refunds may take {hours} hours"


def _outbound_shipping(policy: Policy, _: int) -> str | None:
    returns = (terms for terms in policy.settlements if terms.outcome is Outcome.APPROVE_RETURN)
    kept = any(terms.outbound_shipping is OutboundShipping.KEPT for terms in returns)
    return "outbound shipping is kept on a return" if kept else None


def _transaction_fee(policy: Policy, _: int) -> str | None:
    by_rule = any(terms.transaction_fee is FeeBearer.BY_RULE for terms in policy.settlements)
    return f"the buyer may bear the payment service's fee ({policy.fee.clause})" if by_rule else None


def _used_goods(policy: Policy, _: int) -> str | None:
    return _declined_by(policy, "used_or_altered", answer=True)


def _original_box(policy: Policy, _: int) -> str | None:
    return _declined_by(policy, "original_box", answer=False)


def _declined_by(policy: Policy, condition: str, *, answer: bool) -> str | None:
    rules = _declining(policy, condition, answer=answer)
    return next((f"the row {rule!r} declines the return" for rule in rules), None)


def _declining(policy: Policy, condition: str, *, answer: bool) -> Iterator[str]:
    for row in policy.rows:
        asks = any(test.condition == condition and answer in test.wanted for test in row.tests)
        if row.outcome is Outcome.DECLINE and asks:
            yield row.rule


_MEASURES: dict[str, Callable[[Policy, int], str | None]] = {
    "return_days": _return_days,
    "guarantee_months": _guarantee_months,
    "dispatch_days": _dispatch_days,
    "refund_hours": _refund_hours,
    "outbound_shipping": _outbound_shipping,
    "transaction_fee": _transaction_fee,
    "used_goods": _used_goods,
    "original_box": _original_box,
}
