"""One `up` per checkout."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.embedded.errors import StartError


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold `lock` while inside; the kernel lets go of it when the process dies. Raises StartError when another holds it."""
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StartError(
                f"The product already runs from this checkout (process {file.read().strip() or 'unknown'}): stop it first."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
