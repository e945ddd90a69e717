"""An IMAP and an SMTP server inside this process, for the demonstration and for tests; everything is in memory.

IMAP is pymap: no keywords, ENABLE or CONDSTORE. SMTP is aiosmtpd: it takes everything and passes nothing on.
"""

import asyncio
from argparse import Namespace
from collections.abc import Coroutine
from datetime import datetime
from threading import Thread
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope as Received
from aiosmtpd.smtp import Session as SmtpSession
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.hashing import BuiltinHash

from mailbot.ports import Envelope

HOST = "127.0.0.1"
_START_SECONDS = 30
_LARGEST = 64 * 1024 * 1024

_T = TypeVar("_T")


class MailServers:
    """Both servers on free ports of the loopback address, in one background thread.

    Attributes:
        imap_port, smtp_port: known after ``start``.
        sent: what was handed over by SMTP, oldest first, one entry a recipient.
    """

    def __init__(self) -> None:
        """Make them; nothing listens yet."""
        self.imap_port, self.smtp_port = 0, 0
        self.sent: list[Envelope] = []
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="mail-servers", daemon=True)
        self._listening: list[asyncio.Server] = []
        self._config = _QuietConfig(
            Namespace(proxy_protocol=None),
            host=HOST,
            port=0,
            demo_data=False,
            demo_user="",
            demo_password="",
            tls_enabled=False,
            hash_context=BuiltinHash(rounds=1),
            cpu_subsystem=Subsystem.for_asyncio(),
        )
        self._login = Login(self._config)

    def start(self) -> None:
        """Listen; returns when both servers answer."""
        self._thread.start()
        self._run(self._listen())

    def stop(self) -> None:
        """End both servers and their thread; their mail is gone."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)
        self._loop.close()

    def add_account(self, username: str, password: str) -> None:
        """Make an IMAP account with an empty INBOX."""
        user = UserMetadata(self._config, username, password=self._config.hash_context.hash(password))
        self._run(self._identity(username).set(user))

    def deliver(self, username: str, raw: bytes, received_at: datetime) -> None:
        """Put a mail into an account's INBOX, byte for byte, with that INTERNALDATE (aware)."""
        self._run(self._append(username, raw, received_at))

    async def _append(self, username: str, raw: bytes, received_at: datetime) -> None:
        async with self._identity(username).new_session() as session:
            await session.append_messages("INBOX", [AppendMessage(raw, received_at)])

    async def _listen(self) -> None:
        imap = ProxyProtocolReader(self._config.proxy_protocol).get_callback(IMAPServer(self._login, self._config))
        self._listening = [
            await asyncio.start_server(imap, HOST, 0),
            await self._loop.create_server(self._smtp, HOST, 0),
        ]
        self.imap_port, self.smtp_port = (server.sockets[0].getsockname()[1] for server in self._listening)

    async def _end(self) -> None:
        for server in self._listening:
            server.close()
        links = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    def _smtp(self) -> SMTP:
        handler = _Keeper(self.sent)
        return SMTP(handler, hostname="localhost", loop=self._loop, data_size_limit=_LARGEST, enable_SMTPUTF8=True)

    def _identity(self, username: str) -> Identity:
        return Identity(username, self._login, None, frozenset())

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_SECONDS)


class _QuietConfig(Config):
    @property
    def greeting(self) -> bytes:
        """What a client reads first; pymap itself would look its host's name up by DNS."""
        return b"ready"


class _Keeper:
    def __init__(self, sent: list[Envelope]) -> None:
        self._sent = sent

    async def handle_DATA(self, _server: SMTP, _session: SmtpSession, received: Received) -> str:  # noqa: N802 (aiosmtpd's name)
        """Keep what was handed over."""
        sender = received.mail_from if received.mail_from and received.mail_from != "<>" else ""
        data = received.content if isinstance(received.content, bytes) else b""
        self._sent += [Envelope(sender=sender, recipient=recipient, data=data) for recipient in received.rcpt_tos]
        return "250 2.0.0 kept"
