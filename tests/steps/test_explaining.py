"""What ``mailbot explain`` says beside the decision."""

import json
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def test_a_mail_of_several_orders_says_so_and_is_about_none() -> None:
    mailbot = Path(sys.executable).parent / "mailbot"
    files = ["tests/mails/en-two-orders.eml", "--orders", "tests/mails/orders.json"]
    command = [str(mailbot), "explain", *files, "--json", "--config", "config.example.toml"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT).stdout)
    assert (told["doubts"], told["order_number"]) == (["several_orders"], None)
