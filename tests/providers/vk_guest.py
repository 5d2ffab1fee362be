"""The guest's side of VK: what a person does, as events of the Callback API."""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.providers.social import Event

if TYPE_CHECKING:
    from tests.providers.vk import VkServer


class VkGuest:
    """One person. Writing to the community allows it to write back."""

    def __init__(self, server: "VkServer", number: int, name: str) -> None:
        self.server, self.number = server, number
        if name:
            server.names[number] = name

    def does(self, text: str, what: Mapping[str, Any]) -> list[Event]:
        for key in ("block", "comment", "edit_comment", "delete_comment", "press", "tap", "staff", "edit", "read"):
            if key in what:
                return [getattr(self, key)(text, what)]
        return [self.message(text, what)]

    def message(self, text: str, what: Mapping[str, Any]) -> Event:
        self.server.known.add(self.number)
        self.server.blocked.discard(self.number)
        content: dict[str, Any] = {"text": text, "attachments": self.attachments(what)}
        if replied := what.get("reply_to"):
            messages = self.server.conversations.get(self.number, [])
            content["reply_message"] = next(one for one in messages if one["conversation_message_id"] == int(replied))
        message = self.server.add(self.number, self.number, content)
        info = {"keyboard": True, "inline_keyboard": True, "carousel": True, "lang_id": 0}
        return self.server.event("message_new", {"message": message, "client_info": info})

    def attachments(self, what: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = []
        if what.get("photo"):
            url = self.server.store(octets(what["photo"]), "photo.jpg", "image/jpeg")
            sizes = [
                {"type": "s", "url": f"{url}-small", "width": 75, "height": 56},
                {"type": "x", "url": url, "width": 604, "height": 453},
            ]
            found.append({"type": "photo", "photo": {"id": 1, "owner_id": self.number, "sizes": sizes}})
        if what.get("document"):
            data, title = octets(what["document"]), what.get("title", "чек.pdf")
            url = self.server.store(data, title, "application/pdf")
            found.append({"type": "doc", "doc": {"id": 2, "owner_id": self.number, "title": title, "size": len(data), "url": url}})
        if what.get("voice"):
            url = self.server.store(octets(what["voice"]), "voice.ogg", "audio/ogg")
            found.append({"type": "audio_message", "audio_message": {"duration": 3, "link_ogg": url, "link_mp3": url}})
        return found

    def edit(self, text: str, what: Mapping[str, Any]) -> Event:
        messages = self.server.conversations[self.number]
        message = next(one for one in messages if one["conversation_message_id"] == int(what["edit"]))
        message |= {"text": text, "update_time": self.server.now()}
        return self.server.event("message_edit", dict(message))

    def press(self, text: str, what: Mapping[str, Any]) -> Event:
        pressed = {"user_id": self.number, "peer_id": self.number, "event_id": f"{next(self.server.numbers):x}", "payload": what["press"]}
        return self.server.event("message_event", pressed)

    def tap(self, text: str, what: Mapping[str, Any]) -> Event:
        """A button of a keyboard writes its label, with its payload; ValueError if it is not shown. The keyboard is for one time."""
        self.server.keyboards[self.number].remove(what["tap"])
        self.server.keyboards[self.number] = []
        message = self.server.add(self.number, self.number, {"text": what["tap"], "attachments": [], "payload": "{}"})
        return self.server.event("message_new", {"message": message, "client_info": {"keyboard": True, "inline_keyboard": True}})

    def staff(self, text: str, what: Mapping[str, Any]) -> Event:
        """Somebody of the community's answers this person on the site."""
        content = {"text": text, "attachments": self.attachments(what), "admin_author_id": int(what["staff"])}
        return self.server.event("message_reply", self.server.add(self.number, -self.server.group_id, content))

    def block(self, text: str, what: Mapping[str, Any]) -> Event:
        (self.server.blocked.add if what["block"] else self.server.blocked.discard)(self.number)
        found = {"user_id": self.number} | ({} if what["block"] else {"key": ""})
        return self.server.event("message_deny" if what["block"] else "message_allow", found)

    def read(self, text: str, what: Mapping[str, Any]) -> Event:
        found = {"from_id": self.number, "peer_id": self.number, "conversation_message_id": int(what["read"])}
        return self.server.event("message_read", found)

    def comment(self, text: str, what: Mapping[str, Any]) -> Event:
        owner, post = -self.server.group_id, int(what["comment"])
        comment: dict[str, Any] = {
            "id": next(self.server.numbers),
            "from_id": self.number,
            "post_id": post,
            "owner_id": owner,
            "post_owner_id": owner,
        }
        comment |= {"date": self.server.now(), "text": text, "parents_stack": [], "attachments": self.attachments(what)}
        self.server.comments[(post, comment["id"])] = comment
        return self.server.event("wall_reply_new", comment)

    def edit_comment(self, text: str, what: Mapping[str, Any]) -> Event:
        comment = next(one for one in self.server.comments.values() if one["id"] == int(what["edit_comment"]))
        comment["text"] = text
        return self.server.event("wall_reply_edit", dict(comment))

    def delete_comment(self, text: str, what: Mapping[str, Any]) -> Event:
        comment = next(one for one in self.server.comments.values() if one["id"] == int(what["delete_comment"]))
        found = {"owner_id": comment["owner_id"], "id": comment["id"], "user_id": self.number, "post_id": comment["post_id"]}
        return self.server.event("wall_reply_delete", found)


def octets(data: bytes | str) -> bytes:
    """Bytes as they are; from the control plane, base64."""
    return data if isinstance(data, bytes) else base64.b64decode(data, validate=True)
