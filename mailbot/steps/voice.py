"""Whose words count in a case: what unproven people wrote never adds to a proven customer's claim."""

from collections.abc import Sequence
from datetime import datetime

from mailbot.act.deadlines import clock_start
from mailbot.inbound.sender import prove_sender
from mailbot.model.book import BookedOrder
from mailbot.model.facts import SenderStatus
from mailbot.model.mail import SenderIdentity, Verdict
from mailbot.model.reading import Topic
from mailbot.store.readings import Said


def own_words(said: Sequence[Said], identity: SenderIdentity, *, proven_until: datetime | None) -> list[Said]:
    """The mails of a case that the writer of its newest answers for, oldest first.

    Args:
        said: what was written to the case.
        identity: of the newest mail.
        proven_until: when a code of the case came back, which vouches for all that was stored until then.

    Source: RELIABILITY.md, Who is the sender.
    """
    return [
        each
        for each in said
        if (proven_until is not None and each.stored_at <= proven_until)
        or _is_one_voice(each.reading.identity, identity)
    ]


def _is_one_voice(earlier: SenderIdentity, latest: SenderIdentity) -> bool:
    """Whether two mails are one writer's as far as anybody can tell: who is proven answers for proven mails only."""
    unproven = latest.verdict is not Verdict.PASS
    return earlier.address == latest.address and (unproven or earlier.verdict is Verdict.PASS)


def first_asked_at(said: Sequence[Said]) -> datetime:
    """The request time: that of the first mail that asked for something. Source: POLICY.md, Definitions."""
    asked = [each for each in said if each.reading.topic is Topic.REFUND_REQUEST] or said
    return min(clock_start(each.received_at, each.stored_at) for each in asked)


def is_customer(identity: SenderIdentity, booked: BookedOrder | None) -> bool:
    """Whether a mail proves by itself to be from the order's customer (V2)."""
    return booked is not None and prove_sender(identity, booked.customer_email).status is SenderStatus.VERIFIED
