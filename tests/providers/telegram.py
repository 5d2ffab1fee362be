"""A Bot API server (https://core.telegram.org/bots/api): checks every call by the documented rules, delivers updates to the webhook.

Commands of the control plane besides the shared ones: `guest` (a guest says something, see `TelegramServer.guest_says`; bytes in
base64), `push` ({"update": ...} goes to the webhook as it is), `chat` (change a chat: `state`, `migrated_to`), `redeliver`.
"""

import hmac
import itertools
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.providers.frame import Journal, Provider, Reply, Request, json_reply, spoil
from tests.providers.telegram_answers import error_reply, journal_entry, refusal
from tests.providers.telegram_guest import Guest, payloads
from tests.providers.telegram_rules import (
    ACTIONS,
    METHODS,
    BotError,
    Call,
    Upload,
    checked_caption,
    checked_text,
    checked_upload,
    read_call,
)
from tests.providers.telegram_state import Chat, Membership, State
from tests.providers.telegram_webhook import Delivery, Webhook

TOKEN = "700000001:demo-token-of-the-provider-server"
RETRY_PAUSES = (1.0, 2.0, 4.0)


class TelegramServer(Provider):
    """One bot. `limits` switches the pace limits on; `pauses` are the seconds between tries of a webhook."""

    name = "telegram"

    def __init__(self, token: str = TOKEN, *, limits: bool = False, pauses: Sequence[float] = RETRY_PAUSES) -> None:
        super().__init__()
        self.token = token
        self.limits = limits
        self.state = State(int(token.partition(":")[0]) if token[:1].isdigit() else 700000001)
        self.webhook = Webhook(pauses)
        self.actions = Journal()
        # Behind those of an earlier run: the product keeps its base and knows them.
        self._updates = itertools.count(int(time.time()))
        self.commands |= {
            "guest": lambda what: [delivery.as_json() for delivery in self.guest_says(**what)],
            "push": lambda what: self.push(what["update"]).as_json(),
            "chat": self.change_chat,
            "redeliver": lambda _: [delivery.as_json() for delivery in self.webhook.redeliver()],
        }

    def handle(self, request: Request) -> Reply | None:
        api = re.fullmatch(r"/bot([^/]+)/(\w+)", request.path)
        file = re.fullmatch(r"/file/bot([^/]+)/(.+)", request.path)
        if api:
            return self.call(api[1], api[2], request)
        return self.download(file[1], file[2]) if file else None

    def call(self, token: str, method: str, request: Request) -> Reply:
        fault = self.faults.take(method)
        if fault is None:
            return self.perform(token, method, request)
        return spoil(fault, lambda: self.perform(token, method, request), refusal)

    def perform(self, token: str, method: str, request: Request) -> Reply:
        try:
            self.check_token(token)
            if method not in METHODS:
                self.violation(f"no method {method}")
                raise BotError(404, "Not Found")
            return json_reply({"ok": True, "result": self.result(method, request)})
        except BotError as error:
            return error_reply(error.code, error.description, **error.parameters)

    def result(self, method: str, request: Request) -> Any:
        call = Call(method)
        try:
            read_call(call, request)
            with self.state.lock:
                return PERFORMERS[method](self, call)
        finally:
            for text in call.broken:
                self.violation(text)

    def check_token(self, token: str) -> None:
        if not re.fullmatch(r"\d+:[\w-]+", token):
            raise BotError(404, "Not Found")
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            raise BotError(401, "Unauthorized")

    def download(self, token: str, path: str) -> Reply:
        fault = self.faults.take("download")
        stored = next((file for file in list(self.state.files.values()) if file.path == path), None)
        if token != self.token or stored is None:
            return error_reply(404, "Not Found")
        whole = Reply(body=stored.data, content_type="application/octet-stream")
        return spoil(fault, lambda: whole, refusal) if fault else whole

    def send(self, call: Call, contents: Sequence[tuple[dict[str, Any], list[Upload]]]) -> list[dict[str, Any]]:
        """Accept the messages of one call: each goes into the chat and into the journal."""
        chat = self.state.chat_for_sending(call.params["chat_id"])
        if self.limits:
            self.state.pace.check(chat.id, len(contents))
        extra = self.replied(call, chat)
        if "reply_markup" in call.params:
            extra["reply_markup"] = call.params["reply_markup"]
        messages = []
        for content, uploads in contents:
            message = self.state.new_message(chat, self.state.bot, {**content, **extra})
            self.accepted.add(journal_entry(call.method, message, uploads))
            messages.append(message)
        return messages

    def replied(self, call: Call, chat: Chat) -> dict[str, Any]:
        parameters = call.params.get("reply_parameters")
        if not parameters:
            return {}
        message = chat.messages.get(parameters.get("message_id"))
        if message is None and not parameters.get("allow_sending_without_reply"):
            raise BotError(400, "Bad Request: message to be replied not found")
        return {"reply_to_message": {key: message[key] for key in message if key != "reply_to_message"}} if message else {}

    def guest_says(self, chat_id: int, text: str = "", *, first_name: str = "", wait: bool = True, **what: Any) -> list[Delivery]:
        """A guest does something in his chat; the update goes to the webhook, once for each picture of an album.

        One of: `text`, `photo` (bytes), `album` (list of bytes), `document` (bytes, with `name`, `mime`), `contact` (his number),
        `edit` (message id, with `text`), `reply_to` (message id, with `text`), `press` (data, with `reply_to`), `block` (bool);
        `caption` goes with files. Returns the fate of each update; with `wait=False` it is delivered in the background.
        """
        with self.state.lock:
            chat = self.state.chats.setdefault(int(chat_id), Chat(int(chat_id)))
            chat.first_name = first_name or chat.first_name
            found = payloads(Guest(self.state, chat), {"text": text, **what})
            updates = [{"update_id": next(self._updates), **payload} for payload in found]
        if wait:
            return [self.webhook.deliver(update) for update in updates]
        threading.Thread(target=lambda: [self.webhook.deliver(update) for update in updates], daemon=True).start()
        return [Delivery(update) for update in updates]

    def push(self, update: Mapping[str, Any]) -> Delivery:
        """Deliver any update; it is numbered if it has no update_id."""
        return self.webhook.deliver({"update_id": next(self._updates), **update})

    def change_chat(self, what: Mapping[str, Any]) -> dict[str, Any]:
        with self.state.lock:
            chat = self.state.chats.setdefault(int(what["chat_id"]), Chat(int(what["chat_id"])))
            chat.state = Membership(what.get("state", chat.state))
            chat.migrated_to = what.get("migrated_to", chat.migrated_to)
            return chat.as_json()

    def reset(self) -> None:
        """Forget chats, files and journals; the webhook stays registered, update and message numbers go on."""
        super().reset()
        self.actions.clear()
        self.state.clear()
        self.webhook.forget()

    def stop(self) -> None:
        self.webhook.stop()


