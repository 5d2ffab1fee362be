"""A desk in a real browser, measured from inside the page and by Chromium's own counters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.figures import Missing
from core.embedded.ports import LOOPBACK

try:
    from playwright.sync_api import CDPSession, Page, sync_playwright

    from tests.browser.conftest import ARGUMENTS
    from tests.browser.programs import MISSING, find_chromium
except ImportError as fault:  # the bench's other measurements need no browser
    raise Missing(f"This measurement needs the packages of requirements-dev.txt: {fault.name} is missing.") from None

WAIT_MS = 30_000


@dataclass(frozen=True)
class Counters:
    """What the page holds after a collection of garbage: JavaScript heap in MB, DOM nodes, event listeners."""

    heap: float
    nodes: int
    listeners: int


class Desk:
    """One operator's desk: `page` is connected and has applied what the server knew."""

    def __init__(self, page: Page, port: int) -> None:
        self.page, self.base = page, f"http://{LOOPBACK}:{port}/desk/"
        self._inside: CDPSession = page.context.new_cdp_session(page)

    def go(self, path: str = "") -> None:
        self.page.goto(self.base + path)
        self.page.wait_for_selector("#connection[data-state=on]", state="attached")

    def evaluate(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def counters(self) -> Counters:
        """Counted after two collections: what the first one frees may hold more."""
        for _round in (1, 2):
            self._inside.send("HeapProfiler.collectGarbage")
        used = self._inside.send("Runtime.getHeapUsage")["usedSize"] / 1_000_000
        found = self._inside.send("Memory.getDOMCounters")
        return Counters(heap=used, nodes=found["nodes"], listeners=found["jsEventListeners"])


@contextmanager
def desk(port: int, cookie: str) -> Iterator[Desk]:
    """The signed-in desk of the session `cookie` on an office screen. Raises Missing without a browser."""
    program = find_chromium()
    if program is None:
        raise Missing(MISSING)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, "--enable-precise-memory-info"])
        context = chromium.new_context(locale="ru-RU", timezone_id="Europe/Moscow", viewport={"width": 1440, "height": 900})
        context.set_default_timeout(WAIT_MS)
        context.add_cookies([{"name": "sessionid", "value": cookie, "domain": LOOPBACK, "path": "/"}])
        try:
            yield Desk(context.new_page(), port)
        finally:
            chromium.close()
