"""Verbs of the reply templates."""

import sys

import typer

from mailbot import bootstrap
from mailbot.act.check import check_templates
from mailbot.act.reply import load_templates
from mailbot.cli.options import Config, Json, print_json, settings_or_example
from mailbot.settings import find_folder

verbs = typer.Typer(help="The reply templates.", no_args_is_help=True)


@verbs.callback()
def templates() -> None:
    """The reply templates."""


@verbs.command()
def check(context: typer.Context, *, as_json: Json = False, config: Config = None) -> None:
    """Every reply in every language: is it there, are its values known and told, can it be written."""
    settings = settings_or_example(context, config)
    policy = bootstrap.open_policy(settings)
    loaded = load_templates(find_folder("templates") / "reply")
    faults = check_templates(loaded, policy.replies, settings.shop.language)
    if as_json:
        print_json({"languages": sorted(loaded.languages), "faults": list(faults)})
    else:
        for fault in faults:
            sys.stdout.write(f"{fault}\n")
        replies = max((len(language.templates) for language in loaded.languages.values()), default=0)
        state = f"{len(faults)} faults" if faults else "nothing to mend"
        sys.stdout.write(f"{replies} replies in {', '.join(sorted(loaded.languages))}: {state}\n")
    if faults:
        raise typer.Exit(1)
