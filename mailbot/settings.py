"""``config.toml`` and ``MAILBOT_*`` as frozen ``Settings``; also where templates/ and migrations/ lie.

Source: CONTRACT.md, "Configuration". ``config.example.toml`` holds every key with its meaning.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mailbot.errors import InputError
from mailbot.model.money import Money, MoneyError, decimals_of

EXAMPLE = "config.example.toml"
_ENV_PREFIX = "MAILBOT_"
_ENV_STEP = "__"
_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+", re.ASCII)
_PACKAGE = Path(__file__).parent


class SettingsError(InputError):
    """The configuration is wrong; one line a fault: where, what, how to mend it."""


class SecretError(InputError):
    """A password is not where the configuration says."""


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


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not a bare address such as support@shop.example")
    return text.lower()


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not a time zone such as America/New_York") from None
    return name


def _currency(code: str) -> str:
    try:
        decimals_of(code)
    except MoneyError as problem:
        raise ValueError(str(problem)) from None
    return code


def _pattern(text: str) -> str:
    try:
        pattern = re.compile(text)
    except re.error as problem:
        raise ValueError(f"is not a regular expression: {problem}") from None
    if pattern.search("") is not None:
        raise ValueError("matches the empty text; write what an order number looks like, such as 'AW-\\d{5}'")
    return text


def _url(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s<>\"]+", text):
        raise ValueError(f"{text!r} is not a web address such as https://shop.example/policy")
    return text


def _public(text: str) -> str:
    host = urlsplit(_url(text)).hostname or ""
    if text and not text.startswith("https://") and not _is_loopback(host):
        raise ValueError(f"{text!r} would show customers' links to everyone on the way; write an https:// address")
    return text.rstrip("/")


def _start(text: object) -> object:
    return None if text == "" else text


def _with_zone(moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise ValueError("has no time zone; write it with an offset, such as 2026-11-01T00:00:00+01:00")
    return moment


def _listen(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) <= 65535:  # noqa: PLR2004 (the highest port)
        raise ValueError(f"{text!r} is not host:port such as 127.0.0.1:8080")
    return text


_Address = Annotated[str, AfterValidator(_address)]
_WebAddress = Annotated[str, AfterValidator(_url)]
_Port = Annotated[int, Field(ge=1, le=65535)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _secret(variable: str) -> str:
    held = os.environ.get(variable)
    if not held:
        raise SecretError(f"environment variable {variable} is not set; it holds a password or key")
    return held


class Shop(_Section):
    """``[shop]``: who answers, and what its order numbers look like."""

    name: str = Field(min_length=1, max_length=120)
    timezone: Annotated[str, AfterValidator(_timezone)]
    currency: Annotated[str, AfterValidator(_currency)]
    support_address: _Address
    aliases: tuple[_Address, ...] = ()
    order_number: Annotated[str, AfterValidator(_pattern)]
    return_address: str = Field(default="", max_length=500)
    policy_url: _WebAddress = ""
    care_guide_url: _WebAddress = ""
    faq_url: _WebAddress = ""
    language: str = Field(default="en", pattern="^[a-z]{2}$")

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.timezone)


class Database(_Section):
    """``[database]``: where everything is kept."""

    url: str = Field(pattern=r"^(sqlite|postgresql)(\+[a-z0-9]+)?://")


class _Server(_Section):
    host: str = Field(min_length=1)
    port: _Port
    security: Security
    username: str = ""
    password_env: str = ""
    password_file: str = ""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.security is Security.NONE and not _is_loopback(self.host):
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
            return _secret(self.password_env)
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
    port: _Port = 993
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
        return _secret(self.oauth_client_secret_env) if self.oauth_client_secret_env else ""

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

    port: _Port = 587
    security: Security = Security.STARTTLS
    bounce_address: Annotated[str, AfterValidator(lambda text: text and _address(text))] = ""
    oauth_mailbox: str = ""

    @property
    def signs_in_by_token(self) -> bool:
        """Whether OAuth takes the password's place."""
        return bool(self.oauth_mailbox)


class Worker(_Section):
    """``[worker]``: what happens without a person."""

    mode: Mode = Mode.AUTO
    answer_from: Annotated[datetime | None, BeforeValidator(_start), AfterValidator(_with_zone)] = None


class Identity(_Section):
    """``[identity]``: whose findings about a sender count."""

    authserv_ids: tuple[str, ...] = ()
    trust_unnamed_results: bool = False
    received_hosts: tuple[str, ...] = ()


