"""What operators do to refunds: agree, hand out, confirm, hold, call off; and the switch that stops them all."""

from collections.abc import Callable, Sequence

import structlog

from mailbot.model.case import CaseState
from mailbot.model.refund import PROMISED, RefundOrder, RefundState, parse_refund_order
from mailbot.operators.cases import NotPossibleError, opened
from mailbot.steps import refunding
from mailbot.steps.acting import Matter
from mailbot.steps.app import App
from mailbot.store import audit, cases, refunds, switch
from mailbot.store.tables import RefundRow
from mailbot.store.transaction import transaction

_LEAST_LOOKS = 2

log = structlog.get_logger()

_MOST_SHOWN = 64
"""So much of a person's reason stands in the list of refunds; all of it is in the case's history."""


class FrozenError(NotPossibleError):
    """Refunds stand still."""

    def __init__(self, frozen: switch.Frozen) -> None:
        """Say who stopped them, and why."""
        since = f"{frozen.at:%Y-%m-%d %H:%M} UTC"
        super().__init__(
            f"refunds are frozen since {since} by {frozen.by}: {frozen.reason}; mailbot refund thaw lets them go"
        )


def pay_refunds(app: App, actor: str, *, numbers: Sequence[str] = (), again: bool = False) -> list[RefundOrder]:
    """Hand refunds that are due to a person to pay, once each.

    Args:
        app: the shop's.
        actor: who will pay them.
        numbers: only those of these cases; none: all.
        again: also those that were handed out before and are not confirmed.

    Raises:
        FrozenError: refunds are frozen.
    """
    states = (RefundState.DUE, RefundState.SUBMITTING) if again else (RefundState.DUE,)
    with transaction(app.engine, "operators.pay_refunds") as session:
        _refuse_frozen(switch.find_frozen(session))
        wanted = {cases.get(session, number).id for number in numbers}
        disputed = {row.id for row, _ in refunds.all_disputed(session)}
        found = [
            (row.id, case.id)
            for row, case in refunds.all_in(session, states)
            if row.id not in disputed and (not wanted or case.id in wanted)
        ]
    payable = (_hand_out(app, refund_id, case_id, actor) for refund_id, case_id in found)
    return [order for order in payable if order is not None]


def _hand_out(app: App, refund_id: int, case_id: int, actor: str) -> RefundOrder | None:
    with transaction(app.engine, "operators.hand_out") as session:
        _refuse_frozen(switch.find_frozen(session))
        case = cases.lock(session, case_id)
        row = session.get_one(RefundRow, refund_id, with_for_update=True)
        if row.state not in {RefundState.DUE, RefundState.SUBMITTING}:
            return None
        if row.state == RefundState.DUE:
            refunds.change(row, RefundState.SUBMITTING)
        row.submitted_at, row.submitted_by = app.now(), actor
        cases.record_event(session, case, "refund_handed_out", app.now(), actor=actor, key=row.key)
        return parse_refund_order(row.body)


def confirm_refund(app: App, number: str, actor: str, reference: str) -> str:
    """Confirm that a case's refund was paid; the payment's reference may be used only once.

    Raises:
        RefundError: nothing is due, or the reference belongs to another refund.
    """
    with opened(app, number) as matter:
        row = _one(matter, {*PROMISED, RefundState.PAID_ELSEWHERE} - {RefundState.AWAITING_APPROVAL})
        known, name = row.state == RefundState.PAID_ELSEWHERE, cases.number_of(matter.case.id)
        paid = refunds.record_paid(matter.session, row, reference, matter.now)
        audit.record(matter.session, actor, "refund_confirmed", name, matter.now, key=row.key, reference=row.reference)
        if known and matter.case.state != CaseState.REFUND_DUE:
            detail = {"key": row.key, "reference": row.reference}
            cases.record_event(matter.session, matter.case, "reference_noted", matter.now, actor=actor, **detail)
        else:
            refunding.settle(matter, row, actor=actor, person=actor)
        return f"{name}: {paid} {paid.currency} confirmed as paid"


def approve_refund(app: App, number: str, actor: str) -> str:
    """Agree to a refund that needs two persons.

    Raises:
        RefundError: it needs none, or this person has agreed already.
    """

    def agree(matter: Matter, row: RefundRow) -> str:
        refunds.approve(row, actor, matter.now)
        return "may be paid" if row.state == RefundState.DUE else "needs one more person"

    return _changed(app, number, actor, "refund_approved", states={RefundState.AWAITING_APPROVAL}, change=agree)


