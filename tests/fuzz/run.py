"""``make fuzz``: coverage-guided fuzzing of every parser of what comes by mail, each in a process of its own.

    python -m tests.fuzz.run [--only html xml] [--seconds 600] [--seed 1]

Wants atheris (``pip install atheris``), which has no wheels for every Python and is no part of the locked tools. A
finding is an exception, a broken promise, 10 seconds for one input or 2 GB of memory: its input is kept, and the exit
code is 1.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

TARGETS = (
    *("header", "results", "mime", "fields", "transfer", "cards", "html", "body", "claim", "orders", "paper", "xml"),
    "pdf",
)
_RUNS = re.compile(r"^Done (\d+) (?:runs )?in (\d+) second", re.MULTILINE)
_COVERED = re.compile(r"cov: (\d+)")
_TOLD = 2_000  # characters of what a finding printed


def main() -> int:
    """Fuzz what is asked for; a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=list(TARGETS), choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=600, help="for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(".fuzz"), help="where the input of a finding is kept")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        _fuzz(asked.only[0], Path(asked.inside), asked)
    found = [name for name in asked.only if not _holds(name, asked)]
    return 1 if found else 0


def _holds(name: str, asked: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        beginning = get_context("spawn").Process(target=_begin, args=(name, Path(folder)))
        beginning.start()
        beginning.join()
        command = [sys.executable, "-m", "tests.fuzz.run", "--inside", folder, "--only", name]
        command += ["--seconds", str(asked.seconds), "--seed", str(asked.seed), "--keep", str(asked.keep)]
        told = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    printed = told.stdout + told.stderr
    runs, covered = _RUNS.search(printed), _COVERED.findall(printed)
    holds = told.returncode == 0 and runs is not None
    figures = f"runs={runs[1]} seconds={runs[2]}" if runs else "ended early"
    _say(f"{name} seed={asked.seed} {figures} covered={covered[-1] if covered else 0} findings={int(not holds)}")
    if not holds:
        _say(printed[-_TOLD:])
    return holds


def _begin(name: str, folder: Path) -> None:
    """Write what a parser starts from, in a process of its own: what building it takes is no memory of the parser's."""
    for number, raw in enumerate(import_module("tests.fuzz.targets").beginnings(name)):
        (folder / f"{number}").write_bytes(raw)


def _fuzz(name: str, folder: Path, asked: argparse.Namespace) -> None:
    """Fuzz one parser in this process until its time is over; never returns."""
    with atheris.instrument_imports(include=["mailbot.inbound", "mailbot.understand", "mailbot.model"]):
        targets = import_module("tests.fuzz.targets")
    asked.keep.mkdir(exist_ok=True)
    limits = [f"-max_total_time={asked.seconds}", f"-seed={asked.seed}", "-timeout=10", "-rss_limit_mb=2048"]
    kept = f"-artifact_prefix={asked.keep}/{name}-"
    atheris.Setup([sys.argv[0], str(folder), kept, "-max_len=20000", *limits], targets.TARGETS[name])
    atheris.Fuzz()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