class Secrets(_Section):
    """``[secrets]``: the file of the key that stored sign-ins are encrypted with."""

    key_file: str = "mailbot.key"

    @property
    def key_path(self) -> Path:
        """Where it lies."""
        return Path(self.key_file)


class OrdersSettings(_Section):
    """``[orders]``: where the shop keeps its orders, for ``orders sync``; without a source they come by files only."""

    source: Literal["", "woocommerce"] = ""
    url: _WebAddress = ""
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
        if parts.scheme != "https" and not _is_loopback(parts.hostname):
            raise ValueError(f"{self.url} would send the key in the clear; write https://")
        return self

    def key(self) -> str:
        """Read the key now, from the environment.

        Raises:
            SecretError: it is not there.
        """
        return _secret(self.key_env)

    def secret(self) -> str:
        """Read the key's secret now, from the environment.

        Raises:
            SecretError: it is not there.
        """
        return _secret(self.secret_env)


class PolicyFile(_Section):
    """``[policy]``: the shop's own policy file; empty for the one that ships.

    ``earlier`` names the files that orders keep which were paid before the newer file's ``applies_from``.
    """

    file: str = ""
    earlier: tuple[str, ...] = ()


class Console(_Section):
    """``[console]``: where operators' browsers reach it, and under which address customers' do (empty: they do not)."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8080"
    public_url: Annotated[str, AfterValidator(_public)] = ""


class Notify(_Section):
    """``[notify]``: who is told when a promise is due; empty for nobody."""

    address: Annotated[str, AfterValidator(lambda text: text and _address(text))] = ""


def _limits(written: Mapping[str, str]) -> Mapping[str, Money]:
    try:
        return {code: Money.parse(amount, code) for code, amount in written.items()}
    except MoneyError as problem:
        raise ValueError(str(problem)) from None


_Sums = Annotated[dict[str, str], AfterValidator(lambda written: _limits(written) and written)]


class Refunds(_Section):
    """``[refunds]``: who pays, who must agree, and how far mailbot may go by itself. Source: P4, I7."""

    provider: Literal["manual"] = "manual"
    four_eyes_limit: _Sums = Field(default_factory=dict)
    automatic: bool = False
    most_an_hour: int = Field(default=20, ge=1, le=1000)
    most_a_customer: int = Field(default=1, ge=1, le=100)
    daily_sum: _Sums = Field(default_factory=dict)

    def needs_two(self, amount: Money) -> bool:
        """Whether two persons must approve an amount; once a limit is set, so does every currency without one."""
        limits = _limits(self.four_eyes_limit)
        return bool(limits) and (amount.currency not in limits or limits[amount.currency] < amount)

    def most_a_day(self, currency: str) -> Money | None:
        """The most that may be paid automatically in 24 hours; ``None`` where the configuration names none."""
        return _limits(self.daily_sum).get(currency)


class Targets(_Section):
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


class Cases(_Section):
    """``[cases]``: when a case that has come to its end is put away."""

    close_after_days: int = Field(default=14, ge=1, le=365)
    close_unanswered_after_days: int = Field(default=30, ge=8, le=365)


class Settings(_Section):
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
    notify: Notify = Notify()
    refunds: Refunds = Refunds()
    targets: Targets = Targets()
    cases: Cases = Cases()

    @model_validator(mode="after")
    def _unlike_mailboxes(self) -> Self:
        names = [mailbox.name for mailbox in self.mailboxes]
        if len(set(names)) < len(names):
            raise ValueError("mailboxes: two have the same name; give each its own")
        by_token = [mailbox.name for mailbox in self.mailboxes if mailbox.oauth]
        if self.smtp.oauth_mailbox and self.smtp.oauth_mailbox not in by_token:
            raise ValueError("smtp: oauth_mailbox names no mailbox that signs in by oauth")
        return self

    @property
    def own_addresses(self) -> frozenset[str]:
        """Every address that the shop writes from or receives at, lower case."""
        usernames = (mailbox.username.lower() for mailbox in self.mailboxes if "@" in mailbox.username)
        return frozenset({self.shop.support_address, *self.shop.aliases, *usernames})


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read a configuration file, overridden by ``MAILBOT_SECTION__KEY`` variables.

    Args:
        path: the file (TOML).
        environ: the environment; ``MAILBOT_MAILBOXES__0__HOST`` reaches into a list.

    Raises:
        SettingsError: the file cannot be read, is no TOML, or holds faults: all of them, one line each.
    """
    try:
        form = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise SettingsError(f"{path}: {problem.strerror}; name another with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path}: is not TOML: {problem}") from None
    for name, value in sorted(environ.items()):
        if name.startswith(_ENV_PREFIX) and _ENV_STEP in name:
            _override(form, name, value)
    try:
        return Settings.model_validate(_anchored(form, path.parent))
    except ValidationError as faults:
        raise SettingsError("\n".join(_fault(path, fault) for fault in faults.errors())) from None