def send_message(server: TelegramServer, call: Call) -> Any:
    return server.send(call, [({"text": checked_text(call)}, [])])[0]


def send_photo(server: TelegramServer, call: Call) -> Any:
    return server.send(call, [media_content(server, call, "photo", call.uploads.get("photo"), call.params)])[0]


def send_document(server: TelegramServer, call: Call) -> Any:
    return server.send(call, [media_content(server, call, "document", call.uploads.get("document"), call.params)])[0]


def send_media_group(server: TelegramServer, call: Call) -> Any:
    """2-10 items; documents and audio only among themselves."""
    media = call.params["media"]
    kinds = {item.get("type") for item in media}
    if not 2 <= len(media) <= 10 or (kinds - {"photo", "video"} and len(kinds) > 1):
        call.broken.append(f"sendMediaGroup: {len(media)} items of {sorted(map(str, kinds))}")
        raise BotError(400, "Bad Request: group must have 2-10 items of kinds that go together")
    contents = [media_content(server, call, item["type"], attachment(call, item), item) for item in media]
    group = f"2468{next(server.state.numbers)}"
    return server.send(call, [({**content, "media_group_id": group}, uploads) for content, uploads in contents])


def attachment(call: Call, item: Mapping[str, Any]) -> Upload | None:
    return call.uploads.get(str(item.get("media", "")).removeprefix("attach://"))


