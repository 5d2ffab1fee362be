"""`python -m bench NAME [--quick]`: JSON lines on stdout, progress on stderr; 1 and a sentence when something is missing."""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from bench import (
    cases,
    distribution,
    duplicates,
    escalation,
    faults,
    ingest,
    ledger,
    live,
    mail,
    memory,
    migration,
    pages,
    replay,
    sla,
    throughput,
    topics,
)
from bench.figures import Figure, Missing, emit
from core.embedded.errors import StartError

MEASUREMENTS: dict[str, Callable[..., Iterator[Figure]]] = {
    "ingest": lambda given: ingest.run(quick=given.quick),
    "distribution": lambda given: distribution.run(quick=given.quick),
    "escalation": lambda given: escalation.run(quick=given.quick),
    "mail": lambda given: mail.run(quick=given.quick),
    "live": lambda given: live.run(quick=given.quick),
    "pages": lambda given: pages.run(cases=_cases(given), web=given.web, quick=given.quick),
    "throughput": lambda given: throughput.run(quick=given.quick),
    "faults": lambda given: faults.run(quick=given.quick, only=given.kind),
    "replay": lambda given: replay.run(quick=given.quick),
    "topics": lambda given: topics.run(quick=given.quick),
    "sla": lambda given: sla.run(quick=given.quick, size=given.cases),
    "ledger": lambda given: ledger.run(quick=given.quick),
    "migration": lambda given: migration.run(quick=given.quick, size=given.cases),
    "cases": lambda given: cases.run(cases=_cases(given), quick=given.quick),
    "duplicates": lambda given: duplicates.run(cases=_cases(given), quick=given.quick),
    "memory": lambda given: memory.run(cases=_cases(given)),
    "feed": lambda given: _in_browser("feed", quick=given.quick),
    "soak": lambda given: _in_browser("soak", quick=given.quick),
}


def _cases(given: argparse.Namespace) -> int:
    return given.cases or (2000 if given.quick else 100_000)


def _in_browser(name: str, **how: Any) -> Iterator[Figure]:
    """Imported when it is asked for: only these need the browser's packages."""
    figures: Iterator[Figure] = importlib.import_module(f"bench.{name}").run(**how)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the product on this machine.")
    parser.add_argument("name", choices=[*MEASUREMENTS, "all"])
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes: shows that it works, the figures are rough")
    size = "size of the base (pages, memory, cases, duplicates, sla): 100000, quick 2000; rows for migration: a million"
    parser.add_argument("--cases", type=int, default=0, help=size)
    parser.add_argument("--web", type=int, default=2, help="web processes for pages (default: 2)")
    parser.add_argument("--kind", action="append", default=[], choices=faults.KINDS, help="faults: only this kind, may be given again")
    options = parser.parse_args()
    chosen: Any = MEASUREMENTS if options.name == "all" else [options.name]
    try:
        for name in chosen:
            emit(MEASUREMENTS[name](options))
    except (Missing, StartError) as fault:
        print(fault, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
