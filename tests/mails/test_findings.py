"""Mails that mailbot once read wrongly are read as their labels say: what each is, who wrote it, what is doubtful."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from mailbot.inbound.sender import prove_sender
from mailbot.model.reading import Reading
from mailbot.sandbox.examine import Examiner
from mailbot.sandbox.rules import request_bytes, rules_bytes
from tests.campaigns.desk import NOON
from tests.campaigns.hostility import RULES
from tests.mails.write_findings import FINDINGS, HERE

_READING: TypeAdapter[Reading] = TypeAdapter(Reading)
_LABELS: list[dict[str, object]] = json.loads((HERE / "labels.json").read_text(encoding="utf-8"))
_FILES = sorted(HERE.glob("*.eml"))
_LARGEST = 40_000


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return Examiner(rules_bytes(RULES))


@pytest.mark.parametrize("label", _LABELS, ids=[str(label["file"]) for label in _LABELS])
def test_a_finding_is_read_as_its_label_says(label: dict[str, object], examiner: Examiner) -> None:
    raw = (HERE / str(label["file"])).read_bytes()
    reading = _READING.validate_json(examiner.examine(request_bytes(raw, NOON)))
    proof = prove_sender(reading.identity, "jane@example.org")
    assert {
        "file": label["file"],
        "found": label["found"],
        "kind": reading.kind,
        "kind_why": reading.why_kind,
        "grade": proof.grade,
        "why": proof.why,
        "doubts": list(reading.doubts),
        "defects": list(reading.defects),
        "order_numbers": len(reading.order_numbers),
        "unreadable": [paper.unreadable for paper in reading.invoices],
    } == label


def test_every_finding_has_its_label_and_is_what_its_script_writes() -> None:
    names = [path.name for path in _FILES]
    assert names == [label["file"] for label in _LABELS] == sorted(f"{name}.eml" for name in FINDINGS)
    for path in _FILES:
        assert path.stat().st_size < _LARGEST
        assert path.read_bytes() == FINDINGS[path.stem].replace("\n", "\r\n").encode()


def test_every_finding_is_told_in_the_list_of_campaigns() -> None:
    told = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text(encoding="utf-8")
    assert [path.stem for path in _FILES if f"`{path.stem}`" not in told] == []
