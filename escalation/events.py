"""What escalation tells, after commit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Climbed:
    """A run has gone up to `level`; `by_clock` = nobody decided it."""

    run_id: int
    subject: str
    level: int
    by_clock: bool


@dataclass(frozen=True)
class AlarmRaised:
    """The watchman has found something that a person must look at."""

    alarm_id: int
    kind: str


@dataclass(frozen=True)
class HolesFound:
    """The nightly dry run found times in which a line reaches nobody."""

    dry_run_id: int
    holes: int