def find_folder(name: str) -> Path:
    """Where ``templates`` or ``migrations`` lies: inside the installed package, else beside it in a checkout."""
    return _find(name)


def example_settings_path() -> Path:
    """Where the shipped example configuration lies."""
    return _find(EXAMPLE)


def _find(name: str) -> Path:
    packed, beside = _PACKAGE / name, _PACKAGE.parent / name
    return packed if packed.exists() else beside


def _override(form: dict[str, Any], name: str, value: str) -> None:
    *steps, last = name.removeprefix(_ENV_PREFIX).lower().split(_ENV_STEP)
    place: Any = form
    for step, following in zip(steps, [*steps[1:], last], strict=True):
        place = _stepped(place, name, step, [] if following.isdigit() else {})
    if isinstance(place, list):
        raise SettingsError(f"{name}: names a whole list entry; name one of its keys")
    place[last] = _listed(value) if value.lstrip().startswith("[") else value


def _stepped(place: Any, name: str, step: str, empty: dict[str, Any] | list[Any]) -> Any:
    if isinstance(place, list):
        at = int(step) if step.isdigit() else -1
        if not 0 <= at <= len(place):
            raise SettingsError(f"{name}: there is no entry {step!r}; the list has {len(place)}, counted from 0")
        if at == len(place):
            place.append(empty)
        return place[at]
    if not isinstance(place, dict):
        raise SettingsError(f"{name}: {step!r} lies inside a plain value; see {EXAMPLE} for the keys")
    return place.setdefault(step, empty)


def _listed(value: str) -> Any:
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value


def _anchored(form: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The form with relative files made to start at the configuration's own folder."""
    database, policy = form.get("database"), form.get("policy")
    if isinstance(database, dict) and isinstance(url := database.get("url"), str):
        match = re.fullmatch(r"(sqlite(?:\+[a-z]+)?:///)([^/:?][^?]*)(\?.*)?", url)
        if match:
            anchored = f"{match[1]}{(folder / match[2]).resolve()}{match[3] or ''}"
            form = {**form, "database": {**database, "url": anchored}}
    if isinstance(policy, dict) and isinstance(file := policy.get("file"), str) and file:
        policy = {**policy, "file": str(folder / file)}
    if isinstance(policy, dict):
        earlier = policy.get("earlier", [])
        if isinstance(earlier, list) and all(isinstance(file, str) for file in earlier):
            policy = {**policy, "earlier": [str(folder / file) for file in earlier]}
        form = {**form, "policy": policy}
    secrets = form.get("secrets", {})
    if isinstance(secrets, dict) and isinstance(key_file := secrets.get("key_file", "mailbot.key"), str):
        form = {**form, "secrets": {**secrets, "key_file": str(folder / key_file)}}
    for name in ("smtp", "mailboxes"):
        servers = form.get(name)
        if isinstance(servers, list):
            form = {**form, name: [_with_password_file(server, folder) for server in servers]}
        elif servers is not None:
            form = {**form, name: _with_password_file(servers, folder)}
    return form


def _with_password_file(server: Any, folder: Path) -> Any:
    if isinstance(server, dict) and isinstance(file := server.get("password_file"), str) and file:
        return {**server, "password_file": str(folder / file)}
    return server


def _fault(path: Path, fault: Any) -> str:
    place = ".".join(str(step) for step in fault["loc"]) or "file"
    if fault["type"] == "extra_forbidden":
        hint = "write password_env or password_file; a password does not stand in this file"
        text = hint if fault["loc"][-1] == "password" else f"is no known key; {EXAMPLE} has them all"
    elif fault["type"] == "missing":
        text = f"is missing; {EXAMPLE} shows it"
    else:
        text = fault["msg"].removeprefix("Value error, ")
    return f"{path}: {place}: {text}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
