"""A Cloud API server for one WhatsApp number: checks every call by the documented rules, keeps the 24-hour window, signs webhooks.

Commands besides those of `SocialServer` and `GraphServer`: `status` ({"id": wamid, "status": ..., "error": code?}),
`age` ({"id": guest, "hours": n}: his last message was so long ago), `refuse` ({"id": guest, "code": n}: errors for him),
`template` ({"name", "event", "language", "reason", "why"}: Meta decides on a template).
`guest` takes {"text", "name", "id"} and one of `photo`, `document`, `voice` (bytes, base64 from outside), `location`, `edit`,
`revoke`, `reaction` (emoji), `tap` (a title under `reply_to`), with `reply_to` for an answer; `user_id` and `no_phone` for guests with a
user name, `no_user_id` for events as they were before there were any. `moves` takes {"old", "new", "user_id"}: another number.
"""

import hashlib
import itertools
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.providers.frame import Reply, Request
from tests.providers.meta import APP_SECRET, VERIFY_TOKEN, GraphError, GraphServer
from tests.providers.social import Event, Upload
from tests.providers.telegram_guest import octets
from tests.providers.whatsapp_rules import KINDS, broken_rules, fits, upload_fault

ACCESS_TOKEN, PHONE_NUMBER_ID, BUSINESS_ID = "demo-whatsapp-token", "109900110022", "100200300400"
NUMBER = "74950001122"
WINDOW_SECONDS = 24 * 3600
TEMPLATES: Mapping[tuple[str, str], str] = {
    ("answer_ready", "ru"): "Здравствуйте, {{1}}! Ответ по обращению {{2}} готов.",
    ("order_ready", "ru"): "Заказ {{1}} собран.",
    ("hello_world", "en_US"): "Hello world",
}
"""Name, language and text of the templates that are approved from the start."""
STATUSES = ("APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL", "PENDING_DELETION")


@dataclass
class Template:
    """`more` = components besides the text."""

    name: str
    language: str
    body: str
    status: str = "APPROVED"
    reason: str = "NONE"
    more: Sequence[Mapping[str, Any]] = ()

    def as_json(self, number: int) -> dict[str, Any]:
        told = {"name": self.name, "language": self.language, "status": self.status, "rejected_reason": self.reason, "id": str(number)}
        return {**told, "components": [*self.more, {"type": "BODY", "text": self.body}]}


@dataclass
class Guest:
    wa_id: str
    user_id: str
    name: str
    last_at: float = 0.0
    refused: int = 0
    messages: set[str] = field(default_factory=set)


