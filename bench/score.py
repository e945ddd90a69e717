"""The scoreboard: how well mailbot reads and decides, over its own mails and, where present, the corpora.

``make score`` prints it; ``make score ARGS=--faults`` adds a line for each of the tuning mails that is not right.
Exit code 1: money would go out wrongly for at least one mail.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import score_corpora
from tests.mails import scoring
from tests.mails.scoring import Scored, Share

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "ja", "zh")


def main() -> int:
    """Print the scoreboard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", action="store_true", help="name what is not right among the tuning mails")
    parser.add_argument("--no-corpora", action="store_true", help="own mails only")
    parser.add_argument("--language", help="one language only, such as de")
    arguments = parser.parse_args()
    wrong: list[str] = []
    for title, folder in (("tuning", scoring.TUNING), ("reserve", scoring.RESERVE)):
        if (folder / "labels.json").is_file():
            mails = [mail for mail in scoring.score(folder) if arguments.language in {None, mail.language}]
            wrong += scoring.wrong_approvals(mails)
            print_part(title, mails, folder)
            if arguments.faults and folder == scoring.TUNING:
                for name, told in scoring.faults(mails).items():
                    print(f"  {name}: {told}")
    if not arguments.no_corpora:
        for line in score_corpora.lines():
            print(line)
    for name in wrong:
        print(f"WRONG APPROVAL: {name}")
    return 1 if wrong else 0


def print_part(title: str, mails: Sequence[Scored], folder: Path) -> None:
    """Print what one part of the own mails comes to."""
    print(f"\n== own mails, {title} part: {len(mails)} mails")
    print(f"{'field':<18}{'precision':<18}{'recall':<18}")
    for field, (precision, recall) in scoring.fields(mails).items():
        print(f"{field:<18}{precision!s:<18}{recall!s:<18}")
    print(f"{'sure reasons right':<36}{scoring.surely_right(mails)}")
    print(f"{'decisions right':<36}{scoring.decisions(mails)}")
    print(f"{'needlessly to a person':<36}{scoring.needless(mails)}")
    print(f"{'wrong approvals':<36}{len(scoring.wrong_approvals(mails)):>6}")
    print(
        f"\n{'language':<10}{'topic recall':<18}{'reason':<18}{'sure right':<18}{'decision':<18}{'needless':<18}wrong"
    )
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
            print(f"{language:<10}{''.join(f'{share!s:<18}' for share in row)}{len(scoring.wrong_approvals(own))}")
    for what, milliseconds in scoring.cost(folder).items():
        print(f"CPU of reading, mails with {what}: median {milliseconds:.1f} ms")


if __name__ == "__main__":
    sys.exit(main())
