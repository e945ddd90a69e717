"""The console in a real browser: signing in by hand, reading by keyboard, contrast, and a narrow screen."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.console.reading_pages import read_page
from tests.console.visits import Console, Visitor

PATHS = ("/", "/cases/RF-000001", "/cases/RF-000004", "/cases/RF-000016", "/cases/RF-999999", "/outside/", "/outside/4")
OPEN = ("/sign-in", "/sign-in?token=x")
HEADINGS = ("h1", "h2", "h3", "h4")

FAINT = """() => {
  const parts = text => { const n = text.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                       return .2126 * r + .7152 * g + .0722 * b; };
  const ground = element => { const up = element.parentElement ? ground(element.parentElement) : [255, 255, 255, 1];
                              return over(parts(getComputedStyle(element).backgroundColor), up); };
  document.querySelectorAll('details').forEach(one => one.open = true);
  const faint = new Set(), seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
    const under = ground(element), ink = over(parts(style.color), under);
    const [low, high] = [light(ink.slice(0, 3)), light(under.slice(0, 3))].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (high + .05) / (low + .05);
    seen.push(ratio);
    const words = walker.currentNode.data.trim();
    if (ratio < (large ? 3 : 4.5)) faint.add(`${ratio.toFixed(2)} ${element.className}: ${words}`);
  }
  return [[...faint], seen.length];
}"""

UNMARKED = """() => [document.activeElement].filter(one => one !== document.body).map(one => {
  const style = getComputedStyle(one);
  return [one.tagName, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2];
})"""


@contextmanager
def looking(browser: Browser, visitor: Visitor, **how: object) -> Iterator[Page]:
    """Open a page that knows the visitor's cookie, and see to it that nothing of it was refused or went elsewhere."""
    context = browser.new_context(**how)  # type: ignore[arg-type] # playwright names its options one by one
    if visitor.cookie:
        name, _, value = visitor.cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": visitor.address}])
    page, told, asked = context.new_page(), [], []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    try:
        yield page
        assert [text for text in told if "Content Security Policy" in text or "rror:" in text] == []
        assert {urlsplit(url).netloc for url in asked} <= {urlsplit(visitor.address).netloc}
    finally:
        context.close()


def test_a_person_signs_in_with_the_printed_link(console: Console, visitor: Visitor, chromium: Browser) -> None:
    with looking(chromium, visitor) as page:
        page.goto(console.link())
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{console.address}/")
        assert page.locator("h1").inner_text() == "Needs a person"
        page.get_by_role("link", name="RF-000002").click()
        page.wait_for_url("**/cases/RF-000002")


def test_a_finding_leads_to_its_words_in_the_mail(operator: Visitor, chromium: Browser) -> None:
    with looking(chromium, operator) as page:
        page.goto(f"{operator.address}/cases/RF-000004")
        page.get_by_role("link", name="changed my mind").click()
        assert page.locator("mark:target").inner_text() == "changed my mind"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*PATHS, *OPEN])
def test_every_text_is_told_from_its_ground(path: str, scheme: str, operator: Visitor, chromium: Browser) -> None:
    """Source: WCAG 2.2, 1.4.3 (AA)."""
    with looking(chromium, operator, color_scheme=scheme) as page:
        page.goto(operator.address + path)
        faint, seen = page.evaluate(FAINT)
        assert faint == []
        assert seen > 5


@pytest.mark.parametrize("path", [*PATHS, *OPEN])
def test_a_narrow_screen_needs_no_sideways_scrolling(path: str, operator: Visitor, chromium: Browser) -> None:
    """Source: WCAG 2.2, 1.4.10 (AA): 320 CSS pixels."""
    with looking(chromium, operator, viewport={"width": 320, "height": 640}) as page:
        page.goto(operator.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("path", ["/", "/cases/RF-000004", "/sign-in?token=x"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(path: str, operator: Visitor, chromium: Browser) -> None:
    """Source: WCAG 2.2, 2.4.7 (AA)."""
    with looking(chromium, operator) as page:
        page.goto(operator.address + path)
        reached = []
        for _ in range(12):
            page.keyboard.press("Tab")
            reached += page.evaluate(UNMARKED)
        assert len(reached) >= 3
        assert [tag for tag, marked in reached if not marked] == []


@pytest.mark.parametrize("path", [*PATHS, *OPEN])
def test_a_page_is_made_so_that_it_can_be_read_aloud(path: str, operator: Visitor) -> None:
    page = read_page(operator.ask(path).text)
    assert page.all("html")[0].attributes["lang"] == "en"
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    levels = [HEADINGS.index(one.tag) for one in page.all() if one.tag in HEADINGS]
    assert all(after <= before + 1 for before, after in zip([-1, *levels], levels, strict=False))
    assert all(one.attributes.get("scope") in {"col", "row"} for one in page.all("th"))
    named = [one for tag in ("a", "button", "summary", "h1", "h2", "h3", "th", "dt") for one in page.all(tag)]
    assert all(one.words or any(image.attributes["alt"] for image in one.all("img")) for one in named)
    assert all("alt" in one.attributes for one in page.all("img"))
    assert all("title" in one.attributes for one in page.all("iframe"))
    fields = [one for one in page.all() if one.tag in {"input", "select", "textarea"}]
    labelled = [id(field) for label in page.all("label") for field in label.all()]
    bare = [one for one in fields if one.attributes.get("type") != "hidden" and id(one) not in labelled]
    assert all("aria-label" in one.attributes for one in bare)
    names = [one.attributes["id"] for one in page.all() if "id" in one.attributes]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", [*PATHS, *OPEN])
def test_a_page_has_nothing_that_its_policy_would_refuse(path: str, operator: Visitor) -> None:
    page = read_page(operator.ask(path).text)
    assert page.all("style") == []
    assert [one.attributes["src"] for one in page.all("script") if one.text] == []
    assert [name for one in page.all() for name in one.attributes if name == "style" or name.startswith("on")] == []
    links = [one.attributes[name] for one in page.all() for name in ("href", "src", "action") if name in one.attributes]
    assert all(not link or (link[0] in "/#" and link[:2] != "//") for link in links)


def test_pages_have_titles_of_their_own(operator: Visitor) -> None:
    titles = [read_page(operator.ask(path).text).all("title")[0].words for path in PATHS]
    assert len(set(titles)) == len(titles)
