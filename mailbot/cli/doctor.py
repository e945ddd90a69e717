"""The verb that tries the whole configuration."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import typer
from sqlalchemy import Engine

from mailbot import bootstrap
from mailbot.act.check import check_templates
from mailbot.cli.options import Config, Json, plain, print_json, settings_for
from mailbot.console.by_provider import RETURN
from mailbot.errors import MailbotError
from mailbot.policy.check import check_policy
from mailbot.ports import IdentityProvider, Mailbox
from mailbot.sandbox.pictures import missing_modules
from mailbot.sandbox.pool import Sandbox
from mailbot.sandbox.wire import PICTURE
from mailbot.settings import Webhook
from mailbot.steps.app import App
from mailbot.steps.expiring import find_expiring
from mailbot.steps.machine import find_drift, find_full_disk, share_free
from mailbot.steps.statistics import working_hours
from mailbot.store import expiries, switch, webhooks
from mailbot.store import orders as book
from mailbot.store.desk_tables import WebhookCallState
from mailbot.store.instance import database_time
from mailbot.store.silence import find_alarms
from mailbot.store.transaction import reading

_GOOD, _WARNING, _BAD = "good", "warning", "bad"
_PATCHED = (3, 11, 10)
_DOT = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
_SAMPLE = b"From: doctor <doctor@shop.example>\r\nSubject: refund\r\n\r\nI would like a refund for my order.\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How one part fares; a warning works, but weaker than it could."""

    part: str
    state: str
    text: str


class BrokenError(MailbotError):
    """A part does not work."""


class WeakError(MailbotError):
    """A part works, but something about it should be mended."""


def doctor(context: typer.Context, *, as_json: Json = False, config: Config = None) -> None:
    """Try the whole configuration and say what is wrong with it; exit code 1 where something is."""
    bad = 0
    with bootstrap.open_app(settings_for(context, config)) as app:
        for found in _examined(app):
            bad += found.state == _BAD
            if as_json:
                print_json({"part": found.part, "state": found.state, "text": found.text})
            else:
                sys.stdout.write(plain(f"{found.state:<8} {found.part:<18} {found.text}") + "\n")
    if bad:
        raise typer.Exit(1)


def _examined(app: App) -> Iterator[Found]:
    parts: dict[str, Callable[[], str]] = {
        "policy": partial(_policy, app),
        "templates": partial(_templates, app),
        "database": partial(_database, app.engine),
        "order book": partial(_order_book, app.engine),
        "order source": partial(_order_source, app),
        **{f"mailbox {mailbox.name}": partial(_mailbox, mailbox) for mailbox in app.mailboxes},
        "smtp": partial(_smtp, app),
        "reading": partial(_reading, app),
        "pictures": partial(_pictures, app.judgement.sandbox),
        "sender proof": partial(_sender_proof, app),
        "payment provider": partial(_payments, app),
        "targets": partial(_targets, app),
        "notices": partial(_notices, app),
        **{f"webhook {hook.name}": partial(_webhook, app, hook) for hook in app.settings.webhooks},
        **({"sign-in": partial(_sign_in, app, app.identities)} if app.identities else {}),
        "silence": partial(_silence, app),
        "expiry": partial(_expiry, app),
        "clock": partial(_clock, app),
        "disk": partial(_disk, app),
    }
    for part, examine in parts.items():
        yield _tried(part, examine)


def _tried(part: str, examine: Callable[[], str]) -> Found:
    try:
        return Found(part=part, state=_GOOD, text=examine())
    except WeakError as weakness:
        return Found(part=part, state=_WARNING, text=str(weakness))
    except MailbotError as problem:
        return Found(part=part, state=_BAD, text=str(problem))


def _policy(app: App) -> str:
    policy = app.judgement.policy
    for one in app.judgement.policies:
        found = check_policy(one)
        if found:
            raise WeakError(f"{found[0].place} {found[0].problem}; mailbot policy check shows all {len(found)}")
    return f"version {policy.version[:12]}, {len(policy.rows)} rows, {len(policy.guards)} guards, proven"


def _templates(app: App) -> str:
    replies = frozenset[str]().union(*(policy.replies for policy in app.judgement.policies))
    faults = check_templates(app.judgement.templates, replies, app.settings.shop.language)
    if faults:
        raise BrokenError("; ".join(faults))
    return f"every reply that the policy names is there, in {', '.join(sorted(app.judgement.templates.languages))}"


def _database(engine: Engine) -> str:
    with reading(engine) as session:
        database_time(session)
    return engine.url.render_as_string(hide_password=True)


def _order_book(engine: Engine) -> str:
    with reading(engine) as session:
        count, newest = book.count_and_newest(session)
    if not count:
        raise WeakError("empty; fill it with mailbot orders import FILE, or every mail will be asked for its order")
    return f"{count} orders, imported last {newest:%Y-%m-%d %H:%M} UTC"


def _order_source(app: App) -> str:
    if app.order_source is None:
        return "files only (mailbot orders import)"
    newest = next(iter(app.order_source.changed_since(app.now())), None)
    return f"{app.settings.orders.url} answers" + ("" if newest is None else ", and takes orders just now")


