"""When Python looks for reference cycles (https://docs.python.org/3/library/gc.html)."""

import gc

# So many new objects between two looks at them, and so many looks between those that go further back.
THRESHOLDS = (5_000, 20, 100)


def settle() -> None:
    """Leave out what was loaded at the start, which lives as long as the process, and look through the rest less often.

    A look through everything holds up all sockets of a process: 0.2 s with a thousand of them, every nine seconds at a gentle load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
