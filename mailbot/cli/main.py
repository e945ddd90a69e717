"""All verbs put together in their groups."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mailbot.cli import (
    auth,
    cases,
    db,
    doctor,
    mail,
    mails,
    orders,
    policy,
    policy_changes,
    privacy,
    refunds,
    stats,
    templates,
    users,
)
from mailbot.cli.options import Context
from mailbot.logs import set_up_logs

_RUNNING, _LOOKING, _WORK, _KEEPING = "Run", "Look, decide, change nothing", "Operators' work", "Keep in order"
_MOST_SHOWN = 64


class Grouped(TyperGroup):
    """The verbs in their groups, as plain text."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (typer's signature, without types)
        """Write one section a group."""
        for group in (_RUNNING, _LOOKING, _WORK, _KEEPING):
            with formatter.section(group):
                formatter.write_dl(
                    [
                        (name, verb.get_short_help_str(limit=_MOST_SHOWN))
                        for name, verb in self.commands.items()
                        if getattr(verb, "rich_help_panel", None) == group
                    ]
                )


command = typer.Typer(
    name="mailbot",
    cls=Grouped,
    help="Answers a shop's refund e-mails by the shop's own policy, on time, and hands every doubt to a person.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)


@command.callback()
def configure(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="The configuration; default $MAILBOT_CONFIG, ./config.toml.")
    ] = None,
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log also what went as it should.")] = False,
) -> None:
    """Take the options that go before the verb."""
    set_up_logs(verbose=verbose)
    context.obj = Context(config=config)


command.command("demo", rich_help_panel=_RUNNING)(mail.demo)
command.command("run", rich_help_panel=_RUNNING)(mail.run)
command.command("worker", rich_help_panel=_RUNNING)(mail.worker)
command.command("console", rich_help_panel=_RUNNING)(mail.console)
command.command("poll", rich_help_panel=_RUNNING)(mail.poll)
command.command("explain", rich_help_panel=_LOOKING)(mail.explain)
cases.verbs.command("replay")(policy_changes.replay)
command.add_typer(policy.verbs, name="policy", rich_help_panel=_LOOKING)
command.add_typer(orders.verbs, name="orders", rich_help_panel=_WORK)
command.add_typer(cases.verbs, name="case", rich_help_panel=_WORK)
command.add_typer(mails.verbs, name="mail", rich_help_panel=_WORK)
command.add_typer(refunds.verbs, name="refund", rich_help_panel=_WORK)
command.command("stats", rich_help_panel=_LOOKING)(stats.stats)
command.add_typer(privacy.verbs, name="privacy", rich_help_panel=_KEEPING)
command.add_typer(db.verbs, name="db", rich_help_panel=_KEEPING)
command.add_typer(users.verbs, name="user", rich_help_panel=_KEEPING)
command.add_typer(templates.verbs, name="templates", rich_help_panel=_KEEPING)
command.add_typer(auth.verbs, name="auth", rich_help_panel=_KEEPING)
command.command("doctor", rich_help_panel=_KEEPING)(doctor.doctor)
