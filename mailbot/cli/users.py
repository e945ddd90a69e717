"""Verbs of console accounts."""

import sys
from typing import Annotated

import typer

from mailbot.cli.options import Config, Json, open_app, plain, print_json
from mailbot.console.door import make_link
from mailbot.model.people import Role
from mailbot.store import audit
from mailbot.store import users as accounts
from mailbot.store.sessions import Link
from mailbot.store.transaction import reading, transaction

verbs = typer.Typer(help="People who may sign in to the console.", no_args_is_help=True)
_Name = Annotated[str, typer.Argument(help="The name or e-mail address that they sign in with.", metavar="NAME")]
_COMMAND_LINE = "command line"


@verbs.command()
def add(
    context: typer.Context,
    name: _Name,
    *,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.AGENT,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Add somebody, or give them a fresh link; prints the link that lets them choose a password within 72 hours."""
    with open_app(context, config) as app:
        with transaction(app.engine) as session:
            row = accounts.invite(session, name, role, app.now())
            audit.record(session, _COMMAND_LINE, "invited", row.name, app.now(), role=row.role)
            user_id, known_role = row.id, row.role
        address = f"http://{app.settings.console.listen}"
        link = make_link(app, Link.INVITATION, user_id, address)
    if as_json:
        print_json({"user": name, "role": known_role, "link": link})
    else:
        sys.stdout.write(f"{plain(name)} ({known_role}) chooses a password at {link}\n")


@verbs.command("list")
def list_(context: typer.Context, *, as_json: Json = False, config: Config = None) -> None:
    """List everybody, with their roles."""
    with open_app(context, config) as app, reading(app.engine) as session:
        for row in accounts.all_users(session):
            state = "disabled" if row.disabled_at else "active" if row.has_code or row.provider_subject else "invited"
            if as_json:
                print_json({"user": row.name, "role": row.role, "state": state})
            else:
                sys.stdout.write(f"{plain(row.name):<32} {row.role:<14} {state}\n")


@verbs.command()
def disable(context: typer.Context, name: _Name, *, config: Config = None) -> None:
    """Let somebody in no longer; their sessions end now."""
    with open_app(context, config) as app, transaction(app.engine) as session:
        accounts.disable(session, name, app.now())
        audit.record(session, _COMMAND_LINE, "disabled", name, app.now())
    sys.stdout.write(f"{plain(name)} is disabled\n")
