"""A Graph API server for one Facebook page: Messenger's Send API and the page's comments, checked by the documented rules.

Commands besides those of `SocialServer` and `GraphServer`: `receipt` ({"mids": [...], "kind": "delivery" | "read"}), `echo` ({"mid"}),
`age` ({"id": guest, "hours": n}: his last message was so long ago), `refuse` ({"id": guest, "code": n, "subcode": n}).
`guest` takes {"text", "name", "id"} and `photo`, `document` (bytes), `press` (a button's title), `staff` (true: the page's people answer
in Meta's inbox), `tap` (the title of a quick reply that is shown) or `comment` (true, or the comment
that is answered), with `edit` and `remove` (ids) for what was said before.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.providers.frame import Request
from tests.providers.meta import APP_SECRET, VERIFY_TOKEN, GraphError, GraphServer
from tests.providers.social import Event, Upload
from tests.providers.telegram_guest import octets

ACCESS_TOKEN, PAGE_ID, APP_ID = "demo-page-token", "112233445566", "998877665544"
TEXT_LIMIT, COMMENT_LIMIT, FILE_BYTES = 2000, 8000, 25 * 1024 * 1024
DAY = 24 * 3600
TYPES = ("image", "video", "audio", "file")
FIELDS = frozenset({"recipient", "message", "messaging_type", "tag", "sender_action", "notification_type", "filedata"})


@dataclass
class Guest:
    psid: str
    name: str
    last_at: float = 0.0
    refused: tuple[int, int] | None = None
    shown: Mapping[str, str] = field(default_factory=dict)
    """Title and payload of the quick replies under our last message."""


class FacebookServer(GraphServer):
    """`human_agent` = the page may answer for 7 days with that tag; `echoes` = our messages come back as echoes by themselves."""

    name = "facebook"
    prefix = "/facebook"
    object = "page"
    throttled_code = 613

    def __init__(
        self,
        access_token: str = ACCESS_TOKEN,
        *,
        page_id: str = PAGE_ID,
        app_secret: str = APP_SECRET,
        verify_token: str = VERIFY_TOKEN,
        callback: str = "",
        pauses: Sequence[float] = (1.0, 2.0, 4.0),
        human_agent: bool = False,
        echoes: bool = False,
    ) -> None:
        super().__init__(access_token, app_secret=app_secret, verify_token=verify_token, callback=callback, pauses=pauses)
        self.page_id, self.human_agent, self.echoes = page_id, human_agent, echoes
        self.guests: dict[str, Guest] = {}
        self.comments: dict[str, dict[str, Any]] = {}
        self.sent: dict[str, dict[str, Any]] = {}
        self.subscribed: list[str] = []
        self.commands |= {
            "receipt": lambda what: self.deliver(self.receipt(**what)),
            "echo": lambda what: self.deliver(self.echo(what["mid"])),
            "age": self.age,
            "refuse": self.refuse,
        }

    def perform_call(self, request: Request, node: str, edge: str) -> Any:
        own = node in (self.page_id, "me")
        with self.lock:
            match request.method, edge:
                case "POST", "messages" if own:
                    return self.message(request)
                case "POST", "comments" if node in self.comments:
                    return self.comment(request, node)
                case "GET", "" if own:
                    return {"id": self.page_id, "name": "Лукошко"}
                case "GET", "" if node in self.guests:
                    return self.profile(request, self.guests[node])
                case "GET", "subscribed_apps" if own:
                    return {"data": [{"id": APP_ID, "name": "Otklik", "subscribed_fields": self.subscribed}] if self.subscribed else []}
                case "POST", "subscribed_apps" if own:
                    self.subscribed = str(self.fields(request)[0].get("subscribed_fields", "")).split(",")
                    return {"success": True}
        raise GraphError(400, 100, f"Unsupported {request.method.lower()} request. Object with ID '{node}' does not exist", 33)

    def profile(self, request: Request, guest: Guest) -> dict[str, str]:
        """The User Profile API: only the fields that are asked for, and only those there are."""
        first, _space, last = guest.name.partition(" ")
        told = {"id": guest.psid, "first_name": first, "last_name": last}
        asked = request.query.get("fields", "").split(",")
        if unknown := set(asked) - {*told, "profile_pic", "locale", "timezone", "gender", "name"}:
            raise self.broken(f"profile: unknown fields {sorted(unknown)}")
        return {name: value for name, value in told.items() if value and (name in asked or name == "id")}

    def message(self, request: Request) -> dict[str, str]:
        body, files = self.fields(request)
        unknown = set(body) | set(files)
        if unknown - FIELDS:
            raise self.broken(f"messages: unknown fields {sorted(unknown - FIELDS)}")
        psid = str(body.get("recipient", {}).get("id", ""))
        content = body.get("message")
        if not isinstance(content, dict):
            raise self.broken("messages: message is missing")
        guest = self.guests.get(psid)
        if guest is None:
            raise GraphError(400, 100, "No matching user found", 2018001)
        if guest.refused:
            raise GraphError(400, guest.refused[0], "Refused on demand", guest.refused[1])
        self.check_content(content, files)
        self.check_window(guest, body)
        return self.accept(guest, body, content, files)

    def check_content(self, content: Mapping[str, Any], files: Mapping[str, Upload]) -> None:
        text, attachment = content.get("text"), content.get("attachment")
        if (text is None) == (attachment is None):
            raise self.broken("message: either text or attachment")
        if text is not None and not (isinstance(text, str) and text.strip() and len(text) <= TEXT_LIMIT):
            raise self.broken(f"message.text: 1-{TEXT_LIMIT} characters")
        self.check_replies(content.get("quick_replies"), text)
        if attachment is not None and (attachment.get("type") not in TYPES or "filedata" not in files):
            raise self.broken("message.attachment: unknown type, or no filedata")
        if files and not 0 < len(files["filedata"].data) <= FILE_BYTES:
            raise GraphError(400, 100, "Attachment size exceeds allowable limit", 2018109)

    def check_replies(self, shown: Any, text: Any) -> None:
        """Quick replies: 1-13, titles of at most 20 characters, payloads of at most 1000, with a text."""
        if shown is None:
            return
        fit = isinstance(shown, list) and 1 <= len(shown) <= 13 and text is not None
        if not fit or not all(set(one) == {"content_type", "title", "payload"} and one["content_type"] == "text" for one in shown):
            raise self.broken("message.quick_replies: 1-13 of the type text, each with title and payload")
        if not all(1 <= len(one["title"]) <= 20 and 1 <= len(one["payload"]) <= 1000 for one in shown):
            raise self.broken("message.quick_replies: titles of 20, payloads of 1000 characters at most")

    def check_window(self, guest: Guest, body: Mapping[str, Any]) -> None:
        kind, passed = body.get("messaging_type"), time.time() - guest.last_at
        if kind not in ("RESPONSE", "MESSAGE_TAG"):
            raise self.broken("messaging_type must be RESPONSE or MESSAGE_TAG")
        tagged = kind == "MESSAGE_TAG"
        if tagged and (body.get("tag") != "HUMAN_AGENT" or not self.human_agent):
            raise GraphError(403, 10, "Application does not have permission for this action")
        if passed > (7 * DAY if tagged else DAY):
            raise GraphError(403, 10, "This message is sent outside of allowed window.", 2018278)

    def accept(self, guest: Guest, body: Mapping[str, Any], content: Mapping[str, Any], files: Mapping[str, Upload]) -> dict[str, str]:
        mid = f"m_OUT{next(self.numbers)}"
        self.sent[mid] = {"guest": guest.psid, "text": content.get("text", ""), "key": content.get("metadata", "")}
        guest.shown = {one["title"]: one["payload"] for one in content.get("quick_replies", [])}
        self.accepted.add(
            {
                "id": mid,
                "to": guest.psid,
                "text": content.get("text", ""),
                "type": content.get("attachment", {}).get("type", "text"),
                "choices": [one["title"] for one in content.get("quick_replies", [])],
                "files": [file.as_json() for file in files.values()],
                "tag": body.get("tag", ""),
                "key": content.get("metadata", ""),
                "comment": "",
            }
        )
        if self.echoes:
            self.emit(self.echo(mid))
        return {"recipient_id": guest.psid, "message_id": mid}

    def comment(self, request: Request, parent: str) -> dict[str, str]:
        body, files = self.fields(request)
        if set(body) - {"message"} or set(files) - {"source"}:
            raise self.broken(f"comments: unknown fields {sorted({*body, *files})}")
        text = body.get("message", "")
        if not isinstance(text, str) or len(text) > COMMENT_LIMIT or not (text.strip() or files):
            raise self.broken("comments: neither a message nor a picture, or too long")
        key = self.new_comment(parent, {"id": self.page_id, "name": "Лукошко"}, text)
        entry = {"id": key, "to": parent, "text": text, "type": "comment", "tag": "", "key": "", "comment": parent}
        self.accepted.add({**entry, "files": [file.as_json() for file in files.values()]})
        if self.echoes:
            self.emit(self.change(key, "add"))
        return {"id": key}

    def new_comment(self, parent: str, author: Mapping[str, str], text: str) -> str:
        post = self.comments[parent]["post_id"] if parent in self.comments else parent
        key = f"{post.partition('_')[2] or post}_{next(self.numbers)}"
        self.comments[key] = {"post_id": post, "parent_id": parent, "from": dict(author), "message": text, "created_time": int(time.time())}
        return key

    def guest_says(self, text: str = "", *, id: Any = "24700000001", name: str = "Анна", **what: Any) -> list[Event]:
        """A guest does something; the event, signed. See the module's docstring."""
        with self.lock:
            guest = self.guests.setdefault(str(id), Guest(str(id), name))
            guest.name = name
            if what.get("comment") or what.get("remove"):
                return [self.feed(guest, text, what)]
            guest.last_at = time.time()
            if what.get("staff"):
                return [self.typed_in_inbox(guest, text)]
            if what.get("tap"):
                return [self.messaging(guest.psid, self.tapped(guest, str(what["tap"])))]
            return [self.messaging(guest.psid, self.said(text, what))]

    def typed_in_inbox(self, guest: Guest, text: str) -> Event:
        """Somebody of the page's answers in Meta's inbox: an echo of Meta's own app, without our metadata."""
        message = {"mid": f"m_OUT{next(self.numbers)}", "is_echo": True, "app_id": 26390203743090, "text": text}
        return self.messaging(guest.psid, {"message": message}, echo=True)

    def tapped(self, guest: Guest, title: str) -> dict[str, Any]:
        """A quick reply that is shown: KeyError for any other."""
        payload = guest.shown[title]
        guest.shown = {}
        return {"message": {"mid": f"m_IN{next(self.numbers)}", "text": title, "quick_reply": {"payload": payload}}}

    def said(self, text: str, what: Mapping[str, Any]) -> dict[str, Any]:
        mid = f"m_IN{next(self.numbers)}"
        if what.get("edit"):
            return {"message_edit": {"mid": what["edit"], "text": text, "num_edit": 1}}
        if what.get("press"):
            return {"postback": {"mid": mid, "title": what["press"], "payload": what.get("payload", "PAYLOAD")}}
        message: dict[str, Any] = {"mid": mid} | ({"text": text} if text else {})
        for kind, wire, name, mime in (("photo", "image", "photo.jpg", "image/jpeg"), ("document", "file", "чек.pdf", "application/pdf")):
            if what.get(kind):
                url = self.store(octets(what[kind]), what.get("file_name") or name, what.get("mime") or mime)
                message["attachments"] = [{"type": wire, "payload": {"url": url}}]
        if len(message) == 1:
            raise ValueError("nothing said: text, photo, document, press, comment, edit or remove is needed")
        return {"message": message | ({"reply_to": {"mid": what["reply_to"]}} if what.get("reply_to") else {})}

    def messaging(self, psid: str, payload: Mapping[str, Any], *, echo: bool = False) -> Event:
        ends = [{"id": psid}, {"id": self.page_id}]
        sender, recipient = reversed(ends) if echo else ends
        member = {"sender": sender, "recipient": recipient, "timestamp": int(time.time() * 1000), **payload}
        return self.event({"object": "page", "entry": [{"id": self.page_id, "time": int(time.time() * 1000), "messaging": [member]}]})

    def feed(self, guest: Guest, text: str, what: Mapping[str, Any]) -> Event:
        if what.get("remove"):
            return self.change(what["remove"], "remove")
        if what.get("edit"):
            self.comments[what["edit"]]["message"] = text
            return self.change(what["edit"], "edited")
        parent = what["comment"] if isinstance(what["comment"], str) else f"{self.page_id}_700100200"
        return self.change(self.new_comment(parent, {"id": guest.psid, "name": guest.name}, text), "add")

    def change(self, key: str, verb: str) -> Event:
        value = {"item": "comment", "verb": verb, "comment_id": key, **self.comments[key]}
        if verb == "remove":
            value.pop("message")
        entry = {"id": self.page_id, "time": int(time.time()), "changes": [{"field": "feed", "value": value}]}
        return self.event({"object": "page", "entry": [entry]})

    def receipt(self, mids: Sequence[str], kind: str = "delivery") -> Event:
        """The receipt of our messages to one guest."""
        watermark = {"watermark": int(time.time() * 1000)}
        return self.messaging(self.sent[mids[0]]["guest"], {kind: watermark | ({"mids": list(mids)} if kind == "delivery" else {})})

    def echo(self, mid: str) -> Event:
        sent = self.sent[mid]
        message = {"mid": mid, "is_echo": True, "app_id": int(APP_ID), "text": sent["text"], "metadata": sent["key"]}
        return self.messaging(sent["guest"], {"message": message}, echo=True)

    def age(self, what: Mapping[str, Any]) -> None:
        self.guests[str(what["id"])].last_at = time.time() - float(what["hours"]) * 3600

    def refuse(self, what: Mapping[str, Any]) -> None:
        self.guests[str(what["id"])].refused = int(what["code"]), int(what.get("subcode", 0))

    def reset(self) -> None:
        super().reset()
        with self.lock:
            for held in (self.guests, self.comments, self.sent, self.subscribed):
                held.clear()


def mids_of(event: Event) -> list[str]:
    """The ids in an event of messages."""
    return [member["message"]["mid"] for entry in json.loads(event.body)["entry"] for member in entry["messaging"]]
