"""The parts that a running mailbot is made of; ``bootstrap.py`` picks them, the journey uses them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from mailbot.act.reply import Templates
from mailbot.model.book import BookedOrder
from mailbot.policy.table import Policy
from mailbot.policy.versions import policy_for
from mailbot.ports import IdentityProvider, Mailbox, MailTransport, OrderSource, PaymentProvider, WebhookCaller
from mailbot.sandbox.pool import Sandbox
from mailbot.settings import Settings
from mailbot.store.instance import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a mail is read and decided by; needs no database.

    Attributes:
        policies: the shop's, newest first; orders that were paid earlier keep the older ones.
        clock: the present time, aware.
    """

    settings: Settings
    policies: tuple[Policy, ...]
    templates: Templates
    sandbox: Sandbox
    clock: Callable[[], datetime]

    @property
    def policy(self) -> Policy:
        """The newest policy: what is promised today."""
        return self.policies[0]

    def policy_for(self, booked: BookedOrder | None) -> Policy:
        """The policy that an order was bought under."""
        return policy_for(None if booked is None else booked.order, self.policies)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A whole mailbot.

    Attributes:
        holder: this process, as leases and claims name it.
        payments: who refunds by itself; ``None`` where people pay.
        order_source: where the shop keeps its orders; ``None`` where they come by files only.
        journal_folder: where this machine notes how far its outgoing mail has come.
        progress: told what was done and how many times.
        webhooks: who calls other systems; ``None``: nobody does.
        identities: where people also sign in; ``None``: by password only.
    """

    judgement: Judgement
    engine: Engine
    mailboxes: tuple[Mailbox, ...]
    transport: MailTransport
    payments: PaymentProvider | None
    order_source: OrderSource | None
    instance: Instance
    holder: str
    journal_folder: Path
    progress: Callable[[str, int], None]
    webhooks: WebhookCaller | None = None
    identities: IdentityProvider | None = None

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self.judgement.settings

    def now(self) -> datetime:
        """The present time, aware."""
        return self.judgement.clock()
