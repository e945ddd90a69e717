"""The console by keyboard, in a real browser, and what axe-core says of every page."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from mailbot import operators
from mailbot.desk.orders import perform_due
from mailbot.store import case_views, cases
from mailbot.store.transaction import reading
from tests.console.test_browser import looking
from tests.console.visits import Console

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ACTS = ("approve", "change", "decline", "reply", "ask", "correct", "note", "assign", "snooze", "close", "merge")
PATHS = (
    *("/", "/?view=all&q=x", "/?view=all&state=declined", "/cases/RF-000004", "/cases/RF-000016", "/cases/RF-999999"),
    "/cases/RF-000001/mails/1/parts/2/pages",
    *(f"/cases/RF-000016/{verb}" for verb in ACTS),
    *("/cases/RF-000004/receive", "/cases/RF-000001/pay", "/cases/RF-000001/hold"),
    *("/dashboard", "/refunds", "/policy", "/templates", "/health", "/playground", "/people", "/audit", "/account"),
    *("/sign-in", "/outside/"),
)


def state_of(console: Console, number: str) -> str:
    with reading(console.app.engine) as session:
        return str(case_views.show_case(session, cases.get(session, number), console.app.now())["state"])


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def focused(page: Page) -> None:
    """Wait until the browser has given a page's field its focus, which it does some time after loading."""
    page.wait_for_function("(one => !one || one === document.activeElement)(document.querySelector('[autofocus]'))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page_and_none_is_wider_than_a_narrow_screen(
    scheme: str, console: Console, chromium: Browser
) -> None:
    found, wide = [], []
    with looking(chromium, console.operator(), color_scheme=scheme, bypass_csp=True) as page:
        for path in PATHS:
            page.set_viewport_size({"width": 1280, "height": 720})
            page.goto(console.address + path)
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            page.evaluate(AXE)
            report = page.evaluate("tags => axe.run(document, {runOnly: tags, iframes: false})", TAGS)
            found += [(path, one["id"], one["nodes"][0]["html"][:120]) for one in report["violations"]]
            page.set_viewport_size({"width": 320, "height": 720})
            wide += [path] if page.evaluate("document.documentElement.scrollWidth") > 320 else []
    assert (found, wide) == ([], [])


def test_four_keys_lead_from_the_queue_to_an_approved_refund(desk: Console, chromium: Browser) -> None:
    with looking(chromium, desk.operator()) as page:
        page.goto(f"{desk.address}/?view=people&reason=quality_review")
        press(page, "j", "a")
        page.wait_for_url("**/approve")
        number = page.url.split("/")[-2]
        focused(page)
        press(page, "Enter")
        page.wait_for_url(f"**/cases/{number}")
        assert "goes out in" in page.locator(".bar:visible").first.inner_text()
    desk.clock.ahead += timedelta(seconds=21)
    assert perform_due(desk.app) == 1
    assert state_of(desk, number) == "refund_due"


def test_what_was_ordered_by_key_is_undone_by_key(desk: Console, chromium: Browser) -> None:
    with looking(chromium, desk.operator()) as page:
        page.goto(f"{desk.address}/?view=people&reason=logistics_review")
        press(page, "j", "j", "k", "d")
        page.wait_for_url("**/decline")
        focused(page)
        page.locator("select").select_option("customer_damage")
        page.get_by_role("button", name="Decline").click()
        page.wait_for_url("**/cases/RF-*")
        press(page, "u")
        page.locator(".history", has_text="order undone").wait_for()
        assert "goes out in" not in page.locator("body").inner_text()


def test_a_key_opens_the_page_of_its_action_and_escape_leaves_it(desk: Console, chromium: Browser) -> None:
    keys = {
        "a": "approve",
        "v": "change",
        "d": "decline",
        "r": "reply",
        "i": "ask",
        "c": "correct",
        "n": "note",
        "s": "snooze",
        "t": "assign",
        "w": "close",
    }
    with looking(chromium, desk.operator()) as page:
        page.goto(f"{desk.address}/cases/RF-000017")
        for key, verb in keys.items():
            press(page, key)
            page.wait_for_url(f"**/cases/RF-000017/{verb}")
            focused(page)
            page.locator("main").click(position={"x": 2, "y": 2})
            press(page, "Escape")
            page.wait_for_url("**/cases/RF-000017")


def test_the_list_of_keys_opens_and_the_search_is_reached(desk: Console, chromium: Browser) -> None:
    with looking(chromium, desk.operator()) as page:
        page.goto(desk.address)
        press(page, "?")
        assert page.locator("dialog").is_visible()
        press(page, "Escape", "/")
        page.keyboard.type("AW-10301")
        press(page, "Enter")
        page.wait_for_url("**q=AW-10301**")
        assert page.locator("tr[data-href]").count() == 1
        page.locator("h1").click()
        press(page, "g", "d")
        page.wait_for_url("**/dashboard")


def test_a_letter_is_shown_while_it_is_written(desk: Console, chromium: Browser) -> None:
    with looking(chromium, desk.operator()) as page:
        page.goto(f"{desk.address}/cases/RF-000018/reply")
        focused(page)
        page.keyboard.type("We have found your parcel.")
        page.frame_locator("#preview iframe").get_by_text("We have found your parcel.").wait_for(timeout=10_000)


def test_a_fact_lights_up_the_words_that_it_was_read_in(desk: Console, chromium: Browser) -> None:
    with looking(chromium, desk.operator()) as page:
        page.goto(f"{desk.address}/cases/RF-000004")
        page.get_by_role("link", name="changed my mind").hover()
        assert page.locator("mark.lit").inner_text() == "changed my mind"
        page.locator("mark", has_text="changed my mind").hover()
        page.locator("a.lit").first.wait_for()


def test_another_person_s_change_reaches_an_open_queue(desk: Console, chromium: Browser) -> None:
    with looking(chromium, desk.operator()) as page:
        page.goto(f"{desk.address}/?view=mine")
        assert page.locator("tr[data-href]").count() == 0
        page.wait_for_timeout(500)
        operators.assign(desk.app, "RF-000019", "mia@shop.example", "admin@shop.example")
        page.locator("tr[data-href]").first.wait_for(timeout=15_000)
        assert "RF-000019" in page.locator("#listed").inner_text()
