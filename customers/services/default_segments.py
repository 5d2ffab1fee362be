"""Segments of guests that come with the product."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from core.shipped import Shipment
from customers.models import Segment, SegmentRule

DATA = Path(__file__).resolve().parent.parent / "data" / "segments.json"


def load(shipment: Shipment) -> None:
    """Add what was never added before."""
    for facts in json.loads(DATA.read_text("utf-8")):
        shipment.add("segment", facts["code"], partial(_segment, facts))


def _segment(facts: Mapping[str, Any]) -> None:
    fields = {"name": facts["name"], "name_en": facts["en"], "position": facts["position"]}
    segment, made = Segment.objects.get_or_create(code=facts["code"], defaults=fields)
    if made:
        SegmentRule.objects.bulk_create(SegmentRule(segment=segment, **rule) for rule in facts["rules"])
