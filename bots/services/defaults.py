"""The dialogues that come with the product, published from the start; which account answers by them is set in the account."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from bots.models import Dialogue
from bots.services import scripts
from core.shipped import Shipment

DATA = Path(__file__).resolve().parent.parent / "data"


def load(shipment: Shipment) -> None:
    for file in sorted(DATA.glob("*.json")):
        facts = json.loads(file.read_text("utf-8"))
        shipment.add("dialogue", facts["code"], partial(_add, facts, shipment))


def _add(facts: dict[str, Any], shipment: Shipment) -> None:
    dialogue, made = Dialogue.objects.get_or_create(code=facts["code"], defaults={"name": facts["name"]})
    if made:
        draft = scripts.write(dialogue, facts["version"], by=None, now=shipment.now)
        scripts.publish(draft.pk, by=None, now=shipment.now)
