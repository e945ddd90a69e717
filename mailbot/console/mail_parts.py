"""What strangers sent, shown safely: HTML without anything that acts or asks, attachments as plain downloads."""

import re
from http import HTTPStatus
from urllib.parse import quote

import nh3
from starlette.responses import HTMLResponse, Response

from mailbot.console.case_view import letter_parts
from mailbot.console.visit import Visit
from mailbot.errors import InputError
from mailbot.inbound.mime import parse_mail
from mailbot.store import audit, case_views, cases
from mailbot.store.transaction import reading, transaction

FRAMED = {
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'"
}
_DOWNLOADED = {"Content-Security-Policy": "sandbox; default-src 'none'"}
_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "ins",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    ]
)
_ATTRIBUTES = {"*": {"dir", "lang"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_DROPPED = frozenset(
    {"script", "style", "svg", "math", "title", "template", "noscript", "iframe", "object", "textarea"}
)
_MOST_HTML = 256 * 1024
_MOST_TAGS = 10_000
_DEEPEST = 200
_LONGEST_NAME = 120
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = frozenset({"br", "hr", "img", "p", "li", "td", "tr", "th", "input", "meta", "link", "col"})


def sanitised(html: str) -> str:
    """A mail's HTML without script, style, form, link, image or anything from elsewhere.

    Beyond the limits of RELIABILITY.md it is not shown at all: the sanitiser is quadratic in depth.
    """
    clean = "<p>This HTML is too large or too deep to be shown; its text stands in the case.</p>"
    if len(html) <= _MOST_HTML and _is_shallow(html):
        clean = _cleaned(html)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>The mail as HTML</title>{clean}</html>'


def _is_shallow(html: str) -> bool:
    """Whether it holds no more tags, and nests no deeper, than the limits."""
    tags = depth = deepest = 0
    for match in _TAG.finditer(html):
        if match[2].lower() in _VOID:
            continue
        tags += 1
        depth = max(0, depth - 1) if match[1] else depth + 1
        deepest = max(deepest, depth)
    return tags <= _MOST_TAGS and deepest <= _DEEPEST


def _cleaned(html: str) -> str:
    return nh3.clean(html, tags=set(_TAGS), attributes=_ATTRIBUTES, clean_content_tags=set(_DROPPED), link_rel=None)


def mail_html(visit: Visit) -> Response:
    """One mail's HTML, for the frame that shows it on request."""
    raw = _raw(visit)
    return HTMLResponse(sanitised(parse_mail(raw).html or ""), headers=FRAMED)


def attachment(visit: Visit) -> Response:
    """One attachment, byte for byte, as a file that no browser opens by itself."""
    path = visit.request.path_params["path"]
    part = next((one for one in parse_mail(_raw(visit)).attachments if one.path == path), None)
    if part is None or part.held_back:
        raise InputError("the mail has no such attachment, or it lies beyond a limit; download the whole mail instead")
    name = part.file_name or f"attachment-{path}"
    with transaction(visit.app.engine) as session:
        mail = visit.request.path_params["mail"]
        audit.record(session, visit.name, "downloaded", f"mail {mail}", visit.app.now(), file_name=name[:_LONGEST_NAME])
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name[:_LONGEST_NAME], safe='')}"}
    return Response(part.data, media_type="application/octet-stream", headers=headers | _DOWNLOADED)


def raw_mail(visit: Visit) -> Response:
    """The mail as it came, as a file."""
    headers = {"Content-Disposition": f'attachment; filename="mail-{visit.request.path_params["mail"]}.eml"'}
    with transaction(visit.app.engine) as session:
        audit.record(session, visit.name, "downloaded", f"mail {visit.request.path_params['mail']}", visit.app.now())
    return Response(_raw(visit), media_type="application/octet-stream", headers=headers | _DOWNLOADED)


def preview_html(visit: Visit) -> Response:
    """A letter of ours that was only tried out."""
    html = visit.desk.previews.find(visit.request.path_params["name"])
    return HTMLResponse(html or "This preview is too old.", HTTPStatus.OK if html else HTTPStatus.NOT_FOUND, FRAMED)


def letter_html(visit: Visit) -> Response:
    """A letter of ours as it went out."""
    with reading(visit.app.engine) as session:
        case = cases.get(session, visit.request.path_params["number"])
        row = case_views.letter(session, case.id, visit.request.path_params["letter"])
    if row is None:
        raise InputError("there is no such letter")
    return HTMLResponse(letter_parts(row)[2], headers=FRAMED)


def _raw(visit: Visit) -> bytes:
    with reading(visit.app.engine) as session:
        case = cases.get(session, visit.request.path_params["number"])
        raw = case_views.raw_of(session, case.id, visit.request.path_params["mail"])
    if raw is None:
        raise InputError("the case has no such mail")
    return raw
