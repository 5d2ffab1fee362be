"""Memory of processes, from /proc (Linux)."""

from pathlib import Path

_PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """The process and all below it."""
    parents: dict[int, list[int]] = {}
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            number, rest = int(path.parent.name), path.read_text()
        except OSError:  # it has ended meanwhile
            continue
        # The name in brackets may hold blanks and brackets itself.
        parents.setdefault(int(rest.rpartition(")")[2].split()[1]), []).append(number)
    found, below = [], [pid]
    while below:
        one = below.pop()
        found.append(one)
        below += parents.get(one, [])
    return found


def resident(pid: int) -> float:
    """MB in memory, what is shared with others included."""
    return _kilobytes(_PROC / str(pid) / "status", "VmRSS:") / 1024


def proportional(pid: int) -> float:
    """MB in memory, shared pages divided among those who share them."""
    return _kilobytes(_PROC / str(pid) / "smaps_rollup", "Pss:") / 1024


def _kilobytes(path: Path, name: str) -> int:
    return sum(int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith(name))
