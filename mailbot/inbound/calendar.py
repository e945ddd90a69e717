"""Whether a calendar program wrote a mail: an invitation, or the answer to one (RFC 5546, RFC 6047)."""

import re

from mailbot.model.mail import InboundMail

_CALENDARS = frozenset({"text/calendar", "application/ics"})
_CLOSED = "application/ms-tnef"
_METHOD = re.compile(rb"^METHOD:[ \t]{0,5}([A-Z]{1,20})[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
_BEGINNING = 65_536
_ANSWER = "REPLY"
_PUBLISHED = "PUBLISH"
_ANSWERED = re.compile(
    r"\s{0,5}(?:accepted|declined|tentative(?:ly accepted)?|zugesagt|abgelehnt|(?:mit|unter) vorbehalt"
    r"|accept[ée]e?|refus[ée]e?|provisoire|aceptad[ao]|rechazad[ao]|provisional|accettat[ao]|rifiutat[ao]|provvisori[ao]"
    r"|geaccepteerd|geweigerd|afgewezen|voorlopig|aceite|aceit[ao]|recusad[ao]|provis[óo]ri[ao]"
    r"|zaakceptowan[oey]|odrzucon[oey]|wst[ęe]pn[aie]e?"
    r"|承諾(?:済み)?|辞退(?:済み)?|仮承諾|已接受|已谢绝|已拒绝|暂定)\s{0,3}[:\uff1a]",
    re.IGNORECASE,
)
"""How Outlook begins the subject of an answer, in the ten languages."""


def find_calendar_answer(mail: InboundMail) -> str | None:
    """Why a mail is a calendar program's answer to an invitation; ``None`` where it is none.

    A subject alone says nothing ("Declined: my card"): what Outlook closes up in a file of its own goes by both.
    """
    if _ANSWER in _methods(mail):
        return "a calendar program answers an invitation"
    closed = any(part.content_type == _CLOSED for part in mail.attachments)
    if closed and _ANSWERED.match(mail.subject):
        return "the subject answers an invitation, in a file of Outlook's"
    return None


def find_invitation(mail: InboundMail) -> str | None:
    """Why a mail invites to something, moves it or calls it off; ``None`` where it does not, or just brings dates."""
    methods = sorted(_methods(mail) - {_ANSWER, _PUBLISHED})
    return f"a calendar program wrote it ({methods[0].lower()})" if methods else None


def _methods(mail: InboundMail) -> set[str]:
    calendars = [part.data[:_BEGINNING] for part in mail.attachments if part.content_type in _CALENDARS]
    return {found[1].decode().upper() for data in calendars for found in _METHOD.finditer(data)}
