"""Whether a mail reports a failed delivery, and what it reports (RFC 3464, and what came before it)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailbot.model.mail import InboundMail

_MAX_TEXT = 64 * 1024
_MAX_RECIPIENTS = 20

_SYSTEM_WORDS = (
    r"mailer[\s._-]?daemon|post[\s._-]?master|mail[\s._-]?daemon|mail[\s-]delivery[\s-](?:sub)?system|mail[\s-]system"
    r"|mail[\s-]delivery[\s-](?:service|agent)|(?:mail|system|e-?mail)[\s._-]admin(?:istrator)?|internet mail delivery"
    r"|microsoft exchange|mail[\s._-]?(?:gateway|router|server)|smtp[\s._-]?(?:gateway|server|daemon)"
    r"|post[\s._-]?office|system attendant"
)
_SYSTEM_NAME = re.compile(rf"(?:the )?(?:{_SYSTEM_WORDS})", re.IGNORECASE)
_DAEMON = re.compile(r"mailer[._-]?daemon|post[._-]?master|mail[._-]?daemon", re.IGNORECASE)
_FAILURE_SUBJECT = re.compile(
    r"(?:\W{0,5}(?:warning|notice|notification|automatic|system|error|report|returned|\[[^\]]{1,30}\]):?\s{1,3})?"
    r"(?:undeliver(?:able|ed|y)|non[\s-]?deliver|failure notice|failed mail|returned (?:e-?)?mail|returned message"
    r"|return(?:ing|ed) (?:message|mail|to sender)|mail (?:delivery|system) (?:fail|error|problem|status|sub|report)"
    r"|delivery (?:status notification|notification|failure|failed|has failed|error|problem|report|status|delayed)"
    r"|(?:e-?mail|message|your (?:mail|message))[\w\s]{0,30} (?:not be delivered|not delivered|undeliverable|delayed)"
    r"|(?:could not|couldn't|unable to|cannot|can't) (?:send|deliver) (?:\w{1,10} )?(?:mail|message|e-?mail)"
    r"|complaint about message from \d|e-?mail feedback report"
    r"|unzustellbar|nicht zustellbar|zustellung (?:fehlgeschlagen|nicht)|fehler bei der zustellung"
    r"|non remis|[ée]chec de (?:la )?(?:remise|distribution)|message non (?:distribu|remis|d[ée]livr)"
    r"|no se (?:pudo|puede|ha podido) entregar|correo devuelto|error (?:en|de) (?:la )?entrega|no entregado"
    r"|mancata consegna|impossibile recapitare|messaggio non (?:recapitato|consegnato)"
    r"|n[ãa]o entregue|falha na entrega|devolvido|onbestelbaar|недоставлен|не доставлено|сообщение не доставлено"
    r"|niedostarcz|nie dostarczono|nedoru[čc]iteln|kunde inte levereras|kunne ikke leveres"
    r"|配信不能|配送不能|配信エラー|送信エラー|メールエラー通知|退信|系统退信|投递失败|전송 실패|배달되지 않음)",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"(?:hi\. (?:this is the|the) |this (?:is the|message was (?:created|generated) automatically)"
    r"|this is an? (?:mime-encapsulated message|automatically generated (?:delivery|mail|bounce|non-delivery))"
    r"|[\s*-]{0,40}(?:the following (?:addresses|recipient|message)|transcript of session|the original message was)"
    r"|(?:a|the|your) (?:e-?mail |mail )?(?:message|mail)[^\n]{0,60} (?:not|never) (?:be |been |reach|deliver)"
    r"|delivery (?:has failed|to the following|failed)|(?:sorry, )?i(?:'m| am)? (?:afraid|sorry)[^\n]{0,20}deliver"
    r"|(?:a|the|your) (?:e-?mail |mail )?(?:message|mail)[^\n]{0,20} (?:wasn|couldn|hasn)['\u2019]t (?:be )?deliver"
    r"|\*\* (?:address not found|message (?:blocked|not delivered|rejected)) \*\*"
    r"|unable to deliver|could not deliver|undeliver|failed to deliver|\*{3,60}[^\n]{0,60}mail)",
    re.IGNORECASE,
)
_TRANSCRIPT = re.compile(
    r"^[ \t]{0,20}(?:<<< \d{3}|>>> (?:RCPT|DATA|MAIL)|(?:reporting-mta|final-recipient|diagnostic-code):"
    r"|(?:remote host said:|smtp error|sent <<<|received >>>)|[45]\d\d[ -](?:[45]\.\d{1,3}\.\d{1,3}|[^\n]{0,40}user))",
    re.IGNORECASE | re.MULTILINE,
)
_REPORT_TYPES = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "text/rfc822-headers", "message/feedback-report"}
)
_MESSAGE = "message/rfc822"
_RECIPIENT = re.compile(
    r"^[ \t]{0,10}(?:final|original|x-actual)-recipient[ \t]{0,5}:[ \t]{0,5}[\w-]{1,20}[ \t]{0,5};[ \t]{0,5}"
    r"<?([^\s<>;,]{1,256}@[^\s<>;,]{1,255}?)>?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS = re.compile(
    r"^[ \t]{0,10}status[ \t]{0,5}:[ \t]{0,5}([245])\.(\d{1,3})\.(\d{1,3})\b", re.IGNORECASE | re.MULTILINE
)
_GONE = re.compile(
    r"(?:user|recipient|mailbox|mail ?box|account|address|addressee|domain|host|person|destination|(?:local )?part)"
    r"(?: name| id| address|\(s\))?[^\n.;]{0,60}?"
    r"(?:unknown|not (?:be )?(?:found|known|listed|exist)|n[o']t exist|no longer (?:exist|valid|in use|here|active)"
    r"|invalid|is not (?:a |our )?(?:valid|known|local)|ha(?:s|ve) (?:moved|left)|nonexist|non-exist)"
    r"|(?:unknown|no such|invalid|illegal|bad|nonexistent|non-existent|unrouteable|no matching|not a (?:valid|known)"
    r"|not our|nothing known about) (?:(?:local|mail|e-?mail|virtual|destination|alias) )*"
    r"(?:user|recipient|mailbox|mail ?box|account|address|person|domain|host|customer|part)"
    r"|no mailbox here|no account by|(?:name or service|host or domain name) not (?:known|found)|nxdomain"
    r"|does(?:n't| not) have an? [\w. ]{0,40}account|couldn't find any host|unroutable|null mx|isn't in my"
    r"|not listed in|cannot find (?:your|the) recipient",
    re.IGNORECASE,
)
_STILL_THERE = re.compile(
    r"quota|(?:mail ?box|inbox|account|storage|user)[^\n.;]{0,30}(?:full|too (?:large|many|much)|exceed|disk space)"
    r"|exceeded (?:the |its )?(?:storage|quota|mailbox|limit)|insufficient (?:system )?(?:storage|disk)"
    r"|(?:message|size)[^\n.;]{0,30}(?:too (?:big|large)|exceed)|spam|virus|blacklist|blocklist|block list|reputation"
    r"|\b(?:dnsbl|rbl|dmarc|spf|dkim)\b|ptr record|reverse dns|relay(?:ing)? (?:access )?(?:denied|not)"
    r"|not allowed to relay|banned|blocked|policy|unauthenticated|rate limit|too many|content (?:rejected|filter)"
    r"|access denied|not accepting mail|not authori[sz]ed|try again|greylist|suspend",
    re.IGNORECASE,
)
_ADDRESS_CODES = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.5", "5.1.6", "5.1.10"})
_REASONLESS = frozenset({"5.0.0", "5.5.0"})
_CODE = re.compile(r"(?<![\d.])[45]\d\d[ -]{1,3}#?([45])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"(?<![\d.:/])([45])[0-57]\d[ -](?=[A-Za-z<#])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """What a report of delivery says.

    Attributes:
        enclosed_ids: of the mails it is about.
        recipients: whom they did not reach, lower case; empty where it does not say.
        codes: status codes (RFC 3463), such as ``"5.1.1"``; ``2.x.x`` means delivered.
        hard: failed for good (5.x.x) or for now (4.x.x); ``None`` where it does not say, or nothing failed.
        dead: nobody reads mail to the address, so that no more should go there; a full or a strict mailbox is not dead.
    """

    enclosed_ids: tuple[str, ...]
    recipients: tuple[str, ...]
    codes: tuple[str, ...]
    hard: bool | None
    dead: bool


def find_bounce(mail: InboundMail) -> Bounce:
    """Read what a mail of kind ``bounce`` is about; what it does not say is empty."""
    texts = list(_report_texts(mail)) or [(mail.plain or mail.html or "")[:_MAX_TEXT]]
    codes = _codes(texts)
    told = "\n".join([*texts, (mail.plain or "")[:_MAX_TEXT]])
    replies = {match[1] for text in texts for match in _REPLY.finditer(text)} if not codes else set()
    severities = {code[0] for code in codes} | replies
    named = [recipient.lower() for text in texts for recipient in _RECIPIENT.findall(text)]
    listed = [name.strip().lower() for value in mail.values("x-failed-recipients") for name in value.split(",")]
    return Bounce(
        enclosed_ids=mail.enclosed_ids,
        recipients=tuple(dict.fromkeys(name for name in (*named, *listed) if name))[:_MAX_RECIPIENTS],
        codes=codes,
        hard=True if "5" in severities else False if "4" in severities else None,
        dead=_is_dead(codes, severities, told),
    )


def find_returned(mail: InboundMail, bounce_address: str) -> str | None:
    """The address of one message's own (``bounces+nonce@shop.example``) that a mail came back to (VERP)."""
    local, _, domain = bounce_address.lower().partition("@")
    if not domain:
        return None
    return next((to for to in mail.recipients if to.startswith(f"{local}+") and to.endswith(f"@{domain}")), None)


