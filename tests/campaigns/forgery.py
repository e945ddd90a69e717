"""T8: senders who pretend to be the shop's customer. None is ever verified, and none is told a word of the order.

The shop's own server is told apart as RFC 8601 §5 wants it: what it writes stands on top, and says the truth about whom
the forger's server is; whatever else the forger writes comes below, or names somebody else's server.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from mailbot.inbound.sender import prove_sender, read_identity
from mailbot.model.facts import SenderStatus
from mailbot.store.tables import CaseRow
from tests.campaigns.desk import open_desk, text_of
from tests.campaigns.outcome import Outcome
from tests.journey.mails import an_invoice, an_order

JANE = "jane@example.org"
EVIL = "mallory@evil.example"
DOMAIN = "evil.example"
OURS = "mx.shop.example"

FROM_SHAPES = (
    "From: {victim}",
    'From: "Jane" <{victim}>',
    "from: {victim}\r\nFrom: {evil}",
    "From: {evil}\r\nFrom: {victim}",
    "From: {victim}\r\nfRoM: {evil}",
    "From : {victim}\r\nFrom: {evil}",
    " From: {evil}\r\nFrom: {victim}",
    "From: {victim},{evil}",
    "From: {evil},{victim}",
    "From: <{evil}>,<{victim}>",
    "From: <{victim}> <{evil}>",
    "From: <{evil}> <{victim}>",
    "From: {victim}<{evil}>",
    'From: "{victim}" <{evil}>',
    "From: {victim} ({evil})",
    "From: ({victim}) {evil}",
    "From: {evil} <{victim}",
    "From: <{victim}\x00.evil.example>",
    "From: {victim}\x00{evil}",
    "From: =?utf-8?q?{victim}?= <{evil}>",
    "From: =?utf-8?b?amFuZUBleGFtcGxlLm9yZw==?= <{evil}>",
    "From: <=?utf-8?q?jane?=@example.org>",
    "From: =?utf-8?b?PGphbmVAZXhhbXBsZS5vcmc+?=",
    "From: <@evil.example,@b.example:{victim}>",
    "From: friends:{victim};",
    'From: "jane"@example.org',
    'From: "{victim}"@evil.example',
    "From: {victim}\rFrom: {evil}",
    "From: {evil}\rX: y\r\nFrom: {victim}",
    "From: {victim}\r\n \r\nFrom: {evil}",
    "From:\r\n {victim}\r\nFrom: {evil}",
    "From: {victim}@evil.example",
    "From: jane@example.org.evil.example",
    "From: jane@\u0435xample.org",
    "From: {evil}\r\nSender: {victim}",
    "From: {evil}\r\nReply-To: {victim}",
    "Resent-From: {victim}\r\nFrom: {evil}",
    "From: {evil}\r\n\r\nFrom: {victim}",
)
TRUTHS = (
    f"{OURS}; dmarc=pass header.from=evil.example",
    f"{OURS}; spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example; dmarc=pass header.from={DOMAIN}",
    f"{OURS}; dmarc=fail header.from=example.org",
    f"{OURS}; spf=pass smtp.mailfrom={EVIL}; dkim=pass header.d={DOMAIN}; dmarc=fail (reject) header.from=example.org",
    f"{OURS}; dmarc=none header.from=example.org; spf=pass smtp.mailfrom=example.org",
    f"{OURS}; dmarc=bestguesspass header.from=example.org",
    f"{OURS}; dmarc=temperror header.from=example.org",
    f"{OURS}; arc=pass (i=1 dmarc=pass header.from=example.org); dmarc=fail header.from=example.org",
    f"{OURS}; dkim=fail header.d=example.org; dkim=pass header.d=example.org.evil.example",
    f'{OURS}; dmarc=none reason="dmarc=pass header.from=example.org"',
    f"{OURS}; none",
    f"{OURS}; auth=pass smtp.auth={JANE}",
)
FORGERIES = (
    "{host}; dmarc=pass header.from=example.org",
    "{host}; dkim=pass header.d=example.org; dmarc=pass header.from=example.org",
    "({ours}) {host}; dmarc=pass header.from=example.org",
    "{host} ({ours}); dmarc=pass header.from=example.org",
    '"{ours} ".{host}; dmarc=pass header.from=example.org',
    "{ours}.{host}; dmarc=pass header.from=example.org",
    "x{ours}; dmarc=pass header.from=example.org",
    "{ours}/1; dmarc=pass header.from=example.org",
    "{ours} 2; dmarc=pass header.from=example.org",
    "{ours}\x00; dmarc=pass header.from=example.org",
    "{ours}(; dmarc=pass header.from=example.org",
    "{ours},{host}; dmarc=pass header.from=example.org",
    "m\u0445.shop.example; dmarc=pass header.from=example.org",
    "dmarc=pass header.from=example.org",
    "; dmarc=pass header.from=example.org",
)
HOSTS = ("mail.evil.example", "mx.shop.example.evil.example", "localhost", "mx-shop.example", "shop.example")
NAMES = (
    "Authentication-Results",
    "ARC-Authentication-Results",
    "X-Authentication-Results",
    "authentication-results",
    "Authentication-Results ",
    "Received-SPF",
    "DKIM-Signature",
)
_SECRET_WORDS = ("Jane Doe", "86.00", "82.70", "80.00", "R-925-07", "INV-10001", JANE, "cancel")


def a_forgery(chance: Random) -> bytes:
    """Make a mail of the forger as the shop's mailbox holds it."""
    shape = chance.choice(FROM_SHAPES).format(victim=JANE, evil=EVIL)
    top = [f"Authentication-Results: {truth}" for truth in chance.sample(TRUTHS, chance.choice((0, 1, 1, 1, 2)))]
    above = [f"{chance.choice(NAMES[1:4:2])}: {_forged(chance, ours=False)}" for _ in range(chance.randrange(2))]
    below = [f"{chance.choice(NAMES)}: {_forged(chance, ours=True)}" for _ in range(chance.randrange(3))]
    lines = [*top, f"Received: from {chance.choice(HOSTS)} by {OURS} with ESMTPS id 1", *above]
    lines += [f"Received: from x by {chance.choice(HOSTS)} with SMTP id 2", *below]
    if chance.random() < 0.5:
        shape = _case(shape, chance)
    lines += [shape, "To: support@shop.example", f"Message-ID: <{chance.getrandbits(64)}@evil.example>"]
    raw = "\r\n".join(lines).encode("utf-8", "surrogateescape")
    if chance.random() < 0.2:
        raw = _damaged(raw, chance)
    return raw


