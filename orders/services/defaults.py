"""The meanings of statuses and the words for guests that come with the product."""

import json
from functools import partial
from pathlib import Path

from core.shipped import Shipment
from orders.models import StateWords, StatusRule

DATA = Path(__file__).resolve().parent.parent / "data" / "statuses.json"


def load(shipment: Shipment) -> None:
    facts = json.loads(DATA.read_text("utf-8"))
    for source, rules in facts["rules"].items():
        for status, state in rules.items():
            make = partial(StatusRule.objects.get_or_create, source=source, raw_status=status, defaults={"state": state})
            shipment.add("order status", f"{source}:{status}", make)
    for state, words in facts["words"].items():
        shipment.add("order words", state, partial(StateWords.objects.get_or_create, state=state, defaults={"words": words}))
