"""The built wheel has everything in it: from an empty folder it shows the whole demo."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
_RUN = (
    "import sys; sys.path.insert(0, sys.argv[1]); import mailbot; assert mailbot.__file__.startswith(sys.argv[1]);"
    " from mailbot.cli import main; sys.argv = ['mailbot', 'demo', '--once']; main()"
)


def test_the_wheel_shows_the_demo_from_an_empty_folder(tmp_path: Path) -> None:
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    built = subprocess.run(
        [sys.executable, "-c", _BUILD, str(tmp_path)], cwd=_ROOT, check=True, capture_output=True, text=True
    )
    zipfile.ZipFile(tmp_path / built.stdout.split()[-1]).extractall(site)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAILBOT_")}
    shown = subprocess.run(
        [sys.executable, "-c", _RUN, str(site)], cwd=empty, env=clean, check=False, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr[-2000:]
    assert "cancellation" in shown.stdout
    assert list(empty.iterdir()) == []