def hold_refund(app: App, number: str, actor: str, reason: str) -> str:
    """Keep a refund from being paid.

    Raises:
        RefundError: nothing can be held.
    """

    def hold(_: Matter, row: RefundRow) -> str:
        refunds.change(row, RefundState.HELD, held_for=reason[:_MOST_SHOWN])
        return "is held"

    holdable = {RefundState.AWAITING_APPROVAL, RefundState.DUE}
    return _changed(app, number, actor, "refund_held", states=holdable, change=hold, note=reason)


def release_refund(app: App, number: str, actor: str) -> str:
    """Let a refund be paid that was held, that the provider refused, or that nobody found at the provider.

    Raises:
        RefundError: there is none, or it has not been looked for twice.
    """

    def release(matter: Matter, row: RefundRow) -> str:
        if row.state == RefundState.UNKNOWN and row.looks < _LEAST_LOOKS:
            raise refunds.RefundError(f"{row.key} may have been paid; wait until it was looked up twice")
        two = matter.app.settings.refunds.needs_two(refunds.amount_of(row)) and row.second_approver is None
        first = row.state == RefundState.HELD and two
        refunds.change(row, RefundState.AWAITING_APPROVAL if first else RefundState.DUE)
        return "needs a second person" if first else "may be paid"

    states = {RefundState.HELD, RefundState.REFUSED, RefundState.UNKNOWN}
    return _changed(app, number, actor, "refund_released", states=states, change=release)


def cancel_refund(app: App, number: str, actor: str, reason: str) -> str:
    """Call a case's refund off; the customer is not told by this.

    Raises:
        RefundError: nothing is due, or somebody is paying it.
    """
    with opened(app, number) as matter:
        name, rows = cases.number_of(matter.case.id), refunds.cancel(matter.session, matter.case.id)
        if not rows:
            raise refunds.RefundError(f"{name}: no refund is due; mailbot refund list shows those that are")
        cases.record_event(matter.session, matter.case, "refund_cancelled", matter.now, actor=actor, note=reason)
        refunding.stop_clock(matter)
        return f"{name}: its refund is called off; tell the customer with mailbot case reply {name}"


def freeze(app: App, actor: str, reason: str) -> str:
    """Stop every refund and all automatic mail, until somebody thaws them."""
    with transaction(app.engine, "operators.freeze") as session:
        newly = switch.freeze(session, actor, reason, app.now())
        audit.record(session, actor, "frozen", "refunds and automatic mail", app.now(), why=reason)
    log.warning("frozen", actor=actor, why=reason)
    return "refunds and automatic mail are frozen" if newly else "refunds and automatic mail were frozen already"


def thaw(app: App, actor: str) -> str:
    """Let refunds and automatic mail go again."""
    with transaction(app.engine, "operators.thaw") as session:
        was = switch.thaw(session)
        audit.record(session, actor, "thawed", "refunds and automatic mail", app.now())
    log.warning("thawed", actor=actor)
    return "nothing was frozen" if was is None else f"thawed; it was frozen by {was.by}: {was.reason}"


def _refuse_frozen(frozen: switch.Frozen | None) -> None:
    if frozen is not None:
        raise FrozenError(frozen)


def _one(matter: Matter, states: set[RefundState]) -> RefundRow:
    name, rows = cases.number_of(matter.case.id), refunds.of_case(matter.session, matter.case.id, states, lock=True)
    if not rows:
        raise refunds.RefundError(f"{name}: it has no such refund; mailbot refund list --all shows how each stands")
    return rows[0]


def _changed(
    app: App,
    number: str,
    actor: str,
    kind: str,
    *,
    states: set[RefundState],
    change: Callable[[Matter, RefundRow], str],
    **detail: str,
) -> str:
    with opened(app, number) as matter:
        row = _one(matter, states)
        became = change(matter, row)
        cases.record_event(matter.session, matter.case, kind, matter.now, actor=actor, key=row.key, **detail)
        audit.record(matter.session, actor, kind, cases.number_of(matter.case.id), matter.now, key=row.key)
        amount = refunds.amount_of(row)
        return f"{cases.number_of(matter.case.id)}: {amount} {amount.currency} {became}"
