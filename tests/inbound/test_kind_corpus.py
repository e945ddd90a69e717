"""No machine's mail is answered, and no person's is taken for a machine's, in other projects' collections."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.inbound.kind import Sort, classify
from mailbot.inbound.mime import parse_mail
from mailbot.model.mail import MailKind

SHOP = "support@aurelia.example"


def answers(sort: Sort) -> bool:
    return sort.kind is MailKind.CUSTOMER and not sort.no_auto_reply


def test_no_machine_is_answered_and_no_person_is_caught(corpus: Callable[[str], Path]) -> None:
    folder = corpus("automail")
    answered, caught = [], []
    for name, label in json.loads((folder / "labels.json").read_text(encoding="utf-8")).items():
        if label.get("reply") is None:
            continue
        mail = parse_mail((folder / name).read_bytes())
        senders = " ".join(mail.values("from")).lower()
        sort = classify(mail, [address for address in mail.recipients if address not in senders], "instance")
        if label["reply"] is False and answers(sort):
            answered.append(name)
        if label["reply"] is True and sort.kind is not MailKind.CUSTOMER:
            caught.append(name)
    assert (answered, caught) == ([], [])


def test_single_marks_over_an_ordinary_mail(corpus: Callable[[str], Path], subtests: pytest.Subtests) -> None:
    ordinary = {"From": "jane@example.com", "To": SHOP, "Subject": "My order", "Content-Type": "text/plain"}
    for line in (corpus("automail") / "header-recipes.jsonl").read_text(encoding="utf-8").splitlines():
        recipe = json.loads(line)
        header = ordinary | recipe["headers"]
        raw = "".join(f"{name}: {value}\n" for name, value in header.items()) + "\nHello\n"
        with subtests.test(headers=recipe["headers"]):
            assert answers(classify(parse_mail(raw.encode()), [SHOP], "instance")) is recipe["reply"]
