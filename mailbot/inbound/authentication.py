"""What the shop's own mail server found out about a sender: its Authentication-Results fields (RFC 8601)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain

from mailbot.inbound.authentication_results import Findings, Result, parse_results, read_receiver
from mailbot.inbound.header_lines import HeaderLines
from mailbot.model.mail import Verdict

_OTHER_AUTHOR = "dmarc=pass for another domain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose findings count; all names in lower case.

    Attributes:
        servers: authserv-ids of the shop's own mail server.
        hosts: patterns (``*.example.org``) of hosts that stamp ``Received`` on the shop's side.
        unnamed: trust the topmost Authentication-Results field if it names no server.
    """

    servers: frozenset[str]
    hosts: tuple[str, ...]
    unnamed: bool


def find_verdict(header: HeaderLines, domain: str, trust: Trust) -> tuple[Verdict, str]:
    """The DMARC verdict on the From domain, and the words for it, such as ``dmarc=pass``.

    ``dmarc=pass`` counts for the domain in its ``header.from`` alone, ``dkim=pass`` for the one in ``header.d``. A pass
    for another domain means that the server read another author than we do: unknown, not none.
    A failure next to an aligned signature, or two trusted fields that differ, is a conflict. A pass counts only where
    the topmost trusted fields say so, those before the next Received: below them, the sender may have written it.

    Source: RELIABILITY.md, Who is the sender, "DMARC verdict".
    """
    if not trust.servers and not trust.unnamed:
        return Verdict.UNKNOWN, "no mail server's findings are trusted"
    trusted = list(_trusted(header, trust))
    if not trusted:
        return Verdict.UNKNOWN, "no findings of the shop's mail server"
    read = [(hop, findings.results) for hop, findings in trusted if findings.results is not None]
    if len(read) < len(trusted):
        return Verdict.UNKNOWN, "the mail server's findings cannot be read"
    verdict, words = _judge([results for _, results in read], domain)
    topmost = [results for hop, results in read if hop == read[0][0]]
    if verdict is Verdict.PASS and _judge(topmost, domain)[0] is not Verdict.PASS:
        return Verdict.UNKNOWN, f"{words} stands below the mail server's own findings"
    return verdict, words


def trusted_names(authserv_ids: Collection[str], received_hosts: Collection[str], *, unnamed: bool) -> Trust:
    """The settings as they compare."""
    return Trust(
        servers=frozenset(name.lower() for name in authserv_ids),
        hosts=tuple(pattern.lower() for pattern in received_hosts),
        unnamed=unnamed,
    )


def _trusted(header: HeaderLines, trust: Trust) -> Iterator[tuple[int, Findings]]:
    """Fields of the shop's server above the first Received stamped elsewhere; below, anyone may have written them.

    Each comes with the number of Received fields above it.
    """
    inside, topmost, hop = True, True, 0
    for name, value in header.fields:
        if name == "received":
            hop += 1
            inside = inside and _is_ours(read_receiver(value), trust)
        elif name == "authentication-results":
            if inside or topmost:
                findings = parse_results(value)
                if findings.server is None and findings.results is not None:
                    if topmost and trust.unnamed:
                        yield hop, findings
                elif inside and (findings.server is None or findings.server in trust.servers):
                    yield hop, findings
            topmost = False


def _judge(fields: Sequence[tuple[Result, ...]], domain: str) -> tuple[Verdict, str]:
    dmarc = {_dmarc(result, domain) for result in chain(*fields) if result.method == "dmarc"}
    if len(dmarc) > 1:
        return Verdict.CONFLICT, "two dmarc results that differ"
    # Signatures count from the field that judges DMARC; from others only where none does.
    judging = [field for field in fields if any(result.method == "dmarc" for result in field)] or fields
    signed = {_is_signed(field, domain) for field in judging if any(result.method == "dkim" for result in field)}
    if len(signed) > 1:
        return Verdict.CONFLICT, "two dkim results that differ"
    verdict, words = next(iter(dmarc), (Verdict.NONE, "no dmarc result"))
    if True not in signed or verdict is Verdict.PASS:
        return verdict, words
    if verdict is Verdict.FAIL:
        return Verdict.CONFLICT, "dmarc=fail next to an aligned dkim=pass"
    return (verdict, words) if words == _OTHER_AUTHOR else (Verdict.PASS, "dkim=pass")


def _dmarc(result: Result, domain: str) -> tuple[Verdict, str]:
    stated = result.properties.get("header.from")
    if result.value == "pass":
        if stated == domain:
            return Verdict.PASS, "dmarc=pass"
        return Verdict.UNKNOWN, "dmarc=pass without a domain" if stated is None else _OTHER_AUTHOR
    if result.value == "fail":
        return Verdict.FAIL, "dmarc=fail"
    if result.value in {"none", "bestguesspass"}:
        return Verdict.NONE, f"dmarc={result.value}"
    return Verdict.UNKNOWN, "dmarc has no result"


def _is_signed(field: tuple[Result, ...], domain: str) -> bool:
    return any(
        result.method == "dkim" and result.value == "pass" and result.properties.get("header.d") == domain
        for result in field
    )


def _is_ours(host: str | None, trust: Trust) -> bool:
    if host is None:
        return False
    return host in trust.servers or any(fnmatchcase(host, pattern) for pattern in trust.hosts)