def _is_dead(codes: tuple[str, ...], severities: set[str], told: str) -> bool:
    """Whether the address is no more: it says so, or the delivery failed for good and names no passing reason."""
    if "4" in severities and "5" not in severities:
        return False
    gone, passing = _GONE.search(told), _STILL_THERE.search(told)
    if _ADDRESS_CODES.intersection(codes):
        return passing is None or gone is not None
    unexplained = "5" in severities and _REASONLESS.issuperset(codes)
    return passing is None and (gone is not None or unexplained)


def is_daemon(name: str) -> bool:
    """Whether a local part is one that only mail systems write from."""
    return _DAEMON.fullmatch(name) is not None


def find_failure_signs(mail: InboundMail, sender_names: list[str]) -> str | None:
    """Why a mail without any header mark is a mail system's report; ``None`` where it looks like a person's.

    It takes two signs of three: the sender's name is a mail system's; the subject is a report's; the text or the
    parts are. What a person quotes or forwards is no sign: the text must open with it.

    Args:
        mail: the mail.
        sender_names: display names and local parts of From and of the envelope sender.
    """
    sender = next((name for name in sender_names if _SYSTEM_NAME.fullmatch(name.strip())), None)
    subject = _FAILURE_SUBJECT.match(mail.subject)
    if not sender and not subject:
        return None
    text = (mail.plain or "")[:_MAX_TEXT].lstrip()
    reported = _OPENING.match(text) or any(_is_report(mail))
    if sender and subject:
        return f"{sender!r} writes of a failed delivery"
    if sender and (reported or _TRANSCRIPT.search(text)):
        return f"{sender!r} sends a report of delivery"
    if subject and (reported or (_encloses(mail) and (not text or _TRANSCRIPT.search(text)))):
        return "subject and text are a report of delivery"
    return None


def _is_report(mail: InboundMail) -> Iterator[bool]:
    return (part.content_type in _REPORT_TYPES and "." not in part.path for part in mail.attachments)


def _encloses(mail: InboundMail) -> bool:
    return any(part.content_type == _MESSAGE for part in mail.attachments)


def _report_texts(mail: InboundMail) -> Iterator[str]:
    for part in mail.attachments:
        if part.content_type in _REPORT_TYPES:
            text = part.data[:_MAX_TEXT].decode("utf-8", "replace").replace("\0", "")
            yield text.replace("\r\n", "\n").replace("\r", "\n")


def _codes(texts: list[str]) -> tuple[str, ...]:
    stated = [".".join(parts) for text in texts for parts in _STATUS.findall(text)]
    answered = [".".join(parts) for text in texts for parts in _CODE.findall(text)]
    return tuple(dict.fromkeys(stated or answered))[:_MAX_RECIPIENTS]
