"""The child that reads pictures as it is, but for a reader that misbehaves when a file asks it to."""

import signal
from pathlib import Path

from mailbot.model.picture import SeenLine, SeenPage, Sight
from mailbot.sandbox import picture_server


def serve(talk_fd: int) -> None:
    """Do as ``mailbot.sandbox.picture_server.serve`` does, with one second of computing for a page."""
    picture_server._CPU_SECONDS_A_PAGE = 0
    picture_server._open_eyes = lambda: _look
    picture_server.serve(talk_fd)


def _look(file: bytes, _most_pages: int) -> Sight:
    picture_server._allow_time()
    match file[1:]:
        case b"work":
            while True:
                pass
        case b"memory":
            return Sight(pages=(), unreadable=str(len(bytes(2 * 1024**3))))
        case b"write":
            with Path("/tmp/mailbot-picture-mischief").open("wb") as out:  # noqa: S108 (nothing can be written)
                Path(out.name).unlink()
                out.write(b"x")
        case b"silence":
            signal.pause()
        case b"answer":
            line = SeenLine(text="x" * 500, x0=0, y0=0, x1=1, y1=1, height=1)
            return Sight(pages=(SeenPage(lines=(line,) * 3_000, unread=0, codes=()),))
    return Sight(pages=())
