"""Limits of pictures and of the child that reads them: each reached from both sides."""

import io
from collections.abc import Iterator

import pytest

from mailbot.sandbox import pictures
from mailbot.sandbox.pictures import PictureChild
from mailbot.sandbox.wire import PICTURE

pytestmark = pytest.mark.skipif(bool(pictures.missing_modules()), reason="the extra ocr is not installed")
_SERVER = "import sys; sys.path[:] = {path!r}; from tests.sandbox.picture_mischief import serve; serve({fd})"
_TOO_MUCH = "the picture asks for more time or memory than it may"


def a_picture(width: int, height: int, kind: str = "PNG", frames: int = 1) -> bytes:
    image, made = pytest.importorskip("PIL.Image"), io.BytesIO()
    shades = [image.new("L", (width, height), 255 - at) for at in range(frames)]
    shades[0].save(made, kind, **({"save_all": True, "append_images": shades[1:]} if frames > 1 else {}))
    return made.getvalue()


@pytest.mark.parametrize(
    ("within", "beyond", "why"),
    [
        pytest.param((6_000, 6_000), (6_400, 6_400), "too many pixels", id="pixels"),
        pytest.param((12_000, 9), (12_001, 9), "too many pixels", id="side"),
        pytest.param((9, 9, 14_000_000), (9, 9, 15_000_000), "too large", id="bytes"),
    ],
)
def test_a_picture_beyond_a_limit_is_refused(within: tuple[int, ...], beyond: tuple[int, ...], why: str) -> None:
    from mailbot.sandbox.pixels import UnseenError, open_picture  # noqa: PLC0415 (needs the extra)

    files = [a_picture(width, height) + bytes(sum(more)) for width, height, *more in (within, beyond)]
    assert open_picture(files[0]).size
    with pytest.raises(UnseenError, match=why):
        open_picture(files[1])


def test_a_picture_is_at_most_1800_pixels_long_and_its_first_frame() -> None:
    from mailbot.sandbox.pixels import open_picture  # noqa: PLC0415 (needs the extra)

    assert open_picture(a_picture(1_800, 20)).shape == (20, 1_800, 3)
    assert open_picture(a_picture(3_600, 20)).shape == (10, 1_800, 3)
    assert set(open_picture(a_picture(9, 9, "GIF", frames=3)).flatten()) == {255}


@pytest.fixture(scope="module")
def child() -> Iterator[PictureChild]:
    """Give a child whose reader does what a file says; it has one second for a page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "_SERVER", _SERVER)
        opened = PictureChild()
        yield opened
        opened.close()


@pytest.mark.parametrize(
    "mischief",
    [b"work", b"memory", b"write", b"answer", b"silence", bytes(16_000_000)],
    ids=lambda what: what[:9].strip(b"\0").decode() or "file",
)
def test_a_picture_that_asks_for_too_much_is_given_up_and_no_other(
    child: PictureChild, mischief: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mischief == b"silence":
        monkeypatch.setattr(pictures, "_WALL_SECONDS", 0.3)
        assert child.see(PICTURE + b"well", 1).unreadable in {None, _TOO_MUCH}
    assert child.see(PICTURE + mischief, 1).unreadable == _TOO_MUCH
    monkeypatch.undo()
    assert child.see(PICTURE + b"well", 1).unreadable is None


def test_the_child_is_replaced_after_a_hundred_files(child: PictureChild) -> None:
    child.close()
    pids = []
    for _ in range(101):
        assert child.see(PICTURE + b"well", 1).unreadable is None
        pids.append(child._process and child._process.pid)
    assert len(set(pids[:99])) == 1
    assert pids[99] is None
    assert pids[100] not in {None, pids[0]}
