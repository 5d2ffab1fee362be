"""Which browser program drives the screens."""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "No browser for the tests of the screens: install Debian's package chromium, or run .venv/bin/python -m playwright install chromium."
)


def find_chromium() -> Path | None:
    """CHROMIUM, else a Chromium of the system, else the one Playwright has installed; None when there is none."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return Path(chosen) if os.access(chosen, os.X_OK) else None
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


if __name__ == "__main__":
    program = find_chromium()
    if program is None:
        sys.exit(MISSING)
    print(program)
