"""What follows from a decision: every cell of the sender table, and money, clocks and states only for the proven."""

from itertools import product

import pytest

from mailbot.act.plan import GENERIC, Plan, Sender, plan, plan_approval
from mailbot.model.case import CaseState, ClockKind
from mailbot.model.decision import APPROVALS, Decision, Outcome, ReturnPostage, Settlement
from mailbot.model.mail import SenderGrade
from mailbot.model.money import Money

FROM, ON_FILE, NOBODY = "jane@example.org", "order@example.net", None
V0, V1, V2, V3, VX = (SenderGrade(grade) for grade in ("V0", "V1", "V2", "V3", "VX"))
DECIDED = [outcome for outcome in Outcome if outcome is not Outcome.REFUND]


def _money(amount: str) -> Money:
    return Money.parse(amount, "USD")


SETTLEMENT = Settlement(
    items=_money("80"),
    outbound_shipping=_money("6"),
    transaction_fee=_money("0"),
    already_refunded=_money("0"),
    cap_adjustment=_money("0"),
    refund=_money("86"),
    return_postage=ReturnPostage.NONE,
)


def _decision(outcome: Outcome) -> Decision:
    return Decision(
        outcome=outcome,
        rule="a_rule",
        clauses=("C8",),
        escalation="a_rule" if outcome is Outcome.ESCALATE else None,
        missing=(),
        proposal=None,
        settlement=SETTLEMENT if outcome in APPROVALS else None,
        received_on=None,
    )


def _sender(
    grade: SenderGrade,
    *,
    address: str | None = FROM,
    order: str | None = ON_FILE,
    invoice: bool = True,
    machine: bool = False,
) -> Sender:
    return Sender(grade=grade, address=address, order_address=order, invoice_came=invoice, no_auto_reply=machine)


def _planned(outcome: Outcome, sender: Sender) -> Plan:
    return plan(_decision(outcome), "full_reply", sender)


@pytest.mark.parametrize(
    ("sender", "reply", "to", "verification"),
    [
        pytest.param(_sender(V3), "full_reply", ON_FILE, None, id="V3: a full reply, to the order's address only"),
        pytest.param(
            _sender(V3, address=NOBODY), "full_reply", ON_FILE, None, id="V3: whatever the From is, the proof counts"
        ),
        pytest.param(_sender(V3, invoice=False), "full_reply", ON_FILE, None, id="V3: with or without an invoice"),
        pytest.param(_sender(V2, address=ON_FILE), "full_reply", ON_FILE, None, id="V2: a full reply"),
        pytest.param(
            _sender(V2, address=ON_FILE, invoice=False),
            "full_reply",
            ON_FILE,
            None,
            id="V2: with or without an invoice",
        ),
        pytest.param(_sender(V1, address=ON_FILE), None, None, ON_FILE, id="V1: only the verification mail"),
        pytest.param(
            _sender(V1, address=ON_FILE, invoice=False), None, None, ON_FILE, id="V1: with or without an invoice"
        ),
        pytest.param(_sender(V0), GENERIC, FROM, ON_FILE, id="V0: another address, an invoice came: both"),
        pytest.param(_sender(V0, invoice=False), GENERIC, FROM, None, id="V0: another address, no invoice: generic"),
        pytest.param(_sender(V0, order=None), GENERIC, FROM, None, id="V0: no such order: generic"),
        pytest.param(
            _sender(V0, order=None, invoice=False), GENERIC, FROM, None, id="V0: no such order, no invoice: generic"
        ),
        pytest.param(_sender(VX), None, None, ON_FILE, id="VX: DMARC failed, an invoice came: verification only"),
        pytest.param(_sender(VX, address=ON_FILE), None, None, ON_FILE, id="VX: DMARC failed for the right address"),
        pytest.param(_sender(VX, invoice=False), None, None, None, id="VX: DMARC failed, no invoice: nothing"),
        pytest.param(_sender(VX, order=None), None, None, None, id="VX: DMARC failed, no such order: nothing"),
        pytest.param(
            _sender(VX, address=NOBODY),
            None,
            None,
            ON_FILE,
            id="VX: ambiguous From, an invoice came: verification only",
        ),
        pytest.param(
            _sender(VX, address=NOBODY, invoice=False), None, None, None, id="VX: ambiguous From, no invoice: nothing"
        ),
        pytest.param(
            _sender(VX, address=NOBODY, order=None), None, None, None, id="VX: ambiguous From, no such order: nothing"
        ),
    ],
)
@pytest.mark.parametrize("outcome", DECIDED)
def test_each_cell_of_the_sender_table_says_who_is_written_to(
    *, outcome: Outcome, sender: Sender, reply: str | None, to: str | None, verification: str | None
) -> None:
    planned = _planned(outcome, sender)
    assert (planned.reply, planned.reply_to, planned.verification_to) == (reply, to, verification)


@pytest.mark.parametrize(("outcome", "grade"), list(product(DECIDED, SenderGrade)))
def test_nothing_but_the_generic_letter_and_no_money_goes_to_the_unproven(outcome: Outcome, grade: SenderGrade) -> None:
    planned = _planned(outcome, _sender(grade))
    if grade in {V2, V3}:
        assert planned.reply == "full_reply"
        return
    assert planned.reply in {None, GENERIC}
    assert (planned.refund, planned.clock) == (None, None)
    assert planned.state not in {CaseState.REFUND_DUE, CaseState.RETURN_APPROVED}


