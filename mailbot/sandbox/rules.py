"""What the child is told: the shop's rules once, then one mail after the other."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

_TIME = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRules:
    """All that the child may know of the shop; no secret is among it.

    Attributes:
        order_number: the shop's regular expression.
        own_addresses: every address of the shop, lower case.
        instance: our mark in ``X-Mailbot-Instance``.
        timezone: the shop's, for days that a customer states.
        language: the shop's own, ISO 639-1; mails are read in any.
        bounce_address: where undeliverable mail comes back to, each message to its own address (VERP); may be empty.
        sees_pictures: a child that reads pictures can be asked.
    """

    order_number: str
    own_addresses: tuple[str, ...]
    instance: str
    authserv_ids: tuple[str, ...]
    trust_unnamed_results: bool
    received_hosts: tuple[str, ...]
    timezone: str
    language: str = "en"
    bounce_address: str = ""
    sees_pictures: bool = False


_RULES: TypeAdapter[ReadingRules] = TypeAdapter(ReadingRules)


def rules_bytes(rules: ReadingRules) -> bytes:
    """The rules as they go to the child."""
    return _RULES.dump_json(rules)


def parse_rules(content: bytes) -> ReadingRules:
    """The rules as the child gets them, from its parent."""
    return _RULES.validate_json(content)


def request_bytes(raw: bytes, received_at: datetime) -> bytes:
    """One mail as it goes to the child."""
    return received_at.isoformat().encode("ascii").ljust(_TIME) + raw


def parse_request(request: bytes) -> tuple[bytes, datetime]:
    """One mail as the child gets it."""
    return request[_TIME:], datetime.fromisoformat(request[:_TIME].decode("ascii").strip())
