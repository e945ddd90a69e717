"""The demonstration as a person starts it: worked off once, or served until it is to end."""

import re
import subprocess
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from mailbot.demo.run import run_demo

START = """
import sys
from mailbot.demo.run import run_demo
from mailbot.logs import set_up_logs
set_up_logs(verbose=False)
sys.exit(run_demo(once=True, listen="127.0.0.1:0", show=print, wait=sys.exit))
"""


def test_once_works_the_inbox_off_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START],
        env={"PYTHONPATH": ":".join(sys.path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^04-return .* approve_return / return +return_approved -> dorothy", done.stdout, re.MULTILINE)
    assert "The whole answer to 04-return.eml:\n\nFrom: Aurelia & Wren" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_served_it_shows_cases_and_answers_to_whom_it_signs_in() -> None:
    said: list[str] = []
    seen: dict[str, str] = {}

    def look() -> None:
        browser = build_opener(HTTPCookieProcessor(CookieJar()))
        address, token = re.findall(r"(http://\S+)/sign-in\?token=(\S+)", "\n".join(said))[0]
        form = Request(f"{address}/sign-in", urlencode({"token": token}).encode(), {"Origin": address})  # noqa: S310 (our own page)
        browser.open(form, timeout=10).close()
        for path in ("/", "/outside/"):
            for _ in range(300):
                seen[path] = browser.open(address + path, timeout=10).read().decode()
                if "priya.nair@example.com" in seen[path]:
                    break
                time.sleep(0.2)

    assert run_demo(once=False, listen="127.0.0.1:0", show=said.append, wait=look) == 0
    assert "RF-000001" in seen["/"]
    assert "priya.nair@example.com" in seen["/outside/"]
