"""``python -m tests.limits``: takes each limit of ``limits.toml`` out of the code in turn and wants its test to fail.

A limit without ``wide`` lies in a process of its own, or its test sets it lower; it stands where it is.
Run it as ``python -m tests.limits PDF XML`` for those whose names hold one of the words.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

WITHOUT = "MAILBOT_TEST_WITHOUT_LIMIT"
"""Names, for ``tests/conftest.py``, the limit that this run of tests is to do without, and what stands in its place."""


def main() -> int:
    """Try each; gives 1 where a test does not notice."""
    limits = tomllib.loads(Path(__file__).with_name("limits.toml").read_text(encoding="utf-8"))["limit"]
    wanted = [each for each in limits if not sys.argv[1:] or any(word in each["what"] for word in sys.argv[1:])]
    unnoticed = 0
    for limit in wanted:
        noticed = "stands where it is" if "wide" not in limit else _noticed(limit)
        unnoticed += noticed == "NOT NOTICED"
        sys.stdout.write(f"{noticed:<24} {limit['what']}\n")
        sys.stdout.flush()
    return min(unnoticed, 1)


def _noticed(limit: dict[str, str]) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", limit["test"]]
    environment = {**os.environ, WITHOUT: f"{limit['code']}={limit['wide']}"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if " skipped" in ended.stdout and " failed" not in ended.stdout:
        return "skipped here"
    return "noticed" if ended.returncode == 1 else "NOT NOTICED"


if __name__ == "__main__":
    sys.exit(main())
