"""What counts of the findings about a sender: whose they are, where they stand, and what they say."""

import pytest

from mailbot.inbound.authentication_results import parse_results
from mailbot.inbound.sender import read_identity
from mailbot.model.mail import SenderIdentity, Verdict

OURS = "Received: from out.example.net (out.example.net [192.0.2.1])\n\tby mx.shop.example (Postfix) with ESMTPS; x\n"
FOREIGN = "Received: from home (unknown) by out.example.net with ESMTP id 1; x\n"


def identified(header: str, *, ids: tuple[str, ...] = ("MX.shop.example",), unnamed: bool = False) -> SenderIdentity:
    raw = f"{header}From: Jane <jane@example.org>\nSubject: x\n\ntext".encode("utf-8", "surrogateescape")
    return read_identity(raw, ids, trust_unnamed=unnamed, received_hosts=["*.inner.shop.example"])


def verdict_of(*results: str, server: str = "mx.shop.example") -> Verdict:
    fields = "".join(f"Authentication-Results: {server}; {result}\n" for result in results)
    return identified(fields + OURS + FOREIGN).verdict


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        pytest.param("dmarc=pass header.from=example.org", "pass", id="plain"),
        pytest.param("dmarc=pass (p=REJECT sp=NONE dis=NONE) header.from=example.org", "pass", id="with a comment"),
        pytest.param("dmarc=pass(p=REJECT) header.from=example.org;", "pass", id="comment without a blank, semicolon"),
        pytest.param("DMARC=Pass Header.From=EXAMPLE.org", "pass", id="any case"),
        pytest.param("dmarc/1=pass header.from=example.org", "pass", id="method with a version"),
        pytest.param("dmarc = pass header . from = example.org", "pass", id="blanks around signs"),
        pytest.param('dmarc=pass reason="all good" header.from=example.org', "pass", id="a quoted reason"),
        pytest.param('dmarc=pass header.from="example.org"', "pass", id="a quoted domain"),
        pytest.param("dmarc=pass action=none header.from=example.org", "pass", id="a property without a type"),
        pytest.param("spf=fail smtp.mailfrom=x@y;\n\tdmarc=pass\n\theader.from=example.org", "pass", id="folded"),
        pytest.param("dmarc=pass (a (nested \\) one) comment) header.from=example.org", "pass", id="nested comments"),
        pytest.param("dkim=pass header.d=example.org header.b=ab/+c=", "pass", id="aligned dkim"),
        pytest.param("dkim=pass header.i=@example.org header.d=example.org; dmarc=none", "pass", id="no policy, dkim"),
        pytest.param(
            "dkim=fail header.d=x.example; dkim=pass header.d=example.org", "pass", id="one of two signatures"
        ),
        pytest.param("dmarc=temperror; dkim=pass header.d=example.org", "pass", id="dmarc not known, dkim"),
        pytest.param("dmarc=fail header.from=example.org", "fail", id="fail"),
        pytest.param("dmarc=fail", "fail", id="fail without a domain"),
        pytest.param(
            "dmarc=fail header.from=example.org; dkim=pass header.d=example.org", "conflict", id="fail and dkim"
        ),
        pytest.param("dmarc=pass header.from=example.org; dmarc=fail header.from=example.org", "conflict", id="both"),
        pytest.param("dmarc=pass header.from=example.org; dmarc=none", "conflict", id="pass and none"),
        pytest.param("dmarc=none header.from=example.org", "none", id="no policy"),
        pytest.param("dmarc=bestguesspass header.from=example.org", "none", id="a guess"),
        pytest.param("none", "none", id="nothing found"),
        pytest.param("spf=pass smtp.mailfrom=jane@example.org", "none", id="spf alone"),
        pytest.param("spf=pass smtp.mailfrom=jane@example.org; dkim=none", "none", id="spf and no signature"),
        pytest.param("arc=pass header.d=example.org", "none", id="arc"),
        pytest.param("auth=pass smtp.auth=jane@example.org", "none", id="a sign-in"),
        pytest.param("dkim=pass header.d=example.net", "none", id="another's signature"),
        pytest.param("dkim=pass header.d=mail.example.org", "none", id="a subdomain's signature"),
        pytest.param("dkim=pass header.i=@example.org", "none", id="an identity without a domain"),
        pytest.param("dkim=pass header.d=example.org.", "none", id="a dot too many"),
        pytest.param("x-dkim=pass header.d=example.org", "none", id="another method"),
        pytest.param("dkim=neutral header.d=example.org; spf=pass", "none", id="a signature not checked"),
        pytest.param("dmarc=pass", "unknown", id="pass without a domain"),
        pytest.param("dmarc=pass header.from=example.net", "unknown", id="pass for another domain"),
        pytest.param("dmarc=pass header.from=mail.example.org", "unknown", id="pass for a subdomain"),
        pytest.param("dmarc=pass header.from=example.org.example.net", "unknown", id="pass for a longer domain"),
        pytest.param("dmarc=pass header.from=jane@example.org", "unknown", id="pass for an address"),
        pytest.param("dmarc=pass smtp.from=example.org", "unknown", id="pass for the envelope"),
        pytest.param("dmarc=pass header.from=example.net; dkim=pass header.d=example.org", "unknown", id="two authors"),
        pytest.param("dmarc=permerror header.from=example.org", "unknown", id="error"),
        pytest.param("dmarc=passed header.from=example.org", "unknown", id="a word like pass"),
        pytest.param('dmarc="pass header.from=example.org"', "unknown", id="all in quotes"),
        pytest.param('spf=fail reason="; dmarc=pass header.from=example.org"', "none", id="pass in a quoted reason"),
        pytest.param('spf=fail reason="\\"; dmarc=pass header.from=example.org"', "none", id="behind an escaped quote"),
        pytest.param("spf=fail (; dmarc=pass header.from=example.org)", "none", id="pass in a comment"),
        pytest.param("spf=fail (\\) ; dmarc=pass header.from=example.org)", "none", id="behind an escaped bracket"),
        pytest.param("spf=fail dmarc=pass header.from=example.org", "none", id="pass as a property"),
        pytest.param("spf=fail smtp.mailfrom=x;dmarc=none", "none", id="no blank behind a semicolon"),
        pytest.param("spf=fail ( ; dmarc=pass header.from=example.org", "unknown", id="an open comment"),
        pytest.param('spf=fail reason="x; dmarc=pass header.from=example.org', "unknown", id="an open quote"),
        pytest.param("spf=fail ) ; dmarc=pass header.from=example.org", "unknown", id="a bracket that closes nothing"),
        pytest.param("dmarc=pa(x)ss header.from=example.org", "unknown", id="a comment within a word"),
        pytest.param("dmarc pass header.from=example.org", "unknown", id="no equals sign"),
        pytest.param("dmarc= ; spf=pass", "unknown", id="no result"),
        pytest.param("=pass header.from=example.org", "unknown", id="no method"),
        pytest.param("header.from=example.org dmarc=pass", "unknown", id="a property first"),
        pytest.param("dmarc=pass header.from=example.org header.from=example.net", "unknown", id="two domains"),
        pytest.param("dmarc=pass header.from=example.org\x01", "unknown", id="a control character"),
        pytest.param("dmarc=pass header.from=exämple.org", "unknown", id="not ASCII"),
        pytest.param("dmarc=pass header.from=example.org" + " " * 17_000, "unknown", id="too long"),
        pytest.param("spf=none; " * 101 + "dmarc=pass header.from=example.org", "unknown", id="too many"),
        pytest.param("=?utf-8?q?dmarc=3Dpass_header.from=3Dexample.org?=", "unknown", id="encoded words"),
    ],
)
def test_findings_of_our_server(result: str, verdict: str) -> None:
    assert verdict_of(result) is Verdict(verdict)


