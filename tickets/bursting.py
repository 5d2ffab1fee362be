"""Whether so many like tickets are too many for their place: pure."""

import math


def is_burst(seen: int, usual: float, *, at_least: int, times: float) -> bool:
    """`seen` within the window against the `usual` number of that time: enough, several times the usual, and not by chance.

    By chance: of Poisson's distribution with this mean, more than three deviations above it.
    """
    return seen >= at_least and seen >= times * usual and seen > usual + 3 * math.sqrt(usual)
