"""Whether a mail's HTML, which most programs show to people, says the same as its text, which is what is read."""

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from mailbot.model.reading import Body, Topic
from mailbot.understand.body import new_stretches, read_body
from mailbot.understand.claim import ClaimReading
from mailbot.understand.html_text import HtmlText, read_html

_ADDRESS = re.compile(r"(?:https?://|www\.|mailto:|cid:)\S+", re.IGNORECASE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one part says: its claim, and the keys of the order numbers in what is new in it."""

    claim: ClaimReading
    order_keys: Collection[str]


def read_beside(
    plain: str | None, html: str | None, body: Body, read_page: Callable[[str], HtmlText] = read_html
) -> Body | None:
    """The HTML beside the text as a body of its own.

    Links do not count as words: HTML keeps them out of sight.

    Args:
        plain: as for ``read_body``.
        html: likewise.
        body: what that gave.
        read_page: as for ``read_body``.

    Returns:
        ``None`` where there is only one of the two, where the HTML shows no text, and where what is new in both has
        the same words in the same order, as with nearly all mails.
    """
    if not plain or not html:
        return None
    page = read_body(None, html, read_page)
    return page if page.text.strip() and _words(page) != _words(body) else None


def says_otherwise(text: Said, page: Said) -> bool:
    """Whether a machine that had read the page would have done something else, or nothing; people read both."""
    if all(said.claim.topic is Topic.OTHER and not said.claim.follow_ups for said in (text, page)):
        return False
    return (
        set(text.order_keys) != set(page.order_keys)
        or _gist(text.claim) != _gist(page.claim)
        or (bool(page.claim.doubts) and not text.claim.doubts)
    )


def _words(body: Body) -> list[str]:
    new = " \n".join(body.text[start:end] for start, end in new_stretches(body))
    return _WORD.findall(unicodedata.normalize("NFKC", _ADDRESS.sub(" ", new)).casefold())


def _gist(reading: ClaimReading) -> tuple[object, ...]:
    return (
        reading.topic,
        replace(reading.claim, reason_confidence=0.0),
        reading.part or any(span.fact == "lines" for span in reading.spans),
        {span.fact for span in reading.follow_ups},
    )