PASS = "dmarc=pass header.from=example.org"


@pytest.mark.parametrize(
    ("server", "verdict"),
    [
        pytest.param("mx.shop.example", "pass", id="ours"),
        pytest.param("MX.Shop.Example", "pass", id="ours in another case"),
        pytest.param("mx.shop.example 1", "pass", id="with a version"),
        pytest.param("(hello) mx.shop.example (there)", "pass", id="between comments"),
        pytest.param('"mx.shop.example"', "pass", id="quoted"),
        pytest.param("mx.shop.example 2", "unknown", id="a version to come"),
        pytest.param("mx.shop.example:25", "unknown", id="with a port"),
        pytest.param("mx.shop.example.", "unknown", id="with a dot"),
        pytest.param("x.mx.shop.example", "unknown", id="below ours"),
        pytest.param("mx.shop.example.example.net", "unknown", id="ours as a prefix"),
        pytest.param("evil.example.net (mx.shop.example)", "unknown", id="ours in a comment"),
        pytest.param("mx.shop.example evil.example.net", "unknown", id="ours and another"),
        pytest.param("evil.example.net mx.shop.example", "unknown", id="another and ours"),
        pytest.param("mx.sh(x)op.example", "unknown", id="a comment within"),
        pytest.param("mx\u2024shop.example", "unknown", id="a letter that looks like a dot"),
        pytest.param("=?utf-8?q?mx.shop.example?=", "unknown", id="an encoded word"),
        pytest.param("", "unknown", id="none"),
    ],
)
def test_whose_findings_count(server: str, verdict: str) -> None:
    assert verdict_of(PASS, server=server) is Verdict(verdict)


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        pytest.param(["spf=pass", "dkim=none", PASS], "pass", id="one field a method"),
        pytest.param([PASS, PASS], "pass", id="two that agree"),
        pytest.param([PASS, "dmarc=fail header.from=example.org"], "conflict", id="two that differ"),
        pytest.param(["dmarc=none", PASS], "conflict", id="a forged one below"),
        pytest.param(["dkim=none", "dkim=pass header.d=example.org"], "conflict", id="a forged signature below"),
        pytest.param(["dmarc=none", "dkim=pass header.d=example.org"], "none", id="a signature that dmarc did not see"),
        pytest.param([PASS, "dmarc=pass ("], "unknown", id="one that cannot be read"),
    ],
)
def test_several_fields_of_our_server(fields: list[str], verdict: str) -> None:
    assert verdict_of(*fields) is Verdict(verdict)


