"""For every test: which part of the run it belongs to, and an honest end: what was not run for lack of a real peer."""

import gc
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management.commands import flush
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.template.base import Template
from hypothesis import settings as hypothesis_settings

from core.embedded.postgres import DATABASE

pytest_plugins = ["tests.product"]
# Nothing that is made until the tests begin is garbage.
gc.disable()
# Speed is measured by bench/, never asserted: a busy machine is no failure.
hypothesis_settings.register_profile("house", deadline=None)
hypothesis_settings.load_profile("house")
KEPT_TABLES = frozenset({"django_content_type", "auth_permission"})
BROWSER_TESTS = Path(__file__).parent / "tests" / "browser"
# `make test` is several pytest runs; this file carries what was missing to its last lines.
MISSING_PEERS_FILE = "MISSING_PEERS_FILE"
# As it is before Django puts its own for tests in the place.
RENDER = Template._render  # type: ignore[attr-defined]


@pytest.fixture(autouse=True, scope="session")
def _only_full_tables_are_emptied() -> Iterator[None]:
    """After a test on real transactions Django truncates every table; with a hundred of them that takes longer than the test.

    The few tables that hold rows are emptied by DELETE instead, without triggers. Who may not switch those off truncates as Django does.
    No number is given twice in a run: what a process keeps by number stays true.
    """
    usual = DatabaseOperations.sql_flush

    def sql_flush(
        self: DatabaseOperations, style: Any, tables: Sequence[str], *, reset_sequences: bool = False, allow_cascade: bool = False
    ) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute("select rolsuper from pg_roles where rolname = current_user")
            if not tables or not cursor.fetchone()[0]:
                emptied = [table for table in tables if table not in KEPT_TABLES]
                return list(usual(self, style, emptied, reset_sequences=False, allow_cascade=allow_cascade))
            named = {table: self.quote_name(table) for table in tables}
            holding = (f"select '{table}' where exists (select 1 from {name})" for table, name in named.items())  # noqa: S608  our tables
            cursor.execute(" union all ".join(holding))
            full = [table for (table,) in cursor.fetchall() if table not in KEPT_TABLES]
        deletes = [f"delete from {named[table]};" for table in full]  # noqa: S608  our tables
        return ["set local session_replication_role = replica;", *deletes] if deletes else []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        # Content types and permissions stay, so nothing has to be made anew after each test.
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_args, **_kwargs: None)
        yield


@pytest.fixture
def without_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are rendered as they are served: `context` of this test's answers is None.

    For it Django copies the whole context at each of a page's two hundred small templates: 9 % of a page of the panel.
    """
    monkeypatch.setattr(Template, "_render", RENDER)


@pytest.fixture(autouse=True)
def _nothing_is_kept_from_the_test_before() -> None:
    """Rows of settings that a process keeps for a moment were another test's."""
    from sla.services import clocks  # noqa: PLC0415  after Django is set up
    from tickets.services import approval_gates, kept, promising  # noqa: PLC0415

    kept.forget_all()
    clocks.forget_hours()
    promising.forget()
    approval_gates.forget()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Each process copies the database that tests.servers has migrated; what `migrate` finds missing there it adds."""
    if os.environ.get("OTKLIK_TEST_OWN_POSTGRES"):
        connection.settings_dict["TEST"]["TEMPLATE"] = DATABASE


def pytest_collection_finish() -> None:
    """What is there now stays to the end: the collector need not look through it again and again (docs.python.org/3/library/gc.html)."""
    gc.enable()
    gc.collect()
    gc.freeze()
    # Pages and generated cases make thousands of objects that live for a moment; but sockets in circles must not heap up, either.
    gc.set_threshold(20_000, 10, 10)


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
