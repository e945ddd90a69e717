"""The scoreboard: how well mailbot reads and decides, over its own mails and, where present, the corpora.

``make score`` prints it; ``ARGS=--faults`` adds a line for each of the tuning mails that is not right, ``ARGS=--write``
keeps the figures in ``docs/scoreboard.md``. Exit code 1: money would go out wrongly for at least one mail.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench import score_corpora
from bench.examples import read_held_back
from bench.score_goals import goals
from mailbot.bootstrap import example_settings, open_settings
from mailbot.understand.second_reader import load_second_reader
from tests.mails import scoring
from tests.mails.scoring import Scored, Share

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "ja", "zh")
_KEPT = Path(__file__).parents[1] / "docs" / "scoreboard.md"
_BELOW = "<!-- Written by `make score ARGS=--write`; what stands below is replaced. -->\n"


def main() -> int:
    """Print the scoreboard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", action="store_true", help="name what is not right among the tuning mails")
    parser.add_argument("--no-corpora", action="store_true", help="own mails only")
    parser.add_argument("--language", help="one language only, such as de")
    parser.add_argument("--write", action="store_true", help="keep the figures in docs/scoreboard.md")
    parser.add_argument("--corrections", type=Path, help="a folder of mailbot case corrections, scored by itself")
    parser.add_argument("--config", type=Path, help="with --corrections: the shop's configuration")
    arguments = parser.parse_args()
    if arguments.corrections is not None:
        return score_corrections(arguments.corrections, arguments.config)
    parts = {"tuning": scoring.TUNING, "reserve": scoring.RESERVE}
    read = {
        title: [mail for mail in scoring.score(folder) if arguments.language in {None, mail.language}]
        for title, folder in parts.items()
    }
    costs = scoring.cost(scoring.TUNING)
    corpora = {} if arguments.no_corpora else score_corpora.measure()
    aims = [goal.row() for goal in goals(read["reserve"], [*read["tuning"], *read["reserve"]], corpora, costs)]
    lines = [
        *(line for title, mails in read.items() for line in part_lines(title, mails)),
        *(f"CPU of reading, mails with {what}: median {milliseconds:.1f} ms" for what, milliseconds in costs.items()),
        *second_reader_lines(),
        *corpora_lines(corpora),
    ]
    print("\n".join(lines))
    print("\n== goals")
    print("\n".join(aims))
    if arguments.faults:
        for name, told in scoring.faults(read["tuning"]).items():
            print(f"  {name}: {told}")
    if arguments.write:
        keep(aims, lines)
    wrong = scoring.wrong_approvals([*read["tuning"], *read["reserve"]])
    for name in wrong:
        print(f"WRONG APPROVAL: {name}")
    return 1 if wrong else 0


def score_corrections(folder: Path, config: Path | None) -> int:
    """Print how mails that people have corrected are read now, and what is still not right."""
    mails = scoring.score(folder, open_settings(config) if config else example_settings())
    print("\n".join(part_lines(f"corrected ({folder.name})", mails)))
    for name, told in scoring.faults(mails).items():
        print(f"  {name}: {told}")
    return 1 if scoring.wrong_approvals(mails) else 0


def part_lines(title: str, mails: Sequence[Scored]) -> Iterator[str]:
    """What one part of the own mails comes to."""
    yield f"\n== own mails, {title} part: {len(mails)} mails"
    yield f"{'field':<18}{'precision':<18}{'recall':<18}"
    for field, (precision, recall) in scoring.fields(mails).items():
        yield f"{field:<18}{precision!s:<18}{recall!s:<18}"
    yield f"{'sure reasons right':<36}{scoring.surely_right(mails)}"
    yield f"{'decisions right':<36}{scoring.decisions(mails)}"
    yield f"{'needlessly to a person':<36}{scoring.needless(mails)}"
    yield f"{'wrong approvals':<36}{len(scoring.wrong_approvals(mails)):>6}"
    yield f"{'wrong declines':<36}{len(scoring.wrong_declines(mails)):>6}"
    yield f"\n{'language':<10}{'topic recall':<18}{'reason':<18}{'sure right':<18}{'decision':<18}{'needless':<18}wrong"
    for language in LANGUAGES:
        own = [mail for mail in mails if mail.language == language]
        if own:
            found = scoring.fields(own)
            row: tuple[Share, ...] = (
                found["topic"][1],
                found["reason"][0],
                scoring.surely_right(own),
                scoring.decisions(own),
                scoring.needless(own),
            )
            yield f"{language:<10}{''.join(f'{share!s:<18}' for share in row)}{len(scoring.wrong_approvals(own))}"


def second_reader_lines() -> Iterator[str]:
    """What the second reader by itself makes of the sentences that it was not taught, at its two thresholds."""
    read = read_held_back(load_second_reader())
    yield f"\n== second reader, {len(read)} sentences kept from it"
    yield f"{'label':<28}{'precision >= 0.5':<18}{'recall':<18}{'precision >= 0.8':<18}recall"
    for label in sorted({label for _, given in read for label in given}):
        pairs = [(given[label], label in example.labels) for example, given in read]
        yield _row(label, pairs)
    for language in LANGUAGES:
        own = [(example, given) for example, given in read if example.language == language]
        pairs = [(value, label in example.labels) for example, given in own for label, value in given.items()]
        yield _row(language, pairs)


def _row(name: str, pairs: Sequence[tuple[float, bool]]) -> str:
    shares = (share for least in (0.5, 0.8) for share in _found(pairs, least))
    return f"{name:<28}{''.join(f'{share!s:<18}' for share in shares)}".rstrip()


def _found(pairs: Sequence[tuple[float, bool]], least: float) -> tuple[Share, Share]:
    right = sum(value >= least and true for value, true in pairs)
    return Share(right, sum(value >= least for value, _ in pairs)), Share(right, sum(true for _, true in pairs))


def corpora_lines(corpora: Mapping[str, Mapping[str, Share]]) -> Iterator[str]:
    """One line a figure; a corpus that is not there is named."""
    for name, figures in corpora.items():
        yield f"\n== corpora/{name}" + (
            "" if figures else ": not here; set MAILBOT_CORPORA to the folder of the corpora"
        )
        yield from (f"{what:<56}{share}" for what, share in figures.items())


def keep(aims: Sequence[str], lines: Sequence[str]) -> None:
    """Replace the figures in docs/scoreboard.md; what stands above them stays."""
    above = _KEPT.read_text(encoding="utf-8").partition(_BELOW)[0]
    table = "\n".join(["| goal | wanted | measured | |", "|---|---|---|---|", *aims])
    told = "\n".join(line.rstrip() for line in lines).strip()
    _KEPT.write_text(f"{above}{_BELOW}\n{table}\n\n## All figures\n\n```text\n{told}\n```\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
