"""Makes docs/workstation.png from a running demo: `make run` in one terminal, `.venv/bin/python scripts/screenshot.py [URL]` in another."""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import ARGUMENTS  # noqa: E402  the checkout must be on the path first
from tests.browser.programs import find_chromium  # noqa: E402


def open_the_desk(page: Page, url: str) -> None:
    page.goto(f"{url}/sign-in/")
    page.fill("#id_username", "operator")
    page.fill("#id_password", "otklik-demo")
    page.press("#id_password", "Enter")
    page.wait_for_url("**/desk/**")
    page.goto(f"{url}/desk/?tab=group&sort=newest")
    page.locator(".row-link").first.click()
    page.locator("#feed .entry").first.wait_for()
    page.wait_for_timeout(1500)  # live connection and clocks


def main() -> None:
    url = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = chromium.new_page(locale="ru-RU", timezone_id="Europe/Moscow", viewport={"width": 1440, "height": 900})
        open_the_desk(page, url)
        page.screenshot(path=ROOT / "docs" / "workstation.png")
        chromium.close()


if __name__ == "__main__":
    main()
