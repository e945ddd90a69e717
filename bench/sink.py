"""An SMTP server that takes everything and writes one JSON line a message before its 250.

python -m bench.sink PORT LOG
"""

import asyncio
import json
import sys
import time
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import BinaryIO


class Sink(asyncio.Protocol):
    """One connection."""

    def __init__(self, log: BinaryIO) -> None:
        self._log, self._buffer, self._recipient, self._in_data = log, bytearray(), "", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every whole command or message that has come."""
        self._buffer += data
        while True:
            end = self._buffer.find(b"\r\n.\r\n" if self._in_data else b"\r\n")
            if end < 0:
                return
            piece = bytes(self._buffer[:end])
            del self._buffer[: end + (5 if self._in_data else 2)]
            self._transport.write(self._message(piece) if self._in_data else self._command(piece))

    def _command(self, line: bytes) -> bytes:
        match line[:4].upper():
            case b"EHLO":
                return b"250-sink\r\n250 8BITMIME\r\n"
            case b"RCPT":
                self._recipient = line.partition(b"<")[2].partition(b">")[0].decode("ascii", "replace")
            case b"DATA":
                self._in_data = True
                return b"354 go on\r\n"
            case b"QUIT":
                self._transport.write(b"221 2.0.0 bye\r\n")
                self._transport.close()
                return b""
        return b"250 2.0.0 well\r\n"

    def _message(self, content: bytes) -> bytes:
        self._in_data = False
        message_id = BytesHeaderParser().parsebytes(content)["Message-ID"]
        self._log.write(
            json.dumps({"to": self._recipient, "message_id": message_id, "at": time.time()}).encode() + b"\n"
        )
        return b"250 2.0.0 taken\r\n"


async def _serve(port: int, log: Path) -> None:
    with log.open("ab", buffering=0) as file:
        server = await asyncio.get_running_loop().create_server(lambda: Sink(file), "127.0.0.1", port)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
