"""Events of the demo's guests as their channels would bring them."""

import json
import random
import uuid
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from customers.models import Identity
from omni.models import ChannelAccount


def event_body(account: ChannelAccount, identity: Identity, text: str, *, at: datetime, chance: random.Random, subject: str = "") -> bytes:
    """The raw event with which the guest's `text` arrives at `at`."""
    if account.kind == "telegram":
        return _update(identity, text, at, chance)
    if account.kind == "webchat":
        client_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        body = {"client_id": client_id, "visitor": identity.external_id, "text": text, "name": identity.display_name}
        return json.dumps(body, ensure_ascii=False).encode()
    return _mail(account, identity, text, at, chance, subject)


def _update(identity: Identity, text: str, at: datetime, chance: random.Random) -> bytes:
    """https://core.telegram.org/bots/api#update"""
    person = {"id": int(identity.external_id), "is_bot": False, "first_name": identity.display_name, "language_code": "ru"}
    chat = {"id": int(identity.external_id), "type": "private", "first_name": identity.display_name}
    message = {"message_id": chance.randint(1000, 10**9), "date": int(at.timestamp()), "from": person, "chat": chat, "text": text}
    return json.dumps({"update_id": chance.randint(10**8, 10**9), "message": message}, ensure_ascii=False).encode()


def _mail(account: ChannelAccount, identity: Identity, text: str, at: datetime, chance: random.Random, subject: str) -> bytes:
    mail = EmailMessage()
    mail["From"] = f"{identity.display_name} <{identity.external_id}>"
    mail["To"] = str(account.settings["address"])
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{chance.getrandbits(64):x}@guests.example>"
    mail.set_content(f"{text}\n\n-- \n{identity.display_name}\n")
    return mail.as_bytes()
