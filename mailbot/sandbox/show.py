"""What people ask to see of a mail: a part of it, its HTML made harmless, a page of an attachment as a picture.

The requests are made by the parent; ``answer`` runs in the limited child only. Source: RELIABILITY.md, P2, Console.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from pydantic import TypeAdapter

PNG = b"\x89PNG\r\n\x1a\n"
"""How every PNG begins."""
_LENGTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for.

    Attributes:
        path: of the attachment; empty for the HTML.
        page: counted from 1; ``side`` is the most pixels of its longer side.
    """

    what: Literal["part", "html", "page"]
    path: str = ""
    page: int = 1
    side: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An attachment, byte for byte."""

    file_name: str | None
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One page as PNG, and how many pages there are."""

    pages: int
    png: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands before the bytes of an answer; ``problem`` is why there are none, in words of ours."""

    problem: str = ""
    file_name: str | None = None
    pages: int = 0


_PICTURES = ("jpg", "jpeg", "png", "webp", "gif", "bmp")
_CAN_DRAW_PICTURES = find_spec("PIL") is not None and find_spec("numpy") is not None


def may_be_drawn(content_type: str, file_name: str | None) -> bool:
    """Whether a part says that it is something of which pages can be drawn here; only its bytes tell for sure."""
    ending = (file_name or "").lower().rpartition(".")[2]
    if ending == "pdf" or content_type.lower() == "application/pdf":
        return True
    named = ending in _PICTURES or content_type.lower() in {f"image/{kind}" for kind in _PICTURES}
    return _CAN_DRAW_PICTURES and named


_WANTED: TypeAdapter[Wanted] = TypeAdapter(Wanted)
_HEAD: TypeAdapter[Head] = TypeAdapter(Head)


def wanted_bytes(wanted: Wanted, raw: bytes) -> bytes:
    """A request as it goes to the child."""
    return _joined(_WANTED.dump_json(wanted), raw)


def parse_shown(answer: bytes) -> tuple[Head, bytes]:
    """An answer as the child gives it.

    Raises:
        ValidationError: it is none.
    """
    head, data = _parted(answer)
    return _HEAD.validate_json(head), data


def answer(request: bytes) -> bytes:
    """Answer one request. Runs in the limited child."""
    from mailbot.inbound.mime import parse_mail  # noqa: PLC0415 (the parent, who imports this too, must not parse)
    from mailbot.sandbox.pages import UndrawnError, draw  # noqa: PLC0415
    from mailbot.sandbox.safe_html import sanitised  # noqa: PLC0415

    form, raw = _parted(request)
    wanted, mail = _WANTED.validate_json(form), parse_mail(raw)
    if wanted.what == "html":
        return _shown(Head(), sanitised(mail.html or "").encode("utf-8", "replace"))
    part = next((one for one in mail.attachments if one.path == wanted.path), None)
    if part is None or part.held_back:
        return _shown(Head(problem="the mail has no such attachment, or it lies beyond a limit"), b"")
    if wanted.what == "part":
        return _shown(Head(file_name=part.file_name), part.data)
    try:
        pages, png = draw(part.data, wanted.page, wanted.side)
    except UndrawnError as problem:
        return _shown(Head(problem=str(problem)), b"")
    return _shown(Head(pages=pages), png)


def _shown(head: Head, data: bytes) -> bytes:
    return _joined(_HEAD.dump_json(head), data)


def _joined(head: bytes, data: bytes) -> bytes:
    return len(head).to_bytes(_LENGTH, "big") + head + data


def _parted(content: bytes) -> tuple[bytes, bytes]:
    start = _LENGTH + int.from_bytes(content[:_LENGTH], "big")
    return content[_LENGTH:start], content[start:]