def _forged(chance: Random, *, ours: bool) -> str:
    host = OURS if ours and chance.random() < 0.5 else chance.choice(HOSTS)
    return chance.choice(FORGERIES[: 1 if ours and chance.random() < 0.3 else None]).format(host=host, ours=OURS)


def _case(shape: str, chance: Random) -> str:
    return "".join(sign.upper() if sign.isalpha() and chance.random() < 0.1 else sign for sign in shape)


def _damaged(raw: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(raw))
    junk = chance.choice((b"\0", b"\r", b"\n", b" ", b"\t", b"(", b'"', b"<", b";", b"\xff", b"=?utf-8?q?"))
    return raw[:at] + junk + raw[at:]


def run(seed: int, rounds: int, folder: Path) -> Outcome:
    """Read so many forged senders, and tell a real mailbot of a share of them."""
    chance, outcome = Random(seed), Outcome()
    for number in range(rounds):
        raw = a_forgery(chance) + b"\r\n\r\ntext"
        identity = read_identity(raw, [OURS], trust_unnamed=False, received_hosts=[])
        proof = prove_sender(identity, JANE)
        outcome.expect(f"{number}: {proof.why}: {raw!r}", holds=proof.status is not SenderStatus.VERIFIED)
    _tell(chance, min(rounds // 25, 2_000), folder, outcome)
    return outcome


def _tell(chance: Random, rounds: int, folder: Path, outcome: Outcome) -> None:
    """Whole mails, decided and answered: not one byte of the order goes to anyone but its customer."""
    body = "I want to cancel AW-10001, I changed my mind.\n\n" + an_invoice()
    with open_desk(folder) as desk:
        desk.sells([an_order(desk.now)])
        for raw in _whole(chance, rounds, body):
            sent = desk.answers(raw)
            desk.forward(minutes=31)
            for envelope in sent:
                text = text_of(envelope)
                stranger = envelope.recipient != JANE
                leaked = [word for word in _SECRET_WORDS if word in text and (stranger or word != JANE)]
                outcome.expect(f"{envelope.recipient} was told {leaked} after {raw!r}", holds=not leaked)
        proven = [case.id for case in desk.rows(CaseRow) if case.grade in {"V2", "V3"}]
        outcome.expect(f"proven: {proven}", holds=not proven)
        broken = desk.broken()
        outcome.expect(f"broken: {broken}", holds=not broken)


def _whole(chance: Random, rounds: int, body: str) -> Iterator[bytes]:
    for _ in range(rounds):
        yield a_forgery(chance) + b"\r\nSubject: My order\r\n\r\n" + body.encode()
