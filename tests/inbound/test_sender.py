"""Who a mail says it is from, and what that proves for an order."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.inbound.sender import prove_sender, read_identity
from mailbot.model.facts import SenderStatus
from mailbot.model.mail import SenderGrade, SenderIdentity, Verdict

JANE = "jane@example.org"


def an_identity(verdict: str = "pass", address: str | None = JANE, why: str = "dmarc=pass") -> SenderIdentity:
    return SenderIdentity(address=address, display_name="Jane", verdict=Verdict(verdict), why=why)


def test_an_identity_is_read_from_raw_bytes() -> None:
    raw = (
        b"Authentication-Results: mx.shop.example; dmarc=pass header.from=example.org\r\n"
        b"Received: from out.example.org by mx.shop.example; x\r\n"
        b'From: "jane@example.net" <Jane@Example.ORG>\r\nReply-To: bob@example.net\r\n\r\ntext'
    )
    identity = read_identity(raw, ["mx.shop.example"], trust_unnamed=False, received_hosts=[])
    assert identity == SenderIdentity(
        address=JANE,
        display_name="jane@example.net",
        verdict=Verdict.PASS,
        why="dmarc=pass",
        flags=("display_name_holds_other_address",),
    )


@pytest.mark.parametrize(
    ("identity", "order_address", "grade", "status"),
    [
        pytest.param(an_identity("pass"), JANE, "V2", "verified", id="pass, the order's address"),
        pytest.param(an_identity("pass"), "Jane@Example.org ", "V2", "verified", id="in another case"),
        pytest.param(an_identity("none"), JANE, "V1", "unverified", id="none, the order's address"),
        pytest.param(an_identity("unknown"), JANE, "V1", "unverified", id="unknown, the order's address"),
        pytest.param(an_identity("pass"), "bob@example.org", "V0", "mismatched", id="pass, another address"),
        pytest.param(an_identity("none"), "bob@example.org", "V0", "mismatched", id="none, another address"),
        pytest.param(an_identity("unknown"), "bob@example.org", "V0", "mismatched", id="unknown, another address"),
        pytest.param(an_identity("pass"), "j.ane@example.org", "V0", "mismatched", id="no dot is folded"),
        pytest.param(an_identity("pass"), "jane+x@example.org", "V0", "mismatched", id="no tag is folded"),
        pytest.param(
            an_identity("pass", "kate@example.org"),
            "\u212aate@example.org",
            "V0",
            "mismatched",
            id="only ASCII is folded",
        ),
        pytest.param(an_identity("pass"), None, "V0", "unverified", id="pass, no order"),
        pytest.param(an_identity("none"), None, "V0", "unverified", id="none, no order"),
        pytest.param(an_identity("fail"), JANE, "VX", "unverified", id="fail, the order's address"),
        pytest.param(an_identity("fail"), None, "VX", "unverified", id="fail, no order"),
        pytest.param(an_identity("conflict"), JANE, "VX", "unverified", id="conflict"),
        pytest.param(an_identity("unknown", None), JANE, "VX", "unverified", id="ambiguous"),
        pytest.param(an_identity("unknown", None), None, "VX", "unverified", id="ambiguous, no order"),
    ],
)
def test_the_sender_table(identity: SenderIdentity, order_address: str | None, grade: str, status: str) -> None:
    proof = prove_sender(identity, order_address)
    assert (proof.grade, proof.status) == (SenderGrade(grade), SenderStatus(status))


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("address", [JANE, "bob@example.net", None])
def test_a_used_proof_verifies_anyone(verdict: Verdict, address: str | None) -> None:
    proof = prove_sender(an_identity(verdict, address), JANE, proof_used=True)
    assert (proof.grade, proof.status) == (SenderGrade.V3, SenderStatus.VERIFIED)


def test_the_proof_says_why() -> None:
    assert prove_sender(an_identity(), JANE).why == "dmarc=pass for shop customer jane@example.org"
    assert prove_sender(an_identity("fail", why="dmarc=fail"), JANE).why == "dmarc=fail for jane@example.org"
    assert prove_sender(an_identity("unknown", None, "2 From fields"), JANE).why == "2 From fields"


ATTACKER_PASSES = (
    b"Authentication-Results: mx.shop.example; dmarc=pass header.from=attack.com; dkim=pass header.d=attack.com\r\n"
    b"Received: from x by mx.shop.example; y\r\n"
)


def test_no_forgery_is_trusted_as_its_victim(corpus: Callable[[str], Path]) -> None:
    folder, trusted = corpus("spoof"), []
    for name, label in json.loads((folder / "labels.json").read_text(encoding="utf-8")).items():
        victim = label.get("must_not_be_trusted_as")
        if victim is None:
            continue
        raw = (folder / name).read_bytes()
        for delivered in (raw, ATTACKER_PASSES + raw):
            identity = read_identity(delivered, ["mx.shop.example"], trust_unnamed=False, received_hosts=[])
            if prove_sender(identity, victim).status is SenderStatus.VERIFIED:
                trusted.append(name)
    assert trusted == []


def test_no_other_field_is_the_claimed_sender(corpus: Callable[[str], Path]) -> None:
    for path in sorted(corpus("spoof").glob("rspamd_*.eml")):
        raw = path.read_bytes()
        identity = read_identity(raw, [], trust_unnamed=False, received_hosts=[])
        if "phish_sender" in path.name:
            assert identity.address is None, path.name
        else:
            sender = (identity.address or "nobody").encode()
            assert [line[:5].lower() for line in raw.splitlines() if sender in line] == [b"from:"], path.name
