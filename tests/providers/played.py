"""Guests of every channel in one form, for the phone's page and `manage.py guest`: what they say, and what they are answered.

GET  /phone/channels                         the channels there are, and what a guest can do in each
POST /phone/say                              {"channel", "id", "name", "text", "photo"?, "document"?, "title"?, "stars"?}
     or {"tap": a button that was shown, "reply_to": the message it is under}
GET  /phone/talk?channel=&id=&after=&wait=   both sides of one talk; waits for news after number `after` of the server's journal
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.providers.frame import Provider, Reply, Request, control, json_reply
from tests.providers.max import DIALOGUES

MESSENGERS, SHOPS, REVIEWS, CALLS, NOTICES = "Мессенджеры", "Маркетплейсы", "Отзывы", "Телефония", "Уведомления"


@dataclass(frozen=True)
class Way:
    """How a guest of one channel is played.

    `to` = the key in the server's journal that says who is answered, `address` makes its value of the guest's id. A guest's id is a
    number of nine digits, behind "79" where it is a telephone. `photo` names the field of the command that takes pictures.
    """

    title: str
    group: str
    to: str = ""
    address: Callable[[str], str] = str
    phone: bool = False
    photo: str = ""
    document: bool = False
    stars: bool = False


def call(title: str, to: str = "") -> Way:
    return Way(title, CALLS, to, phone=True)


WAYS: Mapping[str, Way] = {
    "vk": Way("VK", MESSENGERS, "peer_id", photo="photo", document=True),
    "max": Way("MAX", MESSENGERS, "chat_id", lambda number: str(DIALOGUES + int(number)), photo="photo", document=True),
    "max_bot": Way("MAX: помощник (бот)", MESSENGERS, "chat_id", lambda number: str(DIALOGUES + int(number)), photo="photo", document=True),
    "whatsapp": Way("WhatsApp", MESSENGERS, "to", phone=True, photo="photo", document=True),
    "viber": Way("Viber", MESSENGERS, "to", photo="photo", document=True),
    "ok": Way("Одноклассники", MESSENGERS, "chat_id", lambda number: f"chat:C{int(number):x}", photo="photo", document=True),
    "facebook": Way("Facebook", MESSENGERS, "to", photo="photo", document=True),
    "wildberries": Way("Wildberries", SHOPS, "chat", photo="images"),
    "ozon": Way("Ozon", SHOPS, "chat", photo="image"),
    "yandex_market": Way("Яндекс Маркет", SHOPS, "chat", photo="file"),
    "google_play": Way("Google Play", REVIEWS, "review", stars=True),
    "app_store": Way("App Store", REVIEWS, "review", stars=True),
    "appgallery": Way("AppGallery", REVIEWS, "review", stars=True),
    "rss": Way("Сайт отзывов (RSS)", REVIEWS, stars=True),
    "reviews_import": Way("Мониторинг отзывов", REVIEWS, stars=True),
    "voice": call("Voximplant (подписанные события)"),
    "mango": call("Mango Office", "number"),
    "zadarma": call("Zadarma", "number"),
    "uis": call("UIS"),
    "asterisk": call("Asterisk"),
    "smsc": Way("СМС через SMSC", NOTICES, "to", phone=True),
    "smsaero": Way("СМС через SMS Aero", NOTICES, "to", phone=True),
    "fcm": Way("Push через Firebase", NOTICES, "to", lambda number: f"device-{number}"),
    "hms": Way("Push через Huawei", NOTICES, "to", lambda number: f"device-{number}"),
}
PASSED_ON = ("stars", "title", "document", "tap", "reply_to")


class PlayedGuests(Provider):
    """The guests of those `servers` that `WAYS` knows."""

    name = "played"

    def __init__(self, servers: Iterable[Provider]) -> None:
        super().__init__()
        self.servers = {server.name: server for server in servers if server.name in WAYS}
        self.said: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.seen_at: dict[tuple[str, int], float] = {}
        self._lock = threading.Lock()
        self.paths: Mapping[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "/phone/channels"): lambda _: json_reply([as_json(kind, WAYS[kind]) for kind in WAYS if kind in self.servers]),
            ("POST", "/phone/say"): self.say,
            ("GET", "/phone/talk"): self.talk,
        }

    def handle(self, request: Request) -> Reply | None:
        answer = self.paths.get((request.method, request.path))
        return answer(request) if answer else None

    def say(self, request: Request) -> Reply:
        """What the server answered in short: whether the product took it, and up to where its journal went before."""
        try:
            what = request.json()
            kind, guest = str(what["channel"]), str(what["id"])
            server = self.servers[kind]
            order = command(kind, what)
        except (ValueError, KeyError, TypeError):
            return json_reply({"error": "a guest of one of the channels, as JSON, is needed"}, 400)
        seen = len(server.accepted.after())
        answer = control(server, "guest", Request("POST", "", body=json.dumps(order).encode()))
        if answer.status != 200:
            return answer
        statuses = statuses_of(json.loads(answer.body)["result"])
        taken = all(200 <= status < 300 for status in statuses) and getattr(server, "listeners", 1) > 0
        files = [name for name, key in (("фото", "photo"), (str(what.get("title") or "файл"), "document")) if what.get(key)]
        with self._lock:
            entry = {
                "own": True,
                "n": seen,
                "text": str(what.get("tap") or what.get("text", "")),
                "files": files,
                "at": time.time(),
                "taken": taken,
            }
            self.said.setdefault((kind, guest), []).append(entry)
        return json_reply({"taken": taken, "statuses": statuses, "seen": seen, "answers": bool(WAYS[kind].to)})

    def talk(self, request: Request) -> Reply:
        kind, guest = request.query.get("channel", ""), request.query.get("id", "")
        if kind not in self.servers or not guest.isdecimal():
            return json_reply({"error": "no such guest"}, 404)
        journal = self.servers[kind].accepted
        journal.after(int(request.query.get("after", 0)), wait=float(request.query.get("wait", 0)))
        entries = journal.after()
        told = [self.answer(kind, entry) for entry in entries if is_for(WAYS[kind], guest, entry)]
        with self._lock:
            # What was said when the journal had n entries stands behind entry n.
            messages = sorted([*told, *self.said.get((kind, guest), ())], key=lambda message: (message["n"], message["own"]))
        return json_reply({"messages": messages, "seen": len(entries)})

    def answer(self, kind: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            at = self.seen_at.setdefault((kind, entry["n"]), time.time())
        choices = {"choices": list(entry["choices"]), "id": str(entry.get("mid") or entry.get("id") or "")} if entry.get("choices") else {}
        return {"own": False, "n": entry["n"], "text": text_of(entry), "files": files_of(entry), "at": at, **choices}

    def reset(self) -> None:
        super().reset()
        with self._lock:
            self.said.clear()
            self.seen_at.clear()


def as_json(kind: str, way: Way) -> dict[str, Any]:
    does = {"photo": bool(way.photo), "document": way.document, "stars": way.stars, "phone": way.phone}
    about = {"calls": way.group == CALLS, "writes": way.group != NOTICES, "answers": bool(way.to)}
    return {"kind": kind, "title": way.title, "group": way.group, **does, **about}


def command(kind: str, what: Mapping[str, Any]) -> dict[str, Any]:
    """The server's own `guest` command. Raises KeyError, ValueError for what the channel cannot carry."""
    way = WAYS[kind]
    order: dict[str, Any] = {"id": str(what["id"]), "name": str(what.get("name", "")), "text": str(what.get("text", ""))}
    order |= {key: what[key] for key in PASSED_ON if what.get(key)}
    if what.get("photo"):
        if not way.photo:
            raise ValueError(f"{kind} carries no pictures")
        order[way.photo] = [what["photo"]] if way.photo == "images" else what["photo"]
    return order


def statuses_of(result: Any) -> Sequence[int]:
    """The last HTTP status of each delivery in whatever a server's `guest` answered; empty where the product asks by itself."""
    if isinstance(result, list):
        return [status for one in result for status in ([one] if isinstance(one, int) else statuses_of(one))]
    if isinstance(result, dict) and isinstance(result.get("statuses"), list):
        return result["statuses"][-1:] or [0]
    return []


def is_for(way: Way, guest: str, entry: Mapping[str, Any]) -> bool:
    return bool(way.to) and str(entry.get(way.to, "")).lstrip("+") == way.address(guest)


def text_of(entry: Mapping[str, Any]) -> str:
    if entry.get("kind") == "callback":
        return f"☎ Вам звонят с номера {entry['extension']}"
    return "\n".join(part for part in (str(entry.get("title") or ""), str(entry.get("text") or "")) if part)


def files_of(entry: Mapping[str, Any]) -> list[str]:
    """Names of the files of an accepted message, wherever its server notes them."""
    files = [str(file["name"]) for file in entry.get("files") or ()]
    if entry.get("method") == "file":
        files.append(str(entry["name"]))
    return files + ([str(entry.get("file_name") or "файл")] if entry.get("media") else [])