@pytest.mark.parametrize(("outcome", "grade"), list(product(DECIDED, SenderGrade)))
def test_a_person_whom_no_machine_may_answer_is_answered_by_a_person(outcome: Outcome, grade: SenderGrade) -> None:
    assert _planned(outcome, _sender(grade, machine=True)) == Plan(
        state=CaseState.ESCALATED,
        reply=None,
        reply_to=None,
        verification_to=None,
        answers=False,
        refund=None,
        clock=None,
    )


@pytest.mark.parametrize("outcome", DECIDED)
@pytest.mark.parametrize(
    "sender",
    [
        pytest.param(_sender(VX, invoice=False), id="DMARC failed, no invoice"),
        pytest.param(_sender(VX, order=None), id="DMARC failed, no such order"),
        pytest.param(_sender(VX, address=NOBODY, order=None), id="ambiguous From, no such order"),
    ],
)
def test_what_answers_nobody_is_for_a_person(outcome: Outcome, sender: Sender) -> None:
    planned = _planned(outcome, sender)
    assert (planned.state, planned.answers) == (CaseState.ESCALATED, False)


@pytest.mark.parametrize("outcome", [Outcome.REQUEST_INFO, Outcome.VERIFY_SENDER])
def test_an_ambiguous_from_is_for_a_person_even_where_the_order_s_address_is_asked(outcome: Outcome) -> None:
    planned = _planned(outcome, _sender(VX, address=NOBODY))
    assert (planned.state, planned.answers) == (CaseState.ESCALATED, False)


@pytest.mark.parametrize(
    ("outcome", "state", "refund", "clock", "answers"),
    [
        pytest.param(
            Outcome.APPROVE_CANCELLATION, CaseState.REFUND_DUE, SETTLEMENT, ClockKind.REFUND, True, id="cancelled"
        ),
        pytest.param(
            Outcome.APPROVE_RETURN, CaseState.RETURN_APPROVED, None, ClockKind.DISPATCH, True, id="a return approved"
        ),
        pytest.param(Outcome.DECLINE, CaseState.DECLINED, None, None, True, id="declined"),
        pytest.param(Outcome.REQUEST_INFO, CaseState.WAITING_FOR_INFORMATION, None, None, True, id="asked for more"),
        pytest.param(Outcome.VERIFY_SENDER, CaseState.WAITING_FOR_PROOF, None, None, True, id="asked for proof"),
        pytest.param(Outcome.ESCALATE, CaseState.ESCALATED, None, None, False, id="for a person: only acknowledged"),
    ],
)
@pytest.mark.parametrize("grade", [V2, V3])
def test_each_outcome_brings_a_proven_customers_case_where_it_belongs(
    *, outcome: Outcome, grade: SenderGrade, state: CaseState, refund: Settlement, clock: ClockKind, answers: bool
) -> None:
    planned = _planned(outcome, _sender(grade))
    assert (planned.state, planned.refund, planned.clock, planned.answers) == (state, refund, clock, answers)


@pytest.mark.parametrize(
    ("outcome", "grade", "state"),
    [
        pytest.param(Outcome.VERIFY_SENDER, V1, CaseState.WAITING_FOR_PROOF, id="verification mail to V1"),
        pytest.param(Outcome.VERIFY_SENDER, V0, CaseState.WAITING_FOR_PROOF, id="generic and verification for V0"),
        pytest.param(Outcome.VERIFY_SENDER, VX, CaseState.WAITING_FOR_PROOF, id="verification for a failed DMARC"),
        pytest.param(Outcome.REQUEST_INFO, V0, CaseState.WAITING_FOR_INFORMATION, id="generic to V0"),
        pytest.param(Outcome.ESCALATE, V0, CaseState.ESCALATED, id="a dispute of someone unproven"),
    ],
)
def test_an_unproven_case_waits_for_what_it_was_asked(outcome: Outcome, grade: SenderGrade, state: CaseState) -> None:
    planned = _planned(outcome, _sender(grade))
    assert (planned.state, planned.answers) == (state, outcome is not Outcome.ESCALATE)


@pytest.mark.parametrize(
    ("outcome", "state", "refund", "clock"),
    [
        pytest.param(Outcome.APPROVE_CANCELLATION, CaseState.REFUND_DUE, SETTLEMENT, ClockKind.REFUND, id="cancelled"),
        pytest.param(Outcome.REFUND, CaseState.REFUND_DUE, SETTLEMENT, ClockKind.REFUND, id="refunded"),
        pytest.param(Outcome.APPROVE_RETURN, CaseState.RETURN_APPROVED, None, ClockKind.DISPATCH, id="returned"),
        pytest.param(Outcome.DECLINE, CaseState.DECLINED, None, None, id="declined"),
    ],
)
def test_what_a_person_approves_is_due_like_what_the_policy_approves(
    outcome: Outcome, state: CaseState, refund: Settlement | None, clock: ClockKind | None
) -> None:
    approved = plan_approval(outcome, SETTLEMENT)
    assert (approved.state, approved.refund, approved.clock) == (state, refund, clock)
    assert approved.answers
