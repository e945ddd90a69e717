"""A page taken apart into elements, so that tests can ask what it shows and where."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


@dataclass(slots=True, kw_only=True)
class Element:
    """One element; ``text`` is all that stands in it, spaces as they are."""

    tag: str
    attributes: dict[str, str]
    children: "list[Element | str]" = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def words(self) -> str:
        """The text with every run of spaces made one."""
        return " ".join(self.text.split())

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    def walk(self) -> "Iterator[Element]":
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, tag: str | None = None, class_: str | None = None) -> "list[Element]":
        """Every element of that tag and class inside, in order."""
        return [
            one
            for one in self.walk()
            if one is not self and tag in {None, one.tag} and (class_ is None or class_ in one.classes)
        ]

    def under(self, heading: str) -> "Element":
        """The section (or details) whose heading begins so."""
        for section in self.all():
            if section.tag in {"section", "details"} and any(
                one.words.startswith(heading) for one in section.all("h2")
            ):
                return section
        raise AssertionError(f"no section {heading!r}: {[one.words for one in self.all('h2')]}")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element(tag="page", attributes={})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag=tag, attributes={name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.tag == tag, f"<{closed.tag}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(text: str) -> Element:
    """Take a page apart; every element must be closed by its own end tag."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> is never closed"
    return reader.open[0]
