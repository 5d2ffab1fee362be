"""What an app says of itself and of what is chosen in it: read with mercy, nothing else is kept."""

import re
from collections.abc import Mapping
from typing import Any

from core.text import first_line, storable
from core.zones import zone_names

PLATFORMS = frozenset({"android", "ios", "harmony"})
_STORE = re.compile(r"[0-9A-Za-z-]{1,12}")
_TEXTS: Mapping[str, int] = {"version": 40, "model": 80, "system": 40}


def read(given: Any) -> dict[str, str]:
    """The facts of {"version", "platform", "system", "model", "store", "time_zone"}; what is missing or odd is left out."""
    if not isinstance(given, dict):
        return {}
    texts = {name: first_line(storable(str(given[name])), most) for name, most in _TEXTS.items() if isinstance(given.get(name), str)}
    platform, store, zone = (str(given.get(name) or "") for name in ("platform", "store", "time_zone"))
    chosen = {
        "platform": platform if platform in PLATFORMS else "",
        "store": store if _STORE.fullmatch(store) else "",
        "time_zone": zone if zone in zone_names() else "",
    }
    return {name: value for name, value in {**texts, **chosen}.items() if value}
