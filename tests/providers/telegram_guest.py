"""The guest's side of Telegram: what a person does in the chat, as the Update the bot receives."""

import base64
import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.providers.telegram_state import Chat, Membership, State


class Guest:
    """Makes updates of one chat. Each method returns the payload: the kind of update and its object."""

    def __init__(self, state: State, chat: Chat) -> None:
        self.state = state
        self.chat = chat

    def message(self, content: Mapping[str, Any]) -> dict[str, Any]:
        return {"message": self.state.new_message(self.chat, self.chat.user(), dict(content))}

    def photo(self, data: bytes, caption: str = "", group: str = "") -> dict[str, Any]:
        extra = {"caption": caption, "media_group_id": group}
        return self.message({"photo": self.state.photo_sizes("photo.jpg", data), **{key: value for key, value in extra.items() if value}})

    def album(self, pictures: Sequence[bytes], caption: str = "") -> list[dict[str, Any]]:
        """One update per picture; the caption stands on the first only."""
        group = f"1357{next(GROUPS)}"
        return [self.photo(data, caption if position == 0 else "", group) for position, data in enumerate(pictures)]

    def document(self, data: bytes, name: str, mime: str, caption: str = "") -> dict[str, Any]:
        stored = self.state.store(name, mime, data, "documents")
        document = {**stored.as_json(), "file_name": name, "mime_type": mime}
        return self.message({"document": document, **({"caption": caption} if caption else {})})

    def contact(self, phone: str) -> dict[str, Any]:
        """The guest shares his own number by the keyboard's button."""
        return self.message({"contact": {"phone_number": phone, "first_name": self.chat.first_name, "user_id": self.chat.id}})

    def edit(self, message_id: int, text: str) -> dict[str, Any]:
        with self.state.lock:
            message = self.chat.messages[message_id]
            message |= {"text": text, "edit_date": int(time.time())}
            return {"edited_message": dict(message)}

    def reply(self, message_id: int, text: str) -> dict[str, Any]:
        replied = {key: value for key, value in self.chat.messages[message_id].items() if key != "reply_to_message"}
        return self.message({"text": text, "reply_to_message": replied})

    def press(self, message_id: int, data: str) -> dict[str, Any]:
        """Press an inline button under a message of the bot."""
        query_id = str(next(QUERIES))
        self.state.queries.add(query_id)
        message = self.chat.messages[message_id]
        return {"callback_query": {"id": query_id, "from": self.chat.user(), "message": message, "chat_instance": "7", "data": data}}

    def block(self, blocked: bool) -> dict[str, Any]:
        """Block the bot or let it back in."""
        states = ("member", "kicked") if blocked else ("kicked", "member")
        self.chat.state = Membership.BLOCKED if blocked else Membership.MEMBER
        old, new = ({"user": self.state.bot, "status": status, **({"until_date": 0} if status == "kicked" else {})} for status in states)
        change = {"chat": self.chat.as_json(), "from": self.chat.user(), "date": int(time.time())}
        return {"my_chat_member": {**change, "old_chat_member": old, "new_chat_member": new}}


QUERIES = itertools.count(4382000000)
GROUPS = itertools.count(1000000)


def payloads(guest: Guest, what: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The updates of one thing said: `text`, `photo`, `album`, `document`, `contact`, `edit`, `reply_to`, `press` or `block`."""
    text, caption = what.get("text") or "", what.get("caption") or ""
    if what.get("album"):
        return guest.album([octets(data) for data in what["album"]], caption or text)
    if what.get("photo"):
        return [guest.photo(octets(what["photo"]), caption or text)]
    if what.get("document"):
        name, mime = what.get("name") or "document.pdf", what.get("mime") or "application/pdf"
        return [guest.document(octets(what["document"]), name, mime, caption or text)]
    if what.get("contact"):
        return [guest.contact(what["contact"])]
    if what.get("block") is not None:
        return [guest.block(bool(what["block"]))]
    if what.get("press"):
        return [guest.press(int(what["reply_to"]), what["press"])]
    return [said(guest, text, what)]


def said(guest: Guest, text: str, what: Mapping[str, Any]) -> dict[str, Any]:
    if what.get("edit"):
        return guest.edit(int(what["edit"]), text)
    if what.get("reply_to"):
        return guest.reply(int(what["reply_to"]), text)
    if not text:
        raise ValueError("nothing said: text, photo, album, document, contact, edit, press or block is needed")
    return guest.message({"text": text})


def octets(data: bytes | str) -> bytes:
    """Bytes as they are; from the control plane, base64."""
    return data if isinstance(data, bytes) else base64.b64decode(data, validate=True)
