"""A mail as one JSON-ready dictionary: for the duty shift when a message looks wrong."""

from typing import Any

from omni.channels.email.addresses import Address
from omni.channels.email.machine import classify
from omni.channels.email.parsing import parse_mail
from omni.channels.email.threading import unverified_keys


def explain(raw: bytes) -> dict[str, Any]:
    """How the mail of `raw` is understood. Never raises; absent values are None, "" or empty lists."""
    mail = parse_mail(raw)
    verdict = classify(mail)
    return {
        "message_id": mail.message_id or None,
        "subject": mail.subject,
        "from": _first(mail.sender),
        "from_name": mail.sender[0].name if mail.sender else "",
        "reply_to": _first(mail.reply_to),
        "to": [one.address for one in mail.to],
        "cc": [one.address for one in mail.cc],
        "date": mail.date.isoformat() if mail.date else None,
        "text": mail.text,
        "html": mail.html,
        "visible_text": mail.visible_text,
        "attachments": [{"name": file.name, "type": file.type, "size": file.size} for file in mail.attachments],
        "machine": verdict.machine,
        "thread_keys": unverified_keys(mail),
        "defects": list(mail.defects),
    }


def _first(addresses: tuple[Address, ...]) -> str | None:
    return addresses[0].address if addresses else None
