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


@dataclass(frozen=True)
class CaseRated:
    """The guest gave a mark, or another one."""

    case_id: int
