"""The parts that a running mailbot is made of; ``bootstrap.py`` picks them, the journey uses them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from mailbot.act.reply import Templates
from mailbot.policy.table import Policy
from mailbot.ports import Mailbox, MailTransport, OrderSource, PaymentProvider
from mailbot.sandbox.pool import Sandbox
from mailbot.settings import Settings
from mailbot.store.instance import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a mail is read and decided by; needs no database.

    Attributes:
        policy_text: the policy file as it stands, kept beside every decision made by it.
        clock: the present time, aware.
    """

    settings: Settings
    policy: Policy
    policy_text: str
    templates: Templates
    sandbox: Sandbox
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A whole mailbot.

    Attributes:
        holder: this process, as leases and claims name it.
        payments: who refunds by itself; ``None`` where people pay.
        order_source: where the shop keeps its orders; ``None`` where they come by files only.
        journal_folder: where this machine notes how far its outgoing mail has come.
        progress: told what was done and how many times.
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

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self.judgement.settings

    def now(self) -> datetime:
        """The present time, aware."""
        return self.judgement.clock()
