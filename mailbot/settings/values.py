"""What the values of the configuration must look like, and what is said of those that do not."""

import os
import re
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mailbot.errors import InputError
from mailbot.model.money import Money, MoneyError, decimals_of

_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+", re.ASCII)


class Section(BaseModel):
    """One section of the configuration: frozen, and with no key but those that it names."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretError(InputError):
    """A password is not where the configuration says."""


def address(text: str) -> str:
    """A bare address, in lower case."""
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not a bare address such as support@shop.example")
    return text.lower()


def timezone(name: str) -> str:
    """The name of a time zone that there is."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not a time zone such as America/New_York") from None
    return name


def currency(code: str) -> str:
    """The code of a currency that there is."""
    try:
        decimals_of(code)
    except MoneyError as problem:
        raise ValueError(str(problem)) from None
    return code


def pattern(text: str) -> str:
    """A regular expression that does not match the empty text."""
    try:
        pattern = re.compile(text)
    except re.error as problem:
        raise ValueError(f"is not a regular expression: {problem}") from None
    if pattern.search("") is not None:
        raise ValueError("matches the empty text; write what an order number looks like, such as 'AW-\\d{5}'")
    return text


def web_address(text: str) -> str:
    """A web address, or nothing."""
    if text and not re.fullmatch(r"https?://[^\s<>\"]+", text):
        raise ValueError(f"{text!r} is not a web address such as https://shop.example/policy")
    return text


def public_address(text: str) -> str:
    """A web address that browsers reach safely, or nothing."""
    host = urlsplit(web_address(text)).hostname or ""
    if text and not text.startswith("https://") and not is_loopback(host):
        raise ValueError(f"{text!r} would show customers' links to everyone on the way; write an https:// address")
    return text.rstrip("/")


def start(text: object) -> object:
    """Nothing stands for no time."""
    return None if text == "" else text


def with_zone(moment: datetime | None) -> datetime | None:
    """A time with its zone."""
    if moment is not None and moment.tzinfo is None:
        raise ValueError("has no time zone; write it with an offset, such as 2026-11-01T00:00:00+01:00")
    return moment


def host_and_port(text: str) -> str:
    """A host and a port to listen at."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) <= 65535:  # noqa: PLR2004 (the highest port)
        raise ValueError(f"{text!r} is not host:port such as 127.0.0.1:8080")
    return text


def read_secret(variable: str) -> str:
    """Read a secret now, from the environment.

    Raises:
        SecretError: it is not there.
    """
    held = os.environ.get(variable)
    if not held:
        raise SecretError(f"environment variable {variable} is not set; it holds a password or key")
    return held


def sums_of(written: Mapping[str, str]) -> Mapping[str, Money]:
    """Sums by their currency, read."""
    try:
        return {code: Money.parse(amount, code) for code, amount in written.items()}
    except MoneyError as problem:
        raise ValueError(str(problem)) from None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Address = Annotated[str, AfterValidator(address)]
WebAddress = Annotated[str, AfterValidator(web_address)]
Port = Annotated[int, Field(ge=1, le=65535)]
Sums = Annotated[dict[str, str], AfterValidator(lambda written: sums_of(written) and written)]
