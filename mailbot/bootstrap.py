"""Configuration in, working parts out: the only file that picks concrete parts and reads the clock."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Engine, make_url

from mailbot import oauth
from mailbot.act.reply import load_templates
from mailbot.act.smtp import SmtpTransport
from mailbot.errors import InputError
from mailbot.inbound.imap import ImapMailbox
from mailbot.orders.file import read_orders
from mailbot.orders.woocommerce import WooCommerce
from mailbot.payments.manual import write_payments
from mailbot.policy.table import Policy, parse_policy
from mailbot.policy.versions import in_order
from mailbot.ports import IdentityProvider, OrderSource
from mailbot.sandbox.pictures import missing_modules
from mailbot.sandbox.pool import Sandbox
from mailbot.sandbox.rules import ReadingRules
from mailbot.settings import MailboxSettings, Settings, example_settings_path, find_folder, load_settings
from mailbot.steps.access import AccessToken
from mailbot.steps.app import App, Judgement
from mailbot.steps.expiring import Expiries
from mailbot.store.cases import record_policy
from mailbot.store.epoch import begin_epoch, count_epoch, write_epoch
from mailbot.store.instance import ensure_schema, open_instance, record_start
from mailbot.store.leases import this_holder
from mailbot.store.transaction import open_engine, reading, transaction
from mailbot.understand.order_number import compile_order_numbers
from mailbot.webhooks import Caller

__all__ = ["read_orders", "write_payments"]

_CONFIG_VARIABLE = "MAILBOT_CONFIG"
_CONFIG_HERE = Path("config.toml")
_NO_INSTANCE = ""
_READERS = 2  # children that read mails; one process decides no more than two of them can read

log = structlog.get_logger()


class NoConfigError(InputError):
    """No configuration was named, and none lies here."""

    def __init__(self) -> None:
        """Say the three places that were looked at."""
        super().__init__(
            "no configuration: name a file with --config or $MAILBOT_CONFIG, or copy config.example.toml to config.toml"
        )


def now() -> datetime:
    """The present time, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 (this is the one place that reads the clock)


def find_config(named: Path | None) -> Path | None:
    """The configuration file: the named one, else ``$MAILBOT_CONFIG``, else ``./config.toml`` if it is there."""
    if named is not None:
        return named
    variable = os.environ.get(_CONFIG_VARIABLE)
    if variable:
        return Path(variable)
    return _CONFIG_HERE if _CONFIG_HERE.exists() else None


def open_settings(named: Path | None) -> Settings:
    """The shop's configuration.

    Raises:
        InputError: there is none, or it is wrong.
    """
    path = find_config(named)
    if path is None:
        raise NoConfigError
    return load_settings(path.resolve(), os.environ)


def example_settings() -> Settings:
    """The shipped example's configuration, for dry runs where there is none yet."""
    return load_settings(example_settings_path(), {})


def open_policy(settings: Settings, *, zone: ZoneInfo | None = None, file: Path | None = None) -> Policy:
    """The shop's policy, or the one that ships.

    Args:
        settings: names the file and the time zone.
        zone: in place of the shop's.
        file: in place of the configured one.

    Raises:
        InputError: the file cannot be read or is wrong.
    """
    return parse_policy(policy_text(settings, file), zone or settings.shop.zone)


