"""What ``mailbot explain`` says beside the decision."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]


def _told(*files: str) -> list[dict[str, Any]]:
    mailbot = Path(sys.executable).parent / "mailbot"
    command = [str(mailbot), "explain", *files, "--orders", "tests/mails/orders.json", "--json"]
    command += ["--config", "config.example.toml"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT).stdout
    return [json.loads(line) for line in told.splitlines()]


def test_it_says_why() -> None:
    several, forged, receipt = _told(
        "tests/mails/en-two-orders.eml",
        "tests/mails/findings/findings-below-none.eml",
        "tests/mails/findings/a-desk-s-receipt-en.eml",
    )
    assert (several["doubts"], several["order_number"]) == (["several_orders"], None)
    assert forged["sender"]["why"].startswith("dmarc=pass stands below the mail server's own findings")
    assert (receipt["kind"], receipt["kind_why"]) == ("auto_reply", "the text says that a machine wrote it")
