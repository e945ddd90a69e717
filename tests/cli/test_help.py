"""``mailbot --help`` names every verb, in the groups that CONTRACT.md gives."""

import pytest

from mailbot.cli.main import command


def test_every_verb_stands_in_one_group_of_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command(["--help"])
    _, *groups = capsys.readouterr().out.rstrip().split("\n\n")[2:]
    listed = [line.split()[0] for group in groups for line in group.splitlines()[1:]]
    verbs = [info.name for info in command.registered_commands] + [info.name for info in command.registered_groups]
    assert (ended.value.code, sorted(listed)) == (0, sorted(str(verb) for verb in verbs))
