"""The sections of the configuration, frozen. ``config.example.toml`` holds every key with its meaning."""

from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mailbot.model.money import Money
from mailbot.settings.sign_in import SignIn
from mailbot.settings.values import (
    Address,
    Port,
    SecretError,
    Section,
    Sums,
    WebAddress,
    address,
    currency,
    host_and_port,
    is_loopback,
    pattern,
    public_address,
    read_secret,
    start,
    sums_of,
    timezone,
    with_zone,
)


class Security(StrEnum):
    """How a connection is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Mode(StrEnum):
    """How far the worker goes by itself."""

    AUTO = "auto"
    DRAFT = "draft"
    OFF = "off"


class WebhookEvent(StrEnum):
    """What other systems can be told of."""

    ESCALATED = "case_escalated"
    BREACHED = "promise_breached"
    REFUND_DUE = "refund_due"
    ALARM = "alarm"


class Shop(Section):
    """``[shop]``: who answers, and what its order numbers look like."""

    name: str = Field(min_length=1, max_length=120)
    timezone: Annotated[str, AfterValidator(timezone)]
    currency: Annotated[str, AfterValidator(currency)]
    support_address: Address
    aliases: tuple[Address, ...] = ()
    order_number: Annotated[str, AfterValidator(pattern)]
    return_address: str = Field(default="", max_length=500)
    policy_url: WebAddress = ""
    care_guide_url: WebAddress = ""
    faq_url: WebAddress = ""
    language: str = Field(default="en", pattern="^[a-z]{2}$")

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.timezone)


class Database(Section):
    """``[database]``: where everything is kept."""

    url: str = Field(pattern=r"^(sqlite|postgresql)(\+[a-z0-9]+)?://")


class _Server(Section):
    host: str = Field(min_length=1)
    port: Port
    security: Security
    username: str = ""
    password_env: str = ""
    password_file: str = ""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.security is Security.NONE and not is_loopback(self.host):
            raise ValueError(f'security = "none" would send passwords in the clear to {self.host}; use "tls"')
        if self.username and not (self.password_env or self.password_file or self.signs_in_by_token):
            raise ValueError("username without password_env or password_file; name one of them")
        if self.password_env and self.password_file:
            raise ValueError("password_env and password_file are both set; keep one of them")
        return self

    @property
    def signs_in_by_token(self) -> bool:
        """Whether OAuth takes the password's place."""
        return False

    def password(self) -> str:
        """Read the password now, from the environment or from its file.

        Raises:
            SecretError: it is not there.
        """
        if self.password_env:
            return read_secret(self.password_env)
        try:
            password = Path(self.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as problem:
            raise SecretError(f"password_file {self.password_file}: {problem.strerror}") from None
        if not password:
            raise SecretError(f"password_file {self.password_file} is empty")
        return password


class MailboxSettings(_Server):
    """One ``[[mailboxes]]``: an IMAP account and the folder that customers write to."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")
    port: Port = 993
    security: Security = Security.TLS
    username: str = Field(min_length=1)
    folder: str = "INBOX"
    processed_folder: str = ""
    poll_seconds: int = Field(default=60, ge=5, le=3600)
    oauth: Literal["", "google", "microsoft"] = ""
    oauth_client_id: str = ""
    oauth_client_secret_env: str = ""
    oauth_tenant: str = Field(default="common", pattern=r"^[A-Za-z0-9.-]+$")

    @property
    def signs_in_by_token(self) -> bool:
        """Whether OAuth takes the password's place."""
        return bool(self.oauth)

    def client_secret(self) -> str:
        """Read mailbot's own secret at the provider now; empty for a public client.

        Raises:
            SecretError: it is not where the configuration says.
        """
        return read_secret(self.oauth_client_secret_env) if self.oauth_client_secret_env else ""

    @model_validator(mode="after")
    def _knows_its_client(self) -> Self:
        if self.oauth and not self.oauth_client_id:
            raise ValueError("oauth without oauth_client_id; register mailbot with the provider and write its id here")
        return self

    @model_validator(mode="after")
    def _moves_elsewhere(self) -> Self:
        if self.processed_folder.upper() == self.folder.upper():
            raise ValueError("processed_folder is the folder itself; name another, or leave it empty")
        return self


class Smtp(_Server):
    """``[smtp]``: the server that takes the shop's replies."""

    port: Port = 587
    security: Security = Security.STARTTLS
    bounce_address: Annotated[str, AfterValidator(lambda text: text and address(text))] = ""
    oauth_mailbox: str = ""

    @property
    def signs_in_by_token(self) -> bool:
        """Whether OAuth takes the password's place."""
        return bool(self.oauth_mailbox)


class Worker(Section):
    """``[worker]``: what happens without a person."""

    mode: Mode = Mode.AUTO
    answer_from: Annotated[datetime | None, BeforeValidator(start), AfterValidator(with_zone)] = None


class Identity(Section):
    """``[identity]``: whose findings about a sender count."""

    authserv_ids: tuple[str, ...] = ()
    trust_unnamed_results: bool = False
    received_hosts: tuple[str, ...] = ()


class Secrets(Section):
    """``[secrets]``: the file of the key that stored sign-ins are encrypted with, and when other secrets end.

    ``expires`` holds the day from which a password or key is good no longer, by its variable or file.
    """

    key_file: str = "mailbot.key"
    expires: dict[str, date] = Field(default_factory=dict)

    @property
    def key_path(self) -> Path:
        """Where it lies."""
        return Path(self.key_file)


class OrdersSettings(Section):
    """``[orders]``: where the shop keeps its orders, for ``orders sync``; without a source they come by files only."""

    source: Literal["", "woocommerce"] = ""
    url: WebAddress = ""
    key_env: str = "MAILBOT_ORDERS_KEY"
    secret_env: str = "MAILBOT_ORDERS_SECRET"  # noqa: S105 (the variable's name, not what it holds)
    sync_minutes: int = Field(default=10, ge=1, le=1440)

    @model_validator(mode="after")
    def _is_reached_safely(self) -> Self:
        if not self.source:
            return self
        parts = urlsplit(self.url)
        if not parts.hostname:
            raise ValueError('a source needs its url, such as url = "https://shop.example"')
        if parts.scheme != "https" and not is_loopback(parts.hostname):
            raise ValueError(f"{self.url} would send the key in the clear; write https://")
        return self

    def key(self) -> str:
        """Read the key now, from the environment.

        Raises:
            SecretError: it is not there.
        """
        return read_secret(self.key_env)

    def secret(self) -> str:
        """Read the key's secret now, from the environment.

        Raises:
            SecretError: it is not there.
        """
        return read_secret(self.secret_env)


class PolicyFile(Section):
    """``[policy]``: the shop's own policy file; empty for the one that ships.

    ``earlier`` names the files that orders keep which were paid before the newer file's ``applies_from``.
    """

    file: str = ""
    earlier: tuple[str, ...] = ()


class Console(Section):
    """``[console]``: where operators' browsers reach it, and under which address customers' do (empty: they do not)."""

    listen: Annotated[str, AfterValidator(host_and_port)] = "127.0.0.1:8080"
    public_url: Annotated[str, AfterValidator(public_address)] = ""


class Notify(Section):
    """``[notify]``: who is told when a promise is due; empty for nobody."""

    address: Annotated[str, AfterValidator(lambda text: text and address(text))] = ""


class Webhook(Section):
    """One ``[[webhooks]]``: a web address that is told, signed, of what happens; ``private`` ones may be inside."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")
    url: WebAddress = Field(min_length=1)
    secret_env: str = Field(min_length=1)
    events: tuple[WebhookEvent, ...] = Field(default=tuple(WebhookEvent), min_length=1)
    private: bool = False

    @model_validator(mode="after")
    def _is_reached_safely(self) -> Self:
        parts = urlsplit(self.url)
        if not parts.hostname or parts.username is not None or parts.password is not None:
            raise ValueError(f"{self.url} names no host, or holds a password; write https://host/path")
        if parts.scheme != "https" and not self.private:
            raise ValueError(f"{self.url} would go in the clear; write https://, or private = true for one inside")
        return self

    def secret(self) -> str:
        """Read the key that calls are signed with now, from the environment.

        Raises:
            SecretError: it is not there.
        """
        return read_secret(self.secret_env)


class Refunds(Section):
    """``[refunds]``: who pays, who must agree, and how far mailbot may go by itself. Source: P4, I7."""

    provider: Literal["manual"] = "manual"
    four_eyes_limit: Sums = Field(default_factory=dict)
    automatic: bool = False
    most_an_hour: int = Field(default=20, ge=1, le=1000)
    most_a_customer: int = Field(default=1, ge=1, le=100)
    daily_sum: Sums = Field(default_factory=dict)

    def needs_two(self, amount: Money) -> bool:
        """Whether two persons must approve an amount; once a limit is set, so does every currency without one."""
        limits = sums_of(self.four_eyes_limit)
        return bool(limits) and (amount.currency not in limits or limits[amount.currency] < amount)

    def most_a_day(self, currency: str) -> Money | None:
        """The most that may be paid automatically in 24 hours; ``None`` where the configuration names none."""
        return sums_of(self.daily_sum).get(currency)


class Targets(Section):
    """``[targets]``: operators' own aim for a first answer, in working hours; the public promise is another matter."""

    answer_within_hours: int = Field(default=0, ge=0, le=400)
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ("mon", "tue", "wed", "thu", "fri")
    opens: time = time(9)
    closes: time = time(17)
    holidays: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("opens is not before closes; write them as 09:00 and 17:00")
        if not self.days:
            raise ValueError('days is empty; name the days on which you work, such as ["mon", "tue"]')
        return self


class Cases(Section):
    """``[cases]``: when a case that has come to its end is put away."""

    close_after_days: int = Field(default=14, ge=1, le=365)
    close_unanswered_after_days: int = Field(default=30, ge=8, le=365)


class Settings(Section):
    """The whole configuration, checked. Relative paths in it start at the file's own folder."""

    shop: Shop
    database: Database
    mailboxes: tuple[MailboxSettings, ...] = Field(min_length=1)
    smtp: Smtp
    worker: Worker = Worker()
    identity: Identity = Identity()
    secrets: Secrets = Secrets()
    orders: OrdersSettings = OrdersSettings()
    policy: PolicyFile = PolicyFile()
    console: Console = Console()
    sign_in: SignIn = SignIn()
    notify: Notify = Notify()
    webhooks: tuple[Webhook, ...] = ()
    refunds: Refunds = Refunds()
    targets: Targets = Targets()
    cases: Cases = Cases()

    @model_validator(mode="after")
    def _unlike_mailboxes(self) -> Self:
        names = [mailbox.name for mailbox in self.mailboxes]
        if len(set(names)) < len(names):
            raise ValueError("mailboxes: two have the same name; give each its own")
        hooks = [hook.name for hook in self.webhooks]
        if len(set(hooks)) < len(hooks):
            raise ValueError("webhooks: two have the same name; give each its own")
        by_token = [mailbox.name for mailbox in self.mailboxes if mailbox.oauth]
        if self.smtp.oauth_mailbox and self.smtp.oauth_mailbox not in by_token:
            raise ValueError("smtp: oauth_mailbox names no mailbox that signs in by oauth")
        return self

    @model_validator(mode="after")
    def _only_known_secrets_end(self) -> Self:
        servers = (*self.mailboxes, self.smtp)
        known = {name for server in servers for name in (server.password_env, Path(server.password_file).name)}
        known |= {mailbox.oauth_client_secret_env for mailbox in self.mailboxes}
        known |= {
            self.sign_in.client_secret_env,
            self.orders.key_env,
            self.orders.secret_env,
            *(hook.secret_env for hook in self.webhooks),
        }
        unknown = sorted(set(self.secrets.expires) - known)
        if unknown:
            named = ", ".join(sorted(name for name in known if name))
            raise ValueError(f"secrets.expires: {unknown[0]!r} is no secret of this configuration; it has {named}")
        return self

    @property
    def own_addresses(self) -> frozenset[str]:
        """Every address that the shop writes from or receives at, lower case."""
        usernames = (mailbox.username.lower() for mailbox in self.mailboxes if "@" in mailbox.username)
        return frozenset({self.shop.support_address, *self.shop.aliases, *usernames})
