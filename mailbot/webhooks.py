"""Calling a web address that the configuration names: over TLS to a public address, and to no other.

The name is looked up once, every address of it must be public, and the connection goes to the address that was looked
at, so that a name that changes meanwhile leads nowhere else. Redirects are not followed. Source: P7; CWE-918.
"""

import socket
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from urllib.parse import urlsplit

from mailbot.errors import PermanentError, RetryableError

_SECONDS = 10.0
_MOST_READ = 10_000


class NotCalledError(RetryableError):
    """The other side is not there, or not well; the call can be made again."""


class ForbiddenAddressError(PermanentError):
    """The address leads into a private network, and the configuration does not say that it may."""


class Caller:
    """Makes calls, one connection each."""

    def call(self, url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> None:
        """Post a body; any answer from 200 to 299 is a yes.

        Raises:
            NotCalledError: no answer, or another one.
            ForbiddenAddressError: not ``private``, and not a public address.
            PermanentError: the other side wants no more calls (410).
        """
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        link = HTTPConnection(parts.hostname or "", port, timeout=_SECONDS)
        try:
            link.sock = _connected(parts.hostname or "", port, secure=secure, private=private)
            link.request("POST", path, body, {**headers, "Connection": "close"})
            answer = link.getresponse()
            answer.read(_MOST_READ)
        except (OSError, HTTPException) as problem:
            raise NotCalledError(f"{parts.hostname}: {type(problem).__name__}") from None
        finally:
            link.close()
        if answer.status == HTTPStatus.GONE:
            raise PermanentError(f"{parts.hostname} answered 410: it wants no more calls")
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise NotCalledError(f"{parts.hostname} answered {answer.status}")


def _connected(host: str, port: int, *, secure: bool, private: bool) -> socket.socket:
    found = [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not private and not all(_is_public(str(address)) for address in found):
        raise ForbiddenAddressError(f"{host} leads to an address that is not public; private = true allows that")
    connection = socket.create_connection((str(found[0]), port), timeout=_SECONDS)
    if not secure:
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    except OSError:
        connection.close()
        raise


def _is_public(address: str) -> bool:
    """Whether an address is out in the world: not this machine, not inside, no tunnel to an inner one."""
    ip = ip_address(address.partition("%")[0])
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    return ip.is_global and not ip.is_multicast and (inner is None or (inner.is_global and not inner.is_multicast))