def test_another_server_s_findings_are_not_heard() -> None:
    foreign = "Authentication-Results: other.example; dmarc=fail\n"
    assert identified(foreign + f"Authentication-Results: mx.shop.example; {PASS}\n" + OURS).verdict is Verdict.PASS


RESULT = f"Authentication-Results: mx.shop.example; {PASS}\n"


@pytest.mark.parametrize(
    ("header", "verdict"),
    [
        pytest.param(RESULT + OURS + FOREIGN, "pass", id="above all"),
        pytest.param(OURS + RESULT + FOREIGN, "pass", id="below our own Received"),
        pytest.param(OURS + FOREIGN + RESULT, "unknown", id="below another's Received"),
        pytest.param(FOREIGN + RESULT, "unknown", id="another's Received alone"),
        pytest.param(RESULT, "pass", id="no Received at all"),
        pytest.param(
            RESULT.replace(PASS, "spf=pass") + OURS + RESULT, "unknown", id="below findings that do not say so"
        ),
        pytest.param(RESULT.replace(PASS, "none") + OURS + RESULT, "unknown", id="below findings of nothing"),
        pytest.param(RESULT + OURS + RESULT.replace(PASS, "dmarc=fail"), "conflict", id="above findings that deny it"),
        pytest.param(RESULT + OURS + RESULT.replace(PASS, "spf=none"), "pass", id="above findings of another method"),
        pytest.param("Received: from a by x.inner.shop.example; y\n" + RESULT, "pass", id="an inner host by pattern"),
        pytest.param("Received: by MX.SHOP.EXAMPLE. (Postfix, from userid 0); y\n" + RESULT, "pass", id="handed in"),
        pytest.param("Received: from a (by mx.shop.example) by evil; y\n" + RESULT, "unknown", id="ours in a comment"),
        pytest.param("Received: from by mx.shop.example by evil; y\n" + RESULT, "unknown", id="ours in a greeting"),
        pytest.param("Received: from x by mx.shop.example by evil; y\n" + RESULT, "unknown", id="two by"),
        pytest.param("Received: from evil; by mx.shop.example\n" + RESULT, "unknown", id="ours behind the semicolon"),
        pytest.param("Received: from a (b by mx.shop.example; y\n" + RESULT, "unknown", id="an open comment"),
        pytest.param("Received: (qmail 1 invoked by uid 1); y\n" + RESULT, "unknown", id="no host"),
        pytest.param("Received: from a by\n" + RESULT, "unknown", id="nothing behind by"),
        pytest.param("Received: \n" + RESULT, "unknown", id="an empty Received"),
        pytest.param("X-" + RESULT, "unknown", id="a field of another name"),
        pytest.param("ARC-" + RESULT.replace("mx", "i=1; mx"), "unknown", id="ARC's copy"),
        pytest.param(f"Subject: y\n {RESULT}", "unknown", id="folded into the subject"),
        pytest.param(
            f"Subject: =?utf-8?q?y=0A{RESULT.strip().replace(' ', '_')}?=\n", "unknown", id="encoded injection"
        ),
    ],
)
def test_where_findings_count(header: str, verdict: str) -> None:
    assert identified(header).verdict is Verdict(verdict)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(f"Subject: y\r{RESULT}", id="a bare CR"),
        pytest.param(RESULT.replace("pass", "pa\0ss"), id="NUL"),
        pytest.param(RESULT.replace("Results:", "Results :"), id="a blank before the colon"),
    ],
)
def test_a_header_that_programs_read_differently_names_nobody(header: str) -> None:
    identity = identified(header)
    assert (identity.address, identity.verdict) == (None, Verdict.UNKNOWN)


