"""Verbs of signing in where a mailbox's provider takes no passwords."""

import sys
from typing import Annotated

import typer

from mailbot import bootstrap, oauth
from mailbot.cli.options import Config, plain, settings_for
from mailbot.errors import InputError
from mailbot.logs import say
from mailbot.steps.access import keep_sign_in

verbs = typer.Typer(help="Sign-in by OAuth, for Gmail and Microsoft 365.", no_args_is_help=True)
_WAITS_SECONDS = 600.0


@verbs.callback()
def group() -> None:
    """Sign-in by OAuth, for Gmail and Microsoft 365."""


@verbs.command()
def login(
    context: typer.Context,
    mailbox: Annotated[str, typer.Argument(help="The mailbox's name in the configuration.")],
    *,
    port: Annotated[int, typer.Option(help="Where the browser comes back to on this machine; 0 for any free one.")] = 0,
    config: Config = None,
) -> None:
    """Sign a mailbox in by a browser and keep the sign-in, encrypted. On a server: ssh -L PORT:127.0.0.1:PORT."""
    settings = settings_for(context, config)
    known = {each.name: each for each in settings.mailboxes if each.oauth}
    if mailbox not in known:
        raise InputError(f"{mailbox!r} is no mailbox with oauth; the configuration has {', '.join(known) or 'none'}")
    client = bootstrap.oauth_client(known[mailbox])
    with bootstrap.open_store(settings) as store, oauth.landing(port) as landing:
        question = oauth.ask(client, known[mailbox].username, landing.redirect)
        say(f"open this address in a browser and sign in as {plain(known[mailbox].username)}:")
        sys.stdout.write(question.url + "\n")
        sys.stdout.flush()
        code = landing.wait(question, _WAITS_SECONDS)
        keep_sign_in(store, settings, mailbox, oauth.exchange(client, question, code), bootstrap.now())
    say(f"{mailbox} is signed in; mailbot doctor tries it")
