"""For every test: which part of the run it belongs to, and an honest end: what was not run for lack of a real peer."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

pytest_plugins = ["tests.product"]
# Speed is measured by bench/, never asserted: a busy machine is no failure.
hypothesis_settings.register_profile("house", deadline=None)
hypothesis_settings.load_profile("house")
BROWSER_TESTS = Path(__file__).parent / "tests" / "browser"
# `make test` is several pytest runs; this file carries what was missing to its last lines.
MISSING_PEERS_FILE = "MISSING_PEERS_FILE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker(pytest.mark.browser)
        for mark in item.iter_markers("peer"):
            item.user_properties.append(("peer", str(mark.args[0])))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # the first process counts for all
    missing = Counter(_missing(report) for report in terminalreporter.stats.get("skipped", []) if _peer(report))
    lines = [f"not run: {count} tests need {peer} ({reason})" for (peer, reason), count in sorted(missing.items())]
    for line in lines:
        terminalreporter.write_line(line, yellow=True)
    if lines and os.environ.get(MISSING_PEERS_FILE):
        with open(os.environ[MISSING_PEERS_FILE], "a") as file:
            file.writelines(f"{line}\n" for line in lines)


def _peer(report: pytest.TestReport) -> str:
    return str(dict(report.user_properties).get("peer", ""))


def _missing(report: pytest.TestReport) -> tuple[str, str]:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return _peer(report), reason.removeprefix("Skipped: ")