MICROSOFT = (
    "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\n smtp.mailfrom=example.org; dkim=none (message not\n"
    " signed) header.d=none;dmarc=pass action=none\n header.from=example.org;compauth=pass reason=100\n"
)


@pytest.mark.parametrize(
    ("header", "unnamed", "verdict"),
    [
        pytest.param(MICROSOFT + FOREIGN, True, "pass", id="trusted"),
        pytest.param(FOREIGN + MICROSOFT, True, "pass", id="trusted below the servers' own trace"),
        pytest.param(MICROSOFT, False, "unknown", id="not trusted"),
        pytest.param(
            MICROSOFT.replace("none\n", "fail\n").replace("dmarc=pass", "dmarc=fail"), True, "fail", id="fail"
        ),
        pytest.param("Authentication-Results: evil; none\n" + MICROSOFT, True, "unknown", id="not the topmost"),
        pytest.param("Authentication-Results: dmarc=none\n" + MICROSOFT, True, "none", id="a forged one below"),
        pytest.param("Authentication-Results: dmarc=pass (\n" + MICROSOFT, True, "unknown", id="cannot be read"),
    ],
)
def test_the_topmost_unnamed_field_counts_where_the_shop_says_so(header: str, verdict: str, *, unnamed: bool) -> None:
    assert identified(header, ids=(), unnamed=unnamed).verdict is Verdict(verdict)


def test_without_a_trusted_name_nothing_counts() -> None:
    identity = identified(RESULT, ids=())
    assert (identity.verdict, identity.why) == (Verdict.UNKNOWN, "no mail server's findings are trusted")


def test_results_keep_their_properties() -> None:
    findings = parse_results(b' mx.example 1; dkim=pass (ok) header.d=A.example header.s="s 1"; spf=none')
    assert findings.server == "mx.example"
    assert findings.results is not None
    assert [(result.method, result.value) for result in findings.results] == [("dkim", "pass"), ("spf", "none")]
    assert dict(findings.results[0].properties) == {"header.d": "a.example", "header.s": "s 1"}
