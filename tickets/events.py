"""What tickets tell, after commit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CaseOpened:
    case_id: int


@dataclass(frozen=True)
class CaseClosed:
    case_id: int


@dataclass(frozen=True)
class CaseReopened:
    case_id: int
