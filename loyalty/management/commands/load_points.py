"""Loads a file of points: opening balances, or accruals of a past period.

The file is CSV with a header: card, points and, if it likes, expires (YYYY-MM-DD); an accrual also has receipt and date. It is checked
first; what is rejected is written as CSV. A run that was killed goes on with --resume NUMBER.
"""

import csv
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.refusal import Refusal
from loyalty.models import Import
from loyalty.services import import_steps, imports
from loyalty.states import ImportKind, ImportState
from stores.models import Chain

FOREVER = 365 * 86_400.0


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path)
        parser.add_argument("--kind", choices=ImportKind.values, default=ImportKind.BALANCES.value)
        parser.add_argument("--chain", help="code of the chain whose points these are")
        parser.add_argument("--from", dest="period_from", type=date.fromisoformat, help="first day of an accrual's period")
        parser.add_argument("--to", dest="period_to", type=date.fromisoformat, help="last day of an accrual's period")
        parser.add_argument("--largest", type=int, default=1_000_000, help="most points of a row")
        parser.add_argument("--rejects", type=Path, help="where rejected rows are written as CSV")
        parser.add_argument("--check-only", action="store_true", help="check and stop: a person lets it in in the admin panel")
        parser.add_argument("--resume", type=int, metavar="NUMBER", help="go on with this import")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            work = self._found(options)
            self.stdout.write(f"Import {work.pk}: {work.name}")
            self._run(work, check_only=options["check_only"])
        except Refusal as refusal:
            raise CommandError(str(refusal)) from None
        finally:
            self.stdout.flush()
        self._tell(Import.objects.get(pk=work.pk), options["rejects"])

    def _found(self, options: dict[str, Any]) -> Import:
        if options["resume"]:
            known = Import.objects.select_related("chain").filter(pk=options["resume"]).first()
            if known is None:
                raise CommandError(f"There is no import {options['resume']}.")
            return known
        chain = Chain.objects.filter(code=options["chain"] or "").first()
        if options["file"] is None or not options["file"].is_file() or chain is None:
            raise CommandError("Name a file that exists and --chain with the code of a chain.")
        if options["kind"] == ImportKind.ACCRUAL and not (options["period_from"] and options["period_to"]):
            raise CommandError("An accrual needs --from and --to.")
        fields = {name: options[name] for name in ("kind", "largest", "period_from", "period_to")}
        with options["file"].open("rb") as content:
            work = Import(name=options["file"].name, chain=chain, **fields)
            return import_steps.keep(work, by=None, now=timezone.now(), content=content)

    def _run(self, work: Import, *, check_only: bool) -> None:
        stopped_loading = work.state == ImportState.STOPPED and work.proof.get("stopped") == ImportState.LOADING
        if work.state == ImportState.NEW or (work.state == ImportState.STOPPED and not stopped_loading):
            import_steps.start_check(work=work, by=None, now=timezone.now())
        self._carry_on(work)
        work.refresh_from_db()
        if check_only:
            return
        if work.state == ImportState.CHECKED or stopped_loading:
            import_steps.approve(work=work, by=None, now=timezone.now())
            self._carry_on(work)

    def _carry_on(self, work: Import) -> None:
        if not imports.carry_on(import_id=work.pk, seconds=FOREVER, told=self._progress):
            raise CommandError("Another process is at this import.")

    def _progress(self, work: Import) -> None:
        done = imports.share_done(work)
        self.stdout.write(
            f"{work.get_state_display()}: {done:.0%}, {work.good_rows} good, {work.rejected_rows} rejected, {work.loaded_rows} loaded"
        )

    def _tell(self, work: Import, rejects: Path | None) -> None:
        if rejects is not None:
            with rejects.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(["line", "reason", "row"])
                writer.writerows(imports.rejects_of(work))
        self.stdout.write(f"{work.get_state_display()}: rows {work.good_rows}, points {work.good_points}, rejected {work.rejected_rows}")
        if work.state in (ImportState.WRONG, ImportState.STOPPED):
            raise CommandError(str(work.proof))
