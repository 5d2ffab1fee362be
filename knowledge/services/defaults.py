"""The articles that come with the product."""

import json
from functools import partial
from pathlib import Path

from core.shipped import Shipment
from knowledge.models import Article

DATA = Path(__file__).resolve().parent.parent / "data" / "articles.json"


def load(shipment: Shipment) -> None:
    for facts in json.loads(DATA.read_text("utf-8")):
        shipment.add("article", facts["code"], partial(_add, facts))


def _add(facts: dict[str, str]) -> None:
    Article.objects.get_or_create(code=facts["code"], defaults={**facts, "is_published": True})
