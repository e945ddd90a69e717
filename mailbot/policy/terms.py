"""The numbers and groups of a policy: the part of the policy file that conditions compare with."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from mailbot.model.facts import Reason
from mailbot.model.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the shop promises, in numbers; ``[terms]``, ``[reasons]`` and ``[auto_approve_limit]`` of the file.

    Attributes:
        timezone: the shop's; every window is counted in its calendar days.
        min_confidence: 0 to 1; a reason read less surely is decided by a person.
        auto_approve_limits: by ISO 4217 code; a currency that is not in it always asks a person.
    """

    timezone: ZoneInfo
    return_days: int
    cancel_days: int
    guarantee_months: int
    max_transit_days: int
    min_confidence: float
    auto_approve_limits: Mapping[str, Money]
    returnable: frozenset[Reason]
    logistics: frozenset[Reason]
