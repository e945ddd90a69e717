"""Which of a shop's policies an order falls under: the newest that was in force when it was paid."""

from collections.abc import Iterable

from mailbot.model.facts import Order
from mailbot.policy.fields import PolicyError
from mailbot.policy.table import Policy


def in_order(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """A shop's policies, the newest first.

    Raises:
        PolicyError: no policy holds from the beginning, or two begin on the same day.
    """
    newest_first = sorted(policies, key=_begins, reverse=True)
    days = [policy.applies_from for policy in newest_first]
    if None not in days:
        problem = f"applies_from = {days[-1]}, and no earlier policy says what was before; name it in [policy] earlier"
        raise PolicyError("file", problem)
    if len(set(days)) < len(days):
        twice = next(day for day in days if days.count(day) > 1)
        day = "without applies_from" if twice is None else f"with applies_from = {twice}"
        raise PolicyError("file", f"two policies {day}; give the newer one a later day")
    return tuple(newest_first)


def policy_for(order: Order | None, newest_first: tuple[Policy, ...]) -> Policy:
    """The policy that an order was bought under; the newest where there is no order."""
    return next((policy for policy in newest_first if applies_to(order, policy)), newest_first[-1])


def applies_to(order: Order | None, policy: Policy) -> bool:
    """Tell whether an order was paid on or after the day from which a policy applies."""
    if order is None or policy.applies_from is None:
        return True
    return policy.applies_from <= order.paid_at.astimezone(policy.terms.timezone).date()


def _begins(policy: Policy) -> str:
    return "" if policy.applies_from is None else policy.applies_from.isoformat()
