"""Broken, odd and foreign mail of other projects' collections comes out as two other parsers read it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inscriptis import get_text  # inscriptis ships no types

from mailbot.inbound.mime import parse_mail
from mailbot.model.mail import InboundMail

READ_OTHERWISE = {
    ("attachment_names", "apache_spamassassin_cjk_iso-2022-jp.1"): "an inline text file is an attachment here",
    ("attachment_names", "postalsys_postal-mime_fixtures_mimetorture.eml"): "more than five messages are enclosed",
    ("text_start", "stalwartlabs_mail-parser_thirdparty_000.eml"): "its NUL is left out",
    ("from", "stalwartlabs_mail-parser_thirdparty_007.eml"): "From holds no address",
}


@pytest.fixture(scope="module")
def labels(corpus: Callable[[str], Path]) -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = json.loads((corpus("mime") / "labels.json").read_text(encoding="utf-8"))
    return loaded


def folded(text: str) -> str:
    return " ".join(text.split())


def outer_names(mail: InboundMail) -> list[str]:
    enclosed = tuple(f"{part.path}." for part in mail.attachments if part.content_type == "message/rfc822")
    return sorted(part.file_name for part in mail.attachments if part.file_name and not part.path.startswith(enclosed))


def claimed_sender(mail: InboundMail) -> str:
    return mail.values("from")[0].rpartition("<")[2].partition(">")[0].strip().lower()


def unlike(mail: InboundMail, label: dict[str, Any]) -> list[str]:
    """What of the label the mail does not meet."""
    text = mail.plain or (get_text(mail.html) if mail.html else "")
    met: dict[str, Callable[[Any], bool]] = {
        "subject": lambda wanted: folded(mail.subject) == folded(wanted),
        "from": lambda wanted: "@" in wanted and claimed_sender(mail).split(" ")[0] == wanted.lower(),
        "text_start": lambda wanted: folded(text).startswith(wanted),
        "attachment_names": lambda wanted: outer_names(mail) == sorted(wanted),
    }
    return [what for what, test in met.items() if what in label and not test(label[what])]


def test_every_odd_mail_is_read_as_others_read_it(
    corpus: Callable[[str], Path], labels: dict[str, dict[str, Any]]
) -> None:
    found = set()
    for name, label in labels.items():
        raw = (corpus("mime") / name).read_bytes()
        found |= {(what, name) for what in unlike(parse_mail(raw), label)}
    assert found == set(READ_OTHERWISE)
