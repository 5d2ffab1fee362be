"""The demo's written material. Pure: reads its own files only."""

import json
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent / "data"


@cache
def material(name: str) -> Any:
    """What stands in `data/<name>.json`; not to be changed by the caller."""
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


def on_street(street: str) -> str:
    """A street's name as it stands behind «на»: Лесная -> Лесной, Гагарина stays."""
    return f"{street[:-2]}ой" if street.endswith("ая") else street
