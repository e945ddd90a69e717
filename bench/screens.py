"""Pictures of every page of the console, for the documentation: ``python -m bench.screens docs/console [NAME...]``.

Takes Debian's chromium and the extra ``ocr`` (for Pillow, which makes them small).
"""

import io
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, StorageState, sync_playwright
from sqlalchemy import update

from mailbot import operators
from mailbot.console.app import make_console, serving
from mailbot.demo.run import SUPPORT, demo_app, demo_link, fill_inbox, work_off
from mailbot.logs import set_up_logs
from mailbot.openid import OpenIdProvider
from mailbot.settings import SignIn
from mailbot.steps.app import App
from mailbot.store import cases
from mailbot.store.tables import ClockRow
from mailbot.store.transaction import transaction

LOOKS = {"light": ("light", 1280, 860), "dark": ("dark", 1280, 860), "narrow": ("light", 320, 720)}
PAGES = {
    "queue": "/",
    "case": "/cases/RF-000016",
    "approve": "/cases/RF-000016/approve",
    "change": "/cases/RF-000016/change",
    "decline": "/cases/RF-000017/decline?rule=customer_damage",
    "attachment": "/cases/RF-000002/mails/2/parts/2/pages",
    "reply": "/cases/RF-000018/reply?template=answer_photographs",
    "correct": "/cases/RF-000014/correct",
    "merge": "/cases/RF-000032/merge?into=RF-000016",
    "receive": "/cases/RF-000004/receive?verdict=accepted",
    "refunds": "/refunds",
    "dashboard": "/dashboard",
    "policy": "/policy",
    "templates": "/templates?name=return_approved&language=en",
    "health": "/health",
    "playground": "/playground",
    "people": "/people",
    "audit": "/audit",
    "account": "/account",
    "sign-in": "/sign-in",
    "keys": "/",
}
_COLOURS = 64
_AGAIN = """From: Fatima Haddad <fatima.haddad@example.com>
To: support@shop.example
Subject: One more thing
Authentication-Results: mx.shop.example; dmarc=pass header.from=example.com

Do you also sell the earrings that go with the necklace?
"""
_MAIL = """From: Jane <jane@example.org>
Subject: Order AW-10301

I changed my mind about order AW-10301 and would like my money back.
"""


def _make_lively(app: App) -> None:
    """Some cases late, some taken, so that a picture shows what the console is for."""
    now = app.now()
    times = {"RF-000019": -3, "RF-000016": 1, "RF-000017": 5}
    with transaction(app.engine) as session:
        for number, hours in times.items():
            mine = ClockRow.case_id == cases.get(session, number).id
            for level, early in (("due", 24), ("limit", 0)):
                due_at = now + timedelta(hours=hours - early, minutes=20)
                session.execute(update(ClockRow).where(mine, ClockRow.level == level).values(due_at=due_at))
    operators.assign(app, "RF-000017", "mia@shop.example", "mia@shop.example")
    operators.note(app, "RF-000016", "mia@shop.example", "The carrier has no trace of it either.")


def _keep(page: Page, path: Path) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)


def _take(browser: Browser, address: str, state: StorageState, folder: Path, only: Sequence[str]) -> None:
    for look, (scheme, width, height) in LOOKS.items():
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, color_scheme=scheme, storage_state=state)  # type: ignore[arg-type] # playwright's own words
        page = context.new_page()
        for name, path in PAGES.items():
            if only and name not in only:
                continue
            page.goto(address + path)
            if name == "playground":
                page.locator("textarea").fill(_MAIL)
                page.get_by_role("button", name="Try it").click()
            if name == "keys":
                page.keyboard.press("?")
            page.wait_for_timeout(400)
            _keep(page, folder / (f"{name}.png" if look == "light" else f"{name}-{look}.png"))
        context.close()


def main(folder: Path, only: Sequence[str]) -> None:
    """Serve a lively demonstration and take the pictures, all or ``only`` some."""
    set_up_logs(verbose=False)
    folder.mkdir(parents=True, exist_ok=True)
    with demo_app("127.0.0.1:0") as (app, servers):
        fill_inbox(app, servers)
        servers.deliver(SUPPORT, _AGAIN.replace("\n", "\r\n").encode(), app.now())
        work_off(app)
        _make_lively(app)
        provider = SignIn(issuer="https://login.shop.example", client_id="mailbot", label="your work account")
        shown = replace(app, identities=OpenIdProvider(provider))
        with serving(make_console(shown), "127.0.0.1", 0) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(demo_link(app, address))
            page.get_by_role("button", name="Sign in").click()
            _take(browser, address, page.context.storage_state(), folder, only)
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
