"""What verbs share: the ``--config`` option, the parts behind it, and how answers are written."""

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot import bootstrap
from mailbot.logs import say
from mailbot.settings import Settings
from mailbot.steps.app import App


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The options that stood before the verb."""

    config: Path | None


Config = Annotated[Path | None, typer.Option("--config", help="The configuration file.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Actor = Annotated[str, typer.Option("--as", help="Who does it, for the history.", default_factory=getpass.getuser)]


def settings_for(context: typer.Context, config: Path | None) -> Settings:
    """The shop's configuration; ``--config`` may stand before or after the verb."""
    return bootstrap.open_settings(config or context.find_root().obj.config)


def settings_or_example(context: typer.Context, config: Path | None) -> Settings:
    """The shop's configuration; without one, that of the shipped example, for verbs that only look."""
    named = config or context.find_root().obj.config
    if bootstrap.find_config(named) is None:
        say("no configuration found: this is the shipped example's shop")
        return bootstrap.example_settings()
    return bootstrap.open_settings(named)


@contextmanager
def open_app(context: typer.Context, config: Path | None) -> Iterator[App]:
    """A whole mailbot of the shop's configuration."""
    with bootstrap.open_app(settings_for(context, config)) as app:
        yield app


def print_json(form: Any) -> None:
    """Print one JSON object on one line of standard output."""
    sys.stdout.write(json.dumps(form, ensure_ascii=False) + "\n")


def plain(text: object) -> str:
    """A text that a mail may have brought, made safe to print on a terminal: no control characters, one line."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in str(text))