def media_content(
    server: TelegramServer, call: Call, kind: str, upload: Upload | None, source: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Upload]]:
    """The content of one photo or document. Files by id or address are not what this product sends."""
    if upload is None:
        call.broken.append(f"{call.method}: {kind} without an uploaded file")
        raise BotError(400, "Bad Request: wrong file identifier/HTTP URL specified")
    checked_upload(call, upload, photo=kind == "photo")
    caption = checked_caption(call, source)
    if kind == "photo":
        content: dict[str, Any] = {"photo": server.state.photo_sizes(upload.name, upload.data)}
    else:
        stored = server.state.store(upload.name, upload.mime, upload.data, "documents")
        content = {kind: {**stored.as_json(), "file_name": upload.name, "mime_type": upload.mime}}
    return content | ({"caption": caption} if caption else {}), [upload]


def own_message(server: TelegramServer, call: Call, missing: str) -> tuple[Chat, dict[str, Any]]:
    chat = server.state.chat_for_sending(call.params.get("chat_id"))
    message = chat.messages.get(call.params.get("message_id", 0))
    if message is None:
        raise BotError(400, f"Bad Request: {missing}")
    return chat, message


def edit_message_text(server: TelegramServer, call: Call) -> Any:
    _, message = own_message(server, call, "message to edit not found")
    text = checked_text(call)
    if message["from"] != server.state.bot:
        raise BotError(400, "Bad Request: message can't be edited")
    if message.get("text") == text:
        raise BotError(400, "Bad Request: message is not modified")
    message |= {"text": text, "edit_date": message["date"]}
    server.accepted.add(journal_entry(call.method, message, []))
    return message


def delete_message(server: TelegramServer, call: Call) -> Any:
    chat, message = own_message(server, call, "message to delete not found")
    del chat.messages[message["message_id"]]
    server.accepted.add(journal_entry(call.method, message, []))
    return True


def send_chat_action(server: TelegramServer, call: Call) -> Any:
    chat = server.state.chat_for_sending(call.params["chat_id"])
    if call.params["action"] not in ACTIONS:
        call.broken.append(f"sendChatAction: {call.params['action']}")
        raise BotError(400, "Bad Request: wrong parameter action in request")
    server.actions.add({"method": call.method, "chat_id": chat.id, "action": call.params["action"]})
    return True


def answer_callback_query(server: TelegramServer, call: Call) -> Any:
    query_id = call.params["callback_query_id"]
    if query_id not in server.state.queries:
        raise BotError(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    server.state.queries.discard(query_id)
    server.actions.add({"method": call.method, "callback_query_id": query_id})
    return True


def get_file(server: TelegramServer, call: Call) -> Any:
    stored = server.state.file_to_fetch(call.params["file_id"])
    return {**stored.as_json(), "file_path": stored.path}


def set_webhook(server: TelegramServer, call: Call) -> Any:
    if not call.params["url"]:
        return delete_webhook(server, call)
    server.webhook.register(call.params)
    threading.Thread(target=server.webhook.redeliver, daemon=True).start()
    return True


def delete_webhook(server: TelegramServer, call: Call) -> Any:
    server.webhook.url = ""
    server.webhook.drop_or_keep(call.params)
    return True


PERFORMERS: Mapping[str, Callable[[TelegramServer, Call], Any]] = {
    "getMe": lambda server, _: server.state.bot,
    "getWebhookInfo": lambda server, _: server.webhook.info(),
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendMediaGroup": send_media_group,
    "editMessageText": edit_message_text,
    "deleteMessage": delete_message,
    "sendChatAction": send_chat_action,
    "answerCallbackQuery": answer_callback_query,
    "getFile": get_file,
}
