"""What operators do, from the terminal or the console: to cases, to returned goods, to refunds.

Each verb is one transaction and one event; it returns what happened, in one line.
"""

from mailbot.operators.cases import (
    NotPossibleError,
    approve,
    assign,
    close,
    decline,
    draft,
    drafts,
    note,
    preview,
    reopen,
    reply,
    requeue,
)
from mailbot.operators.changes import Change, approve_changed, ask, correct, snooze
from mailbot.operators.merging import merge
from mailbot.operators.refunds import (
    approve_refund,
    cancel_refund,
    confirm_refund,
    freeze,
    hold_refund,
    pay_refunds,
    release_refund,
    thaw,
)
from mailbot.operators.returns import Inspection, Verdict, receive
from mailbot.store.refunds import RefundError

__all__ = [
    "Change",
    "Inspection",
    "NotPossibleError",
    "RefundError",
    "Verdict",
    "approve",
    "approve_changed",
    "approve_refund",
    "ask",
    "assign",
    "cancel_refund",
    "close",
    "confirm_refund",
    "correct",
    "decline",
    "draft",
    "drafts",
    "freeze",
    "hold_refund",
    "merge",
    "note",
    "pay_refunds",
    "preview",
    "receive",
    "release_refund",
    "reopen",
    "reply",
    "requeue",
    "snooze",
    "thaw",
]
