"""The command line: ``mailbot --help`` groups its verbs as CONTRACT.md does."""

import sys

from mailbot.cli.main import command
from mailbot.errors import InputError, MailbotError
from mailbot.logs import say


def main() -> None:
    """Run one verb. Exit codes: 0 done, 1 the work failed, 2 the input or the configuration is wrong."""
    try:
        command()
    except InputError as problem:
        say(str(problem))
        sys.exit(2)
    except MailbotError as problem:
        say(str(problem))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
