"""The figures of ``mailbot stats``: how much there is of what, and whether the promises will be kept."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from mailbot.act.forecast import WorkingHours, forecast
from mailbot.model.case import ClockKind
from mailbot.settings import Settings
from mailbot.store import figures, switch
from mailbot.store.figures import Promise

_A_DAY, _A_MONTH = timedelta(days=1), timedelta(days=30)


def collect(session: Session, settings: Settings, now: datetime) -> dict[str, Any]:
    """All figures as one JSON form.

    Args:
        session: a reading one.
        settings: for the operators' own targets.
        now: the present time.
    """
    promises, frozen = figures.open_promises(session), switch.find_frozen(session)
    kept = figures.promises_kept_since(session, now - _A_MONTH)
    lately = sum(promise.met_at is not None and promise.met_at > now - _A_DAY for promise in kept)
    return {
        "at": now.isoformat(),
        "cases": figures.cases_by_state(session),
        "mails": figures.mails_by_state(session),
        "letters": figures.letters_by_state(session),
        "refunds": [
            {"state": state, "count": count, "amount": str(money), "currency": money.currency}
            for state, count, money in figures.refunds_by_state(session)
        ],
        "next_24_hours": asdict(forecast([promise.limit_at for promise in promises], lately, now)),
        "kept_in_30_days": {
            "all": len(kept),
            "in_time": sum(promise.met_at is not None and promise.met_at <= promise.limit_at for promise in kept),
        },
        "targets": _targets(settings, promises, kept, now),
        "frozen": None if frozen is None else {"at": frozen.at.isoformat(), "by": frozen.by, "reason": frozen.reason},
    }


def working_hours(settings: Settings) -> WorkingHours:
    """When the shop's people work."""
    terms = settings.targets
    return WorkingHours(
        zone=settings.shop.zone,
        days=frozenset(terms.days),
        opens=terms.opens,
        closes=terms.closes,
        holidays=frozenset(terms.holidays),
    )


def _targets(settings: Settings, promises: list[Promise], kept: list[Promise], now: datetime) -> dict[str, int] | None:
    """How operators stand with the aim that they set themselves; ``None`` where they set none."""
    terms = settings.targets
    if not terms.answer_within_hours:
        return None
    hours = working_hours(settings)
    within = timedelta(hours=terms.answer_within_hours)

    def missed(promise: Promise, at: datetime) -> bool:
        target = hours.after(promise.started_at, within)
        return target is not None and target < at

    answers = [promise for promise in kept if promise.kind == ClockKind.REPLY and promise.met_at is not None]
    waiting = [promise for promise in promises if promise.kind == ClockKind.REPLY]
    return {
        "within_hours": terms.answer_within_hours,
        "waiting": len(waiting),
        "overdue": sum(missed(promise, now) for promise in waiting),
        "answered_in_30_days": len(answers),
        "answered_in_time": sum(not missed(promise, promise.met_at) for promise in answers if promise.met_at),
    }
