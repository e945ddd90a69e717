"""Telling addresses that are dead from those whose mailbox is full, strict or only slow (RFC 3464, and plain text)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.inbound.bounce import find_bounce, find_returned
from mailbot.inbound.mime import parse_mail


def a_report(text: str, status: str = "") -> bytes:
    fields = f"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: {status}\n" if status else ""
    return (
        "Content-Type: multipart/report; boundary=cut\n\n--cut\n\n"
        f"{text}\n--cut\nContent-Type: message/delivery-status\n\n{fields}\n--cut--\n"
    ).encode()


DEAD = (
    ("5.1.1", ""),
    ("5.1.2", ""),
    ("5.1.10", "null MX"),
    ("5.0.0", "550 no such user here"),
    ("5.0.0", "550 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table"),
    ("", "550 5.1.1 The email account that you tried to reach does not exist"),
    ("", "Host or domain name not found. Name service error for name=b.example"),
    ("", "550 Unrouteable address"),
    ("", "554 delivery error: dd This user doesn't have a b.example account"),
    ("5.4.4", "Unable to route: domain not found"),
    ("5.2.1", "mailbox no longer exists"),
    ("5.0.0", "550 Requested action not taken: mailbox unavailable"),
)
ALIVE = (
    ("5.2.2", ""),
    ("4.2.2", "mailbox full"),
    ("4.4.1", "delivery is delayed; host not found, trying again"),
    ("5.7.1", "message rejected as spam"),
    ("5.7.26", "unauthenticated mail is not accepted (DMARC)"),
    ("5.3.4", "message size exceeds the limit"),
    ("", "552 user over quota"),
    ("", "554 your host is on the blocklist"),
    ("2.0.0", "delivered"),
    ("", "a message without a word about why"),
)


@pytest.mark.parametrize(("status", "text"), DEAD)
def test_an_address_that_is_no_more_is_dead(status: str, text: str) -> None:
    assert find_bounce(parse_mail(a_report(text, status))).dead


@pytest.mark.parametrize(("status", "text"), ALIVE)
def test_an_address_that_only_did_not_take_this_one_is_alive(status: str, text: str) -> None:
    assert not find_bounce(parse_mail(a_report(text, status))).dead


def test_most_dead_addresses_of_others_collections_are_known_as_dead(corpus: Callable[[str], Path]) -> None:
    folder = corpus("automail")
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    dead = [name for name, label in labels.items() if label.get("hard") is True]
    known = sum(find_bounce(parse_mail((folder / name).read_bytes())).dead for name in dead)
    assert known >= 0.8 * len(dead)


@pytest.mark.parametrize(
    ("to", "found"),
    [
        ("bounces+0a1b@shop.example", True),
        ("BOUNCES+0a1b@Shop.Example", True),
        ("bounces@shop.example", False),
        ("bounces+0a1b@shop.example.org", False),
        ("support@shop.example", False),
    ],
)
def test_only_tagged_bounce_addresses_name_a_message(to: str, found: bool) -> None:  # noqa: FBT001 (a row of the table)
    mail = parse_mail(f"To: {to}\n\ntext".encode())
    assert find_returned(mail, "bounces@shop.example") == (to.lower() if found else None)
    assert find_returned(mail, "") is None
