"""The documented parameters of the methods of the VK API that a community may call (schema 5.199)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.providers.social import Check, check_fields

INT32 = 2**31


def number(value: str) -> bool:
    return bool(re.fullmatch(r"-?\d{1,16}", value))


def positive(value: str) -> bool:
    return number(value) and int(value) > 0


def flag(value: str) -> bool:
    return value in ("0", "1")


def text(value: str) -> bool:
    return bool(value)


def shown_whole(value: str) -> bool:
    """9000 are allowed, but clients cut what is longer than 4096."""
    return len(value) <= 4096


def random_number(value: str) -> bool:
    """Zero would switch the protection against repeats off."""
    return number(value) and int(value) != 0 and -INT32 <= int(value) < INT32


def attachments(value: str) -> bool:
    names = value.split(",")
    return len(names) <= 10 and all(re.fullmatch(r"(photo|doc|video|audio)-?\d+_\d+(_\w+)?", name) for name in names)


def forward(value: str) -> bool:
    try:
        found = json.loads(value)
    except ValueError:
        return False
    return (
        isinstance(found.get("peer_id"), int)
        and isinstance(found.get("conversation_message_ids"), list)
        and found.get("is_reply") in (1, True)
    )


def keyboard(value: str) -> bool:
    """Ten rows of five buttons, 40 in all; labels of 40 characters, payloads of 255, both texts; empty = taken away."""
    found = json.loads(value)
    rows = found.get("buttons")
    if set(found) - {"one_time", "inline", "buttons"} or not isinstance(rows, list) or len(rows) > 10:
        return False
    return sum(len(row) for row in rows) <= 40 and all(1 <= len(row) <= 5 and all(map(button, row)) for row in rows)


def button(found: Mapping[str, Any]) -> bool:
    action = found.get("action", {})
    colours = ("primary", "secondary", "negative", "positive")
    fit = 0 < len(action.get("label", "")) <= 40 and len(action.get("payload", "")) <= 255
    return found.get("color") in colours and action.get("type") == "text" and fit


def one_peer(value: str) -> bool:
    return positive(value)


def title(value: str) -> bool:
    return 0 < len(value) <= 14


def secret(value: str) -> bool:
    return 0 < len(value) <= 50


Rules = Mapping[str, tuple[bool, Check]]
GROUP: Rules = {"group_id": (True, positive)}
SERVER: Rules = {**GROUP, "url": (True, text), "title": (True, title), "secret_key": (True, secret)}
COMMENT: Rules = {"owner_id": (True, number), "message": (True, text), "reply_to_comment": (False, positive), "guid": (True, text)}
EVENTS = re.compile(r"(message|wall|photo|video|market|board)_[a-z_]+")

METHODS: Mapping[str, Rules] = {
    "messages.send": {
        "peer_ids": (True, one_peer),
        "random_id": (True, random_number),
        "message": (False, shown_whole),
        "attachment": (False, attachments),
        "forward": (False, forward),
        "keyboard": (False, keyboard),
        "disable_mentions": (False, flag),
        "dont_parse_links": (False, flag),
    },
    "photos.getMessagesUploadServer": {"peer_id": (True, positive)},
    "photos.saveMessagesPhoto": {"photo": (True, text), "server": (True, number), "hash": (True, text)},
    "docs.getMessagesUploadServer": {"peer_id": (True, positive), "type": (True, lambda value: value in ("doc", "audio_message"))},
    "docs.save": {"file": (True, text), "title": (True, text)},
    "wall.createComment": {**COMMENT, "post_id": (True, positive), "from_group": (True, positive)},
    "photos.createComment": {**COMMENT, "photo_id": (True, positive), "from_group": (True, flag)},
    "board.createComment": {
        **GROUP,
        "topic_id": (True, positive),
        "message": (True, text),
        "from_group": (True, flag),
        "guid": (True, text),
    },
    "users.get": {"user_ids": (True, positive)},
    "groups.getById": GROUP,
    "groups.getCallbackConfirmationCode": GROUP,
    "groups.getCallbackServers": GROUP,
    "groups.addCallbackServer": SERVER,
    "groups.editCallbackServer": {**SERVER, "server_id": (True, positive)},
    "groups.getCallbackSettings": {**GROUP, "server_id": (True, positive)},
    "groups.setCallbackSettings": {**GROUP, "server_id": (True, positive), "api_version": (True, text)},
}


def broken_rules(method: str, fields: Mapping[str, str]) -> list[str]:
    """What is wrong with a call, as sentences."""
    rules = dict(METHODS[method])
    if method == "groups.setCallbackSettings":
        rules |= {name: (False, flag) for name in fields if name not in rules and EVENTS.fullmatch(name)}
    found: list[str] = []
    check_fields(method, fields, rules, found.append)
    if method == "messages.send" and not fields.get("message") and not fields.get("attachment"):
        found.append("messages.send: neither message nor attachment")
    return found