class WhatsAppServer(GraphServer):
    """`receipts` = the statuses that follow every accepted message by themselves, e.g. ("sent", "delivered")."""

    name = "whatsapp"
    prefix = "/whatsapp"
    object = "whatsapp_business_account"
    throttled_code = 130429
    guest_blocked = GraphError(400, 131026, "Message undeliverable", details="The recipient cannot receive this message")

    def __init__(
        self,
        access_token: str = ACCESS_TOKEN,
        *,
        phone_number_id: str = PHONE_NUMBER_ID,
        business_account_id: str = BUSINESS_ID,
        app_secret: str = APP_SECRET,
        verify_token: str = VERIFY_TOKEN,
        callback: str = "",
        pauses: Sequence[float] = (1.0, 2.0, 4.0),
        receipts: Sequence[str] = (),
    ) -> None:
        super().__init__(access_token, app_secret=app_secret, verify_token=verify_token, callback=callback, pauses=pauses)
        self.phone_number_id, self.business_account_id, self.receipts = phone_number_id, business_account_id, tuple(receipts)
        self.guests: dict[str, Guest] = {}
        self.media: dict[str, Upload] = {}
        self.sent: dict[str, dict[str, Any]] = {}
        self.subscribed = False
        self.templates = approved()
        self.page = 100
        """Templates on a page of the list, at most as many as are asked for."""
        self._media_ids = itertools.count(int(time.time()) * 1000)
        self.commands |= {"status": lambda what: self.deliver(self.status(**what)), "age": self.age, "refuse": self.refuse}
        self.commands["moves"] = lambda what: self.deliver(self.guest_moves(**what))
        self.commands["template"] = lambda what: self.deliver(self.review(**what))

    def perform(self, path: str, request: Request) -> Reply:
        if path.startswith("/lookaside/"):
            return self.lookaside(path.rpartition("/")[2], request)
        return super().perform(path, request)

    def method_of(self, path: str) -> str:
        return "download" if path.startswith("/lookaside/") else super().method_of(path)

    def perform_call(self, request: Request, node: str, edge: str) -> Any:
        call = request.method, "number" if node == self.phone_number_id else "business" if node == self.business_account_id else "", edge
        with self.lock:
            match call:
                case "POST", "number", "messages":
                    return self.message(request)
                case "POST", "number", "media":
                    return self.upload(request)
                case "POST", "number", "":
                    return self.configure(request)
                case "GET", "number", "":
                    return self.describe()
                case "GET", "business", "message_templates":
                    return self.list_templates(request)
                case "POST", "business", "subscribed_apps":
                    self.subscribed = True
                    return {"success": True}
                case "GET", "", "" if node in self.media:
                    return self.media_info(node)
        raise GraphError(400, 100, f"Unsupported {request.method.lower()} request. Object with ID '{node}' does not exist", 33)

    def message(self, request: Request) -> dict[str, Any]:
        body, _ = self.fields(request)
        for sentence in (wrong := broken_rules(body)):
            self.violation(sentence)
        if wrong:
            raise GraphError(400, 100, "Invalid parameter", details="; ".join(wrong))
        kind = body.get("type", "text")
        guest = self.guest_by(str(body.get("to", "")).lstrip("+"), str(body.get("recipient", "")))
        self.check_media(kind, body)
        self.check_template(body) if kind == "template" else self.check_window(guest)
        if guest and guest.refused:
            raise GraphError(400, guest.refused, "Refused on demand")
        reply_to = body.get("context", {}).get("message_id", "")
        if reply_to and (guest is None or reply_to not in guest.messages):
            raise self.broken(f"context.message_id {reply_to} is no message of this conversation", 131009)
        return self.accept(body, kind, guest, reply_to)

    def accept(self, body: Mapping[str, Any], kind: str, guest: Guest | None, reply_to: str) -> dict[str, Any]:
        key = f"wamid.OUT{next(self.numbers)}=="
        content, to = body[kind], body.get("to") or body.get("recipient")
        file = self.media.get(content.get("id", "")) if kind in KINDS else None
        self.sent[key] = {"guest": guest, "to": to, "ours": body.get("biz_opaque_callback_data"), "content": content}
        if guest:
            guest.messages.add(key)
        self.accepted.add(
            {
                "id": key,
                "to": to,
                "type": kind,
                "text": content["body"]["text"] if kind == "interactive" else content.get("body") or content.get("caption", ""),
                "files": [{**file.as_json(), "name": content.get("filename", file.name)}] if file else [],
                "choices": [title for _, title, _ in self.shown_in(content)],
                "template": content if kind == "template" else None,
                "reply_to": reply_to,
                "key": body.get("biz_opaque_callback_data"),
            }
        )
        for receipt in self.receipts:
            self.emit(self.status(key, receipt))
        user = {"user_id": guest.user_id} if guest and guest.user_id else {}
        return {"messaging_product": "whatsapp", "contacts": [{"input": to, "wa_id": to, **user}], "messages": [{"id": key}]}

    @staticmethod
    def shown_in(content: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """Kind, title and id of every choice of an interactive message."""
        action = content.get("action", {})
        buttons = [("button_reply", one["reply"]["title"], one["reply"]["id"]) for one in action.get("buttons", [])]
        rows = [row for section in action.get("sections", []) for row in section["rows"]]
        return [*buttons, *(("list_reply", row["title"], row["id"]) for row in rows)]

    def chosen(self, what: Mapping[str, Any]) -> dict[str, Any]:
        """What a guest chose under our message `reply_to`; StopIteration if nothing there is called so."""
        shown = self.shown_in(self.sent[what["reply_to"]]["content"])
        kind, title, key = next(one for one in shown if one[1] == what["tap"])
        return {"type": "interactive", "interactive": {"type": kind, kind: {"id": key, "title": title}}}

    def check_media(self, kind: str, body: Mapping[str, Any]) -> None:
        if kind not in KINDS:
            return
        stored = self.media.get(body[kind].get("id", ""))
        if stored is None or not fits(kind, stored.mime):
            raise self.broken(f"{kind}: no such media, or of another type", 131053)

    def check_template(self, body: Mapping[str, Any]) -> None:
        template = body["template"]
        found = self.templates.get((template["name"], template["language"]["code"]))
        if found is None or found.status not in ("APPROVED", "PAUSED"):
            raise GraphError(404, 132001, "Template name does not exist in the translation")
        if found.status == "PAUSED":
            raise GraphError(400, 132015, "Template is paused")
        places = len(set(re.findall(r"\{\{\d+\}\}", found.body)))
        bodies = [part for part in template.get("components", []) if part["type"] == "body"]
        if sum(len(part.get("parameters", [])) for part in bodies) != places:
            raise GraphError(400, 132000, "Number of parameters does not match the expected number of params")

    def list_templates(self, request: Request) -> dict[str, Any]:
        """A page of the list; `after` is where the page before ended."""
        known = {"name", "language", "status", "rejected_reason", "components", "category", "id"}
        asked = set(request.query.get("fields", "").split(","))
        if asked - known or set(request.query) - {"fields", "limit", "after", "before", "name", "status"}:
            raise self.broken(f"message_templates: unknown fields {sorted(asked - known)} or parameters")
        start, size = int(request.query.get("after") or 0), min(self.page, int(request.query.get("limit", "25")))
        rows = [one.as_json(number) for number, one in enumerate(self.templates.values(), 1)]
        shown = [{name: value for name, value in row.items() if name in asked | {"id"}} for row in rows[start : start + size]]
        end = str(start + len(shown))
        more = {"next": f"{self.base_url}{self.prefix}/v24.0/next"} if int(end) < len(rows) else {}
        return {"data": shown, "paging": {"cursors": {"before": str(start), "after": end}, **more}}

    def review(self, name: str, event: str, language: str = "ru", reason: str = "NONE", why: str = "") -> Event:
        """Meta decides on a template: its list changes, and the event of it."""
        with self.lock:
            one = self.templates[(name, language)]
            one.status, one.reason = event if event in STATUSES else one.status, reason
        value: dict[str, Any] = {"event": event, "message_template_id": 594425479261596, "message_template_name": name}
        value |= {"message_template_language": language, "reason": reason}
        value |= {"other_info": {"title": "FIRST_PAUSE", "description": why}} if why else {}
        change = {"field": "message_template_status_update", "value": value}
        return self.event(
            {"object": self.object, "entry": [{"id": self.business_account_id, "time": int(time.time()), "changes": [change]}]}
        )

    def check_window(self, guest: Guest | None) -> None:
        if guest is None or time.time() - guest.last_at > WINDOW_SECONDS:
            details = "More than 24 hours have passed since the recipient last replied to the sender number."
            raise GraphError(400, 131047, "Re-engagement message", details=details)

    def upload(self, request: Request) -> dict[str, str]:
        fields, files = self.fields(request)
        file = files.get("file")
        if file is None or fields.get("messaging_product") != "whatsapp" or fields.get("type") != file.mime:
            raise self.broken("media: file, its type or messaging_product is missing")
        if fault := upload_fault(file.mime, file.data):
            raise self.broken(f"media: {fault}", 131053)
        key = str(next(self._media_ids))
        self.media[key] = file
        return {"id": key}

    def media_info(self, key: str) -> dict[str, Any]:
        file = self.media[key]
        digest = hashlib.sha256(file.data).hexdigest()
        url = f"{self.base_url}{self.prefix}/lookaside/{key}"
        told = {"mime_type": file.mime, "sha256": digest, "file_size": len(file.data)}
        return {"messaging_product": "whatsapp", "id": key, "url": url, **told}

    def lookaside(self, key: str, request: Request) -> Reply:
        """The file itself, for the bearer of the token only."""
        try:
            self.check_token(request)
        except GraphError:
            return Reply(401)
        file = self.media.get(key)
        return Reply(body=file.data, content_type=file.mime) if file else Reply(404)

    def describe(self) -> dict[str, Any]:
        found: dict[str, Any] = {"id": self.phone_number_id, "display_phone_number": "+7 495 000-11-22", "verified_name": "Лукошко"}
        found["quality_rating"] = "GREEN"
        return found | ({"webhook_configuration": {"phone_number": self.callback}} if self.callback else {})

    def configure(self, request: Request) -> dict[str, bool]:
        """The number's own webhook: tried before it is taken."""
        override, _ = self.fields(request)
        wanted = override.get("webhook_configuration", {})
        address, token = wanted.get("override_callback_uri", ""), wanted.get("verify_token", "")
        if not self.handshake(address, token):
            raise GraphError(400, 2200, "Callback verification failed")
        self.callback, self.verify_token = address, token
        return {"success": True}

    def guest_by(self, wa_id: str, user_id: str) -> Guest | None:
        found = (guest for guest in self.guests.values() if (wa_id and guest.wa_id == wa_id) or (user_id and guest.user_id == user_id))
        return next(found, None)

    def guest_says(self, text: str = "", *, id: Any = "79001112233", name: str = "Анна", **what: Any) -> list[Event]:
        """A guest does something; the event, signed. See the module's docstring."""
        with self.lock:
            guest = self.guests.setdefault(str(id), Guest(str(id), what.get("user_id") or f"RU.{id}", name))
            guest.name, guest.last_at = name, time.time()
            key = f"wamid.IN{next(self.numbers)}=="
            guest.messages.add(key)
            phone = {} if what.get("no_phone") else {"from": guest.wa_id}
            user = {} if what.get("no_user_id") else {"user_id": guest.user_id}
            named = {f"from_{name}": value for name, value in user.items()}
            message = {**phone, **named, "id": key, "timestamp": str(int(time.time())), **self.content(text, what)}
            if what.get("reply_to"):
                message["context"] = {"from": NUMBER, "id": what["reply_to"]}
            card = {"profile": {"name": guest.name}, **user} | ({"wa_id": guest.wa_id} if phone else {})
            return [self.event(self.body({"contacts": [card], "messages": [message]}))]

    def guest_moves(self, old: str, new: str, *, user_id: str = "") -> Event:
        """The notice that a guest has another number."""
        with self.lock:
            self.guests.setdefault(new, Guest(new, user_id or f"RU.{new}", "Анна", time.time()))
            system = {"type": "user_changed_number", "body": f"User changed from {old} to {new}", "wa_id": new}
            user = {"from_user_id": user_id} if user_id else {}
            key = f"wamid.SYS{next(self.numbers)}=="
            message = {"from": old, **user, "id": key, "timestamp": str(int(time.time())), "type": "system", "system": system}
            return self.event(self.body({"messages": [message]}))

    def content(self, text: str, what: Mapping[str, Any]) -> dict[str, Any]:
        files = (("photo", "photo.jpg", "image/jpeg"), ("voice", "", "audio/ogg"), ("document", "чек.pdf", "application/pdf"))
        for kind, name, mime in files:
            if what.get(kind):
                return self.file(kind, octets(what[kind]), what.get("file_name") or name, what.get("mime") or mime, text)
        if what.get("tap"):
            return self.chosen(what)
        if what.get("location"):
            return {"type": "location", "location": what["location"]}
        if what.get("edit"):
            return {"type": "edit", "edit": {"original_message_id": what["edit"], "message": {"type": "text", "text": {"body": text}}}}
        if what.get("revoke"):
            return {"type": "revoke", "revoke": {"original_message_id": what["revoke"]}}
        if what.get("reaction"):
            return {"type": "reaction", "reaction": {"message_id": what["reply_to"], "emoji": what["reaction"]}}
        if not text:
            raise ValueError("nothing said: text, photo, document, voice, location, edit, revoke or reaction is needed")
        return {"type": "text", "text": {"body": text}}

    def file(self, kind: str, data: bytes, name: str, mime: str, caption: str) -> dict[str, Any]:
        key = str(next(self._media_ids))
        self.media[key] = Upload(name, mime, data)
        wire = {"photo": "image", "voice": "audio"}.get(kind, kind)
        media: dict[str, Any] = {"id": key, "mime_type": mime, "sha256": hashlib.sha256(data).hexdigest()}
        if kind == "voice":
            media["voice"] = True
        elif caption:
            media["caption"] = caption
        return {"type": wire, wire: media | ({"filename": name} if kind == "document" else {})}

    def body(self, value: Mapping[str, Any]) -> dict[str, Any]:
        metadata = {"display_phone_number": NUMBER, "phone_number_id": self.phone_number_id}
        whole = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        return {"object": self.object, "entry": [{"id": self.business_account_id, "changes": [{"field": "messages", "value": whole}]}]}

    def status(self, id: str, status: str, error: int = 0) -> Event:
        """The event of a status of our message."""
        sent = self.sent[id]
        guest = sent["guest"]
        found: dict[str, Any] = {"id": id, "status": status, "timestamp": str(int(time.time())), "recipient_id": sent["to"]}
        found |= {"recipient_user_id": guest.user_id} if guest and guest.user_id else {}
        found |= {"biz_opaque_callback_data": sent["ours"]} if sent["ours"] else {}
        if error:
            found["errors"] = [{"code": error, "title": "Message undeliverable", "error_data": {"details": "Refused on demand"}}]
        return self.event(self.body({"statuses": [found]}))

    def age(self, what: Mapping[str, Any]) -> None:
        self.guests[str(what["id"])].last_at = time.time() - float(what["hours"]) * 3600

    def refuse(self, what: Mapping[str, Any]) -> None:
        self.guests[str(what["id"])].refused = int(what["code"])

    def reset(self) -> None:
        super().reset()
        with self.lock:
            for held in (self.guests, self.media, self.sent):
                held.clear()
            self.templates, self.page = approved(), 100


def approved() -> dict[tuple[str, str], Template]:
    return {key: Template(*key, body) for key, body in TEMPLATES.items()}
