"""What strangers sent, shown safely: HTML without anything that acts or asks, attachments as plain downloads."""

import hashlib
from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

from mailbot.console.case_view import letter_parts
from mailbot.console.visit import Visit
from mailbot.errors import InputError
from mailbot.sandbox.show import Drawn
from mailbot.store import audit, case_views, cases
from mailbot.store.transaction import reading, transaction

FRAMED = {
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'"
}
_DOWNLOADED = {"Content-Security-Policy": "sandbox; default-src 'none'"}
_LONGEST_NAME = 120
_SMALL, _LARGE = 320, 1_400


def mail_html(visit: Visit) -> Response:
    """One mail's HTML, for the frame that shows it on request."""
    return HTMLResponse(visit.app.judgement.sandbox.show_html(_raw(visit)), headers=FRAMED)


def attachment(visit: Visit) -> Response:
    """One attachment, byte for byte, as a file that no browser opens by itself."""
    path, sandbox = visit.request.path_params["path"], visit.app.judgement.sandbox
    part = sandbox.take_part(_raw(visit), path)
    if part is None:
        raise InputError("the mail has no such attachment, or it lies beyond a limit; download the whole mail instead")
    name = part.file_name or f"attachment-{path}"
    with transaction(visit.app.engine) as session:
        mail = visit.request.path_params["mail"]
        audit.record(session, visit.name, "downloaded", f"mail {mail}", visit.app.now(), file_name=name[:_LONGEST_NAME])
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name[:_LONGEST_NAME], safe='')}"}
    return Response(part.data, media_type="application/octet-stream", headers=headers | _DOWNLOADED)


def page_picture(visit: Visit) -> Response:
    """One page of an attachment as a picture that the limited child has drawn; no byte of the file itself is shown."""
    side = _SMALL if "small" in visit.request.query_params else _LARGE
    drawn = _drawn(visit, visit.request.path_params["page"], side)
    return Response(drawn.png, media_type="image/png", headers=_DOWNLOADED)


def show_pages(visit: Visit) -> Response:
    """Every page of an attachment, as pictures."""
    number, path = visit.request.path_params["number"], visit.request.path_params["path"]
    drawn = _drawn(visit, 1, _LARGE)
    with reading(visit.app.engine) as session:
        mail = case_views.reading_of(session, cases.get(session, number).id, visit.request.path_params["mail"])
    note = None if mail is None else next((one for one in mail.attachments if one.path == path), None)
    return visit.page(
        "pages.html", number=number, note=note, part=visit.request.url.path.removesuffix("/pages"), pages=drawn.pages
    )


def _drawn(visit: Visit, page: int, side: int) -> Drawn:
    raw, path = _raw(visit), visit.request.path_params["path"]
    return visit.desk.drawings.find_or_draw(
        (hashlib.sha256(raw).hexdigest(), path, page, side),
        lambda: visit.app.judgement.sandbox.draw_page(raw, path, page, side),
    )


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
