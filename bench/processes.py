"""Memory and processor time of processes, from /proc (Linux)."""

import os
from pathlib import Path

_PROC = Path("/proc")
_TICK = 1000 / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and all below it."""
    parents: dict[int, list[int]] = {}
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            parents.setdefault(int(_fields(path)[1]), []).append(int(path.parent.name))
        except OSError:  # it has ended meanwhile
            continue
    found, below = [], [pid]
    while below:
        one = below.pop()
        found.append(one)
        below += parents.get(one, [])
    return found


def resident(pid: int) -> float:
    """MB in memory of the process and all below it, what they share counted for each."""
    return sum(_kilobytes(_PROC / str(one) / "status", "VmRSS:") for one in family(pid)) / 1024


def proportional(pid: int) -> float:
    """MB in memory of the process and all below it, shared pages divided among those who share them."""
    return sum(_kilobytes(_PROC / str(one) / "smaps_rollup", "Pss:") for one in family(pid)) / 1024


def processor_time(pid: int) -> float:
    """Milliseconds that the process and all below it have computed so far: a busy neighbour lengthens them less than the clock's."""
    return sum(_TICK * sum(map(int, _fields(_PROC / str(one) / "stat")[11:13])) for one in family(pid))


def _fields(path: Path) -> list[str]:
    # The name in brackets may hold blanks and brackets itself.
    return path.read_text().rpartition(")")[2].split()


def _kilobytes(path: Path, name: str) -> int:
    return sum(int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith(name))