def policy_text(settings: Settings, file: Path | None = None) -> str:
    """The text of the policy file that ``open_policy`` reads.

    Raises:
        InputError: the file cannot be read.
    """
    path = file or (Path(settings.policy.file) if settings.policy.file else None)
    if path is None:
        return resources.files("mailbot.policy").joinpath("default.toml").read_text(encoding="utf-8")
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise InputError(f"policy file {path}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"policy file {path}: is not UTF-8 text") from None


def open_policies(settings: Settings, *, zone: ZoneInfo | None = None, file: Path | None = None) -> tuple[Policy, ...]:
    """The shop's policy and the earlier ones that older orders keep, newest first.

    Args:
        settings: names the files and the time zone.
        zone: in place of the shop's.
        file: in place of all that are configured.

    Raises:
        InputError: a file cannot be read or is wrong, or the days from which they apply leave a gap.
    """
    newest = open_policy(settings, zone=zone, file=file)
    if file is not None:
        return (newest,)
    return in_order([newest, *(open_policy(settings, zone=zone, file=Path(name)) for name in settings.policy.earlier)])


def reading_rules(settings: Settings, instance: str = _NO_INSTANCE) -> ReadingRules:
    """What the limited child is told of the shop."""
    return ReadingRules(
        order_number=settings.shop.order_number,
        own_addresses=tuple(sorted(settings.own_addresses)),
        instance=instance,
        authserv_ids=settings.identity.authserv_ids,
        trust_unnamed_results=settings.identity.trust_unnamed_results,
        received_hosts=settings.identity.received_hosts,
        timezone=settings.shop.timezone,
        language=settings.shop.language,
        sees_pictures=not missing_modules(),
        bounce_address=settings.smtp.bounce_address,
    )


@contextmanager
def open_judgement(settings: Settings, instance: str = _NO_INSTANCE) -> Iterator[Judgement]:
    """Everything that reads and decides; needs no database and no secret.

    Raises:
        InputError: the policy file, a template or the order number's pattern is wrong.
    """
    compile_order_numbers(settings.shop.order_number)
    policies = open_policies(settings)
    templates = load_templates(find_folder("templates") / "reply")
    with Sandbox(reading_rules(settings, instance), children=min(_READERS, os.cpu_count() or 1)) as sandbox:
        yield Judgement(
            settings=settings,
            policies=policies,
            templates=templates,
            sandbox=sandbox,
            clock=now,
        )


@contextmanager
def open_store(settings: Settings) -> Iterator[Engine]:
    """The database alone, its tables made if there were none.

    Raises:
        InputError: the tables are of another version, or the database's driver is missing.
    """
    engine = open_engine(settings.database.url)
    try:
        ensure_schema(engine)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def open_app(settings: Settings, progress: Callable[[str, int], None] | None = None) -> Iterator[App]:
    """A whole mailbot with its database open; nothing outside is connected to yet.

    Args:
        settings: the configuration.
        progress: told what was done and how many times, for progress bars.

    Raises:
        InputError: the configuration does not fit the database, or the other way round.
    """
    with open_store(settings) as engine:
        with transaction(engine, "start.instance") as session:
            instance = open_instance(session, now())
        with open_judgement(settings, instance.name) as judgement:
            with transaction(engine, "start.policy") as session:
                for policy in judgement.policies:
                    record_policy(session, policy.version, policy.text, settings.shop.timezone, now())
            tokens, noted = _access_tokens(engine, settings), Expiries(engine)
            yield App(
                judgement=judgement,
                engine=engine,
                mailboxes=tuple(
                    ImapMailbox(mailbox, access_token=tokens.get(mailbox.name), noted=noted)
                    for mailbox in settings.mailboxes
                ),
                transport=SmtpTransport(settings.smtp, tokens.get(settings.smtp.oauth_mailbox), noted),
                payments=None,
                order_source=open_order_source(settings),
                instance=instance,
                holder=this_holder(),
                journal_folder=_journal_folder(settings, instance.name),
                progress=progress or _unseen,
                webhooks=Caller(),
                identities=open_identities(settings),
            )


def oauth_client(mailbox: MailboxSettings) -> oauth.Client:
    """Mailbot as the mailbox's provider knows it.

    Raises:
        SecretError: its secret is not where the configuration says.
    """
    provider = oauth.GOOGLE if mailbox.oauth == "google" else oauth.microsoft(mailbox.oauth_tenant)
    return oauth.Client(provider=provider, id=mailbox.oauth_client_id, secret=mailbox.client_secret())


def _access_tokens(engine: Engine, settings: Settings) -> dict[str, AccessToken]:
    return {
        mailbox.name: AccessToken(
            engine, settings, mailbox.name, partial(oauth_client, mailbox), clock=now, refresh=oauth.refresh
        )
        for mailbox in settings.mailboxes
        if mailbox.oauth
    }


def open_order_source(settings: Settings) -> OrderSource | None:
    """Where the shop keeps its orders; ``None`` where they come by files only."""
    return WooCommerce(settings.orders) if settings.orders.source == "woocommerce" else None


def open_identities(settings: Settings) -> IdentityProvider | None:
    """The shop's identity provider; ``None`` where it has none.

    Raises:
        InputError: the extra ``oidc`` is not installed.
    """
    if not settings.sign_in.issuer:
        return None
    try:
        from mailbot.openid import OpenIdProvider  # noqa: PLC0415 (needs the extra)
    except ModuleNotFoundError as missing:
        raise InputError(f"[sign_in] needs the extra oidc ({missing.name} is not installed): make setup") from None
    return OpenIdProvider(settings.sign_in)


def _unseen(_what: str, _count: int) -> None:
    """Nobody watches."""


def note_start(app: App) -> App:
    """Remember that mailbot answers mail here from now on; a database that is a copy starts frozen (P6).

    Returns:
        The same mailbot, which leaves to people what arrived before a copy was noticed.
    """
    beside = _epoch_file(app)
    with transaction(app.engine, "start.noted") as session:
        record_start(session, now())
        if begin_epoch(session, beside, now()):
            log.error("database_is_a_copy")
        instance = open_instance(session, now())
    _keep_epoch(app, beside)
    return replace(app, instance=instance)


def count_on(app: App) -> None:
    """Let the database, and the file beside it, know that mailbot still runs on it (P6)."""
    with transaction(app.engine, "start.counted") as session:
        count_epoch(session)
    _keep_epoch(app, _epoch_file(app))


def _keep_epoch(app: App, beside: Path) -> None:
    with reading(app.engine) as session:
        try:
            write_epoch(session, beside)
        except OSError as problem:
            log.warning("epoch_not_kept", problem=f"{beside}: {problem.strerror}; a restored copy will not be noticed")


def _epoch_file(app: App) -> Path:
    """The file that knows how often a database was started on: beside SQLite's, else beside the key of secrets."""
    url = make_url(app.settings.database.url)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(f"{url.database}.epoch")
    return app.settings.secrets.key_path.with_name(f"mailbot-{app.instance.name}.epoch")


def _journal_folder(settings: Settings, instance: str) -> Path:
    """Where this machine's journals of outgoing mail lie: beside the SQLite file, else in the temporary folder."""
    url = make_url(settings.database.url)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(f"{url.database}.sending")
    return Path(tempfile.gettempdir()) / f"mailbot-{instance}.sending"