def _mailbox(mailbox: Mailbox) -> str:
    with mailbox.open() as folder:
        count = len(folder.uids_after(0))
        idle = "IDLE" if folder.can_wait else "no IDLE, polling only"
    return f"signed in, {count} messages in {mailbox.folder_name}, {idle}"


def _smtp(app: App) -> str:
    with app.transport.connect():
        pass
    smtp = app.settings.smtp
    return f"{smtp.host}:{smtp.port} takes our sign-in" if smtp.username else f"{smtp.host}:{smtp.port} answers"


def _reading(app: App) -> str:
    app.judgement.sandbox.read(_SAMPLE, app.now())
    if not app.judgement.sandbox.is_cut_off:
        limits = "memory, time and files are limited"
        raise WeakError(f"the child that reads mails works ({limits}), but this kernel keeps it from no network")
    if sys.version_info < _PATCHED:
        raise WeakError(
            f"Python {sys.version.split()[0]} lacks mail parser fixes (CVE-2023-27043); use 3.11.10 or later"
        )
    return f"the limited child works, kept apart by {' and '.join(app.judgement.sandbox.isolation)}"


def _pictures(sandbox: Sandbox) -> str:
    missing = missing_modules()
    if missing:
        raise WeakError(
            "photographed and scanned invoices are not read and such mails go to a person: the extra ocr is not "
            f"installed ({', '.join(missing)} missing); install it with pip install 'mailbot[ocr]'"
        )
    sight = sandbox.see(PICTURE + _DOT)
    if sight.unreadable is not None:
        raise BrokenError(f"photographed and scanned invoices cannot be read: {sight.unreadable}")
    return "photographed and scanned invoices are read, in a child of its own"


def _sender_proof(app: App) -> str:
    identity = app.settings.identity
    if not identity.authserv_ids and not identity.trust_unnamed_results:
        raise WeakError("identity.authserv_ids is empty: no sender can be proven by DMARC, each is sent a code instead")
    return f"Authentication-Results of {', '.join(identity.authserv_ids) or 'the topmost unnamed server'} count"


def _notices(app: App) -> str:
    if not app.settings.notify.address:
        raise WeakError("notify.address is empty: nobody is told when a promise is due")
    return f"go to {app.settings.notify.address}"


def _webhook(app: App, hook: Webhook) -> str:
    hook.secret()
    with reading(app.engine) as session:
        states = {
            state: (count, problem) for name, state, count, problem in webhooks.counts(session) if name == hook.name
        }
    failed, problem = states.get(WebhookCallState.FAILED, (0, None))
    if failed:
        raise WeakError(f"{failed} calls were given up: {problem}")
    return f"is told of {', '.join(hook.events)}; its secret is there"


def _payments(app: App) -> str:
    terms, limits = app.settings.refunds, app.judgement.policy.terms.auto_approve_limits
    with reading(app.engine) as session:
        frozen = switch.find_frozen(session)
    if frozen is not None:
        raise BrokenError(f"refunds and automatic mail are frozen by {frozen.by}: {frozen.reason}; mailbot refund thaw")
    if terms.automatic and app.payments is None:
        raise BrokenError("refunds.automatic is true, but people pay (provider manual); set it to false")
    alone = [code for code, limit in limits.items() if terms.needs_two(limit)]
    if alone:
        raise WeakError(
            f"the policy approves more {', '.join(alone)} by itself than one person may; two must agree then"
        )
    return "people pay: mailbot refund pay, then mailbot refund confirm"


def _targets(app: App) -> str:
    terms = app.settings.targets
    if not terms.answer_within_hours:
        return "none; customers are promised plain hours all the same"
    due = working_hours(app.settings).after(app.now(), timedelta(hours=terms.answer_within_hours))
    if due is None:
        raise BrokenError("targets: no working hour lies ahead; look at days, opens, closes and holidays")
    return f"a mail of now is to be answered by {due.astimezone(app.settings.shop.zone):%a %d %b %H:%M %Z}"


def _sign_in(app: App, identities: IdentityProvider) -> str:
    return f"{identities.examine(app.now())}; the address to register there ends in {RETURN}"


def _silence(app: App) -> str:
    with reading(app.engine) as session:
        mailboxes = [(mailbox.name, mailbox.folder_name) for mailbox in app.mailboxes]
        alarms = [alarm.text for alarm in find_alarms(session, mailboxes, app.now())]
    if alarms:
        raise BrokenError(" ".join(alarms))
    return "mailboxes are looked into, letters go, nothing is parked"


def _expiry(app: App) -> str:
    with reading(app.engine) as session:
        alarms = [alarm.text for alarm in find_expiring(app, session)]
        known = len(expiries.find_all(session)) + len(app.settings.secrets.expires)
    if alarms:
        raise BrokenError(" ".join(alarms))
    return f"of {known} certificates, sign-ins and secrets whose end is known, none ends soon"


def _clock(app: App) -> str:
    with reading(app.engine) as session:
        for alarm in find_drift(app, session):
            raise BrokenError(alarm.text)
    return f"{app.now().astimezone(app.settings.shop.zone):%Y-%m-%d %H:%M %Z} in the shop"


def _disk(app: App) -> str:
    for alarm in find_full_disk(app):
        raise BrokenError(alarm.text)
    return f"{share_free(app):.0%} free"
