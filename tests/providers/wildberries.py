"""Wildberries' chats with buyers and reviews (dev.wildberries.ru): both hosts on one port.

`guest` plays a buyer: {"text", "name", "id": chat, "images": [base64 ...], "card": bool, "sender": "client"}; with "stars" it is a
review, with "question" (true) a question about goods.
"""

import base64
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.providers.frame import Reply, Request, json_reply
from tests.providers.multipart import fields_of
from tests.providers.polled import ApiError, ApiServer, Perform

TOKEN = "demo-wildberries-token"
MIB = 1024 * 1024
PAGE = 5


class WildberriesServer(ApiServer):
    """One seller's cabinet. `pace` calls in ten seconds are answered, 0 = no limit; events come in pages of `page`."""

    name = "wildberries"

    def __init__(self, token: str = TOKEN, *, pace: int = 0, page: int = PAGE) -> None:
        super().__init__()
        self.token, self.pace, self.page = token, pace, page
        self.calls: list[float] = []
        self.events: list[dict[str, Any]] = []
        self.signs: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.reviews: list[dict[str, Any]] = []
        self.questions: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("GET", r"/api/v1/seller/chats", "chats", self.list_chats),
            ("GET", r"/api/v1/seller/events", "events", self.list_events),
            ("POST", r"/api/v1/seller/message", "message", self.take_message),
            ("GET", r"/api/v1/seller/download/([\w-]+)", "download", self.download),
            ("GET", r"/api/v1/feedbacks", "feedbacks", self.list_reviews),
            ("POST", r"/api/v1/feedbacks/answer", "answer", self.take_answer),
            ("GET", r"/api/v1/questions", "questions", self.list_questions),
            ("PATCH", r"/api/v1/questions", "question", self.take_question),
        )

    def authorise(self, request: Request) -> None:
        if request.headers.get("authorization") != self.token:
            raise ApiError(401, "unauthorized: token problem")
        self.calls = [at for at in self.calls if at > time.monotonic() - 10] + [time.monotonic()]
        if self.pace and len(self.calls) > self.pace:
            raise ApiError(429, "too many requests")

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        body = {"title": text, "detail": text, "requestId": "demo", "status": status} if status in (401, 429) else {"errors": [text]}
        return json_reply(body, status)

    def throttle_headers(self, seconds: float) -> Mapping[str, str]:
        return {"X-Ratelimit-Retry": str(int(seconds)), "X-Ratelimit-Limit": "10"}

    def list_chats(self, request: Request, found: "re.Match[str]") -> Any:
        chats = [{"chatID": chat, "replySign": sign, "clientName": self.names[chat]} for chat, sign in self.signs.items()]
        return {"result": chats, "errors": None}

    def list_events(self, request: Request, found: "re.Match[str]") -> Any:
        after = request.query.get("next", "0")
        if not after.isdecimal():
            raise self.broken("events: next is a time in milliseconds")
        fresh = [event for event in self.events if event["addTimestamp"] > int(after)][: self.page]
        result = {"next": fresh[-1]["addTimestamp"] if fresh else int(after), "totalEvents": len(fresh), "events": fresh}
        return {"result": result, "errors": None}

    def take_message(self, request: Request, found: "re.Match[str]") -> Any:
        parts = fields_of(request)
        sign = next((part.data.decode() for part in parts if part.name == "replySign"), "")
        text = next((part.data.decode() for part in parts if part.name == "message"), "")
        files = [part for part in parts if part.name == "file"]
        if len(text) > 1000 or not (text or files) or {part.name for part in parts} - {"replySign", "message", "file"}:
            raise self.broken(f"message: text of 1-1000 characters or files, not {len(text)} and {len(files)}")
        for file in files:
            if file.mime not in ("image/jpeg", "image/png", "application/pdf") or not 0 < len(file.data) <= 5 * MIB:
                raise self.broken(f"message: a file of {len(file.data)} bytes and type {file.mime}")
        chat = next((chat for chat, known in self.signs.items() if known == sign), None)
        if chat is None:
            raise ApiError(400, "replySign is not valid")
        at = int(time.time() * 1000)
        names = [{"name": file.filename, "size": len(file.data)} for file in files]
        self.accepted.add({"method": "message", "chat": chat, "text": text, "files": names})
        self.say(chat, "seller", {"text": text})
        return {"result": {"addTime": at + len(self.accepted.after()), "chatID": chat}, "errors": []}

    def download(self, request: Request, found: "re.Match[str]") -> Any:
        if found[1] not in self.files:
            raise ApiError(404, "no such file")
        return Reply(body=self.files[found[1]], content_type="application/octet-stream")

    def list_reviews(self, request: Request, found: "re.Match[str]") -> Any:
        return {"data": self.listed(request, "feedbacks", self.reviews), "error": False, "errorText": ""}

    def list_questions(self, request: Request, found: "re.Match[str]") -> Any:
        return {"data": self.listed(request, "questions", self.questions), "error": False, "errorText": ""}

    def listed(self, request: Request, name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        take, skip = int(request.query.get("take", -1)), int(request.query.get("skip", -1))
        if request.query.get("isAnswered") not in ("true", "false") or not 1 <= take <= 5000 or skip < 0:
            raise self.broken(f"{name}: isAnswered, take and skip are needed, not {request.query}")
        wanted = [row for row in reversed(rows) if (row["answer"] is not None) == (request.query["isAnswered"] == "true")]
        return {"countUnanswered": len(wanted), name: wanted[skip : skip + take]}

    def take_question(self, request: Request, found: "re.Match[str]") -> Any:
        """Seen ({id, wasViewed}), refused (state `none`) or answered (state `wbRu`); the last two with a text."""
        body = self.body_of(request, "id", "answer", "state")
        if set(body) != {"id", "answer", "state"} or body["state"] not in ("wbRu", "none") or set(body["answer"]) != {"text"}:
            raise self.broken("questions: id, answer {text} and state wbRu or none are needed")
        self.text_of(request, body["answer"]["text"], 5000)
        question = next((row for row in self.questions if row["id"] == body["id"]), None)
        if question is None:
            raise ApiError(404, "no such question")
        if question["isWarned"]:
            return {"data": None, "error": True, "errorText": "The question is hidden", "additionalErrors": None}
        question["answer"] = {"text": body["answer"]["text"], "editable": True}
        self.accepted.add({"method": "question", "question": body["id"], "text": body["answer"]["text"]})
        return {"data": None, "error": False, "errorText": "", "additionalErrors": None}

    def take_answer(self, request: Request, found: "re.Match[str]") -> Any:
        body = self.body_of(request, "id", "text")
        self.text_of(request, body["text"], 5000, least=2)
        review = next((review for review in self.reviews if review["id"] == body["id"]), None)
        if review is None:
            raise ApiError(404, "no such feedback")
        review["answer"] = {"text": body["text"], "state": "wbRu", "editable": True}
        self.accepted.add({"method": "answer", "review": body["id"], "text": body["text"]})
        return Reply(204)

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        if "stars" in what:
            return self.write_review(text, name, id, int(what["stars"]))
        if what.get("question"):
            return self.write_question(text, id)
        chat = id or "1:4f6c3ad0-demo"
        is_new = chat not in self.signs
        self.signs.setdefault(chat, f"{chat}:sign-{len(self.signs)}")
        self.names[chat] = name
        attachments: dict[str, Any] = {}
        if what.get("card"):
            attachments["goodCard"] = {"nmID": 77001234, "price": 199, "priceCurrency": "RUB", "size": "0", "needRefund": False}
        if what.get("images"):
            attachments["images"] = [self.store(data) for data in what["images"]]
        message = {"text": text, **({"attachments": attachments} if attachments else {})}
        return self.say(chat, what.get("sender", "client"), message, is_new=is_new)

    def store(self, data: bytes | str) -> dict[str, Any]:
        number = f"file-{next(self.numbers)}"
        self.files[number] = data if isinstance(data, bytes) else base64.b64decode(data, validate=True)
        return {"date": "2026-03-03T08:00:00Z", "downloadID": number, "url": ""}

    def say(self, chat: str, sender: str, message: dict[str, Any], *, is_new: bool = False) -> dict[str, Any]:
        last = self.events[-1]["addTimestamp"] if self.events else 0
        event = {
            "chatID": chat,
            "eventID": f"ev-{next(self.numbers)}",
            "eventType": "message",
            "isNewChat": is_new,
            "message": message,
            "source": "seller-portal",
            "addTimestamp": max(last + 1, int(time.time() * 1000)),
            "sender": sender,
            "clientName": self.names.get(chat, ""),
            **({"replySign": self.signs[chat]} if is_new else {}),
        }
        self.events.append(event)
        return event

    def write_review(self, text: str, name: str, number: str, stars: int) -> dict[str, Any]:
        """A review, or another version of the one with this id."""
        review = next((review for review in self.reviews if review["id"] == number), None)
        if review is None:
            details = {"nmId": 77001234, "productName": "Сыр полутвёрдый, 200 г"}
            written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            review = {"id": number or f"rv{next(self.numbers)}", "createdDate": written, "answer": None, "productDetails": details}
            self.reviews.append(review)
        review |= {"text": text, "pros": "", "cons": "", "productValuation": stars, "userName": name, "photoLinks": None}
        return review

    def write_question(self, text: str, number: str) -> dict[str, Any]:
        """A question about goods; the vendor does not tell who asks."""
        details = {"nmId": 77001234, "imtId": 11157, "productName": "Сыр полутвёрдый, 200 г", "brandName": "Лукошко"}
        written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        question = {"id": number or f"qu{next(self.numbers)}", "text": text, "createdDate": written, "state": "suppliersPortalSynch"}
        self.questions.append(question | {"answer": None, "productDetails": details, "wasViewed": False, "isWarned": False})
        return self.questions[-1]

    def reset(self) -> None:
        super().reset()
        for kept in (self.events, self.signs, self.names, self.reviews, self.questions, self.files, self.calls):
            kept.clear()
