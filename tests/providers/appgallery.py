"""AppGallery Connect's reviews and the keys of its API clients, as far as they are documented.

`guest` writes a review or another version of one: {"text", "name", "id": review, "stars": 1-5}.
"""

import re
import time
from collections.abc import Sequence
from typing import Any

from tests.providers.frame import Reply, Request, json_reply
from tests.providers.polled import ApiError, ApiServer, Perform

APP, CLIENT_ID, CLIENT_SECRET = "104000001", "demo-agc-client", "demo-agc-secret"
REVIEWS = "/api/reviews/v1/manage/dev/reviews"


class AppGalleryServer(ApiServer):
    """One app and one API client; `reviews_path` is that of Android apps unless told otherwise."""

    name = "appgallery"

    def __init__(
        self, app: str = APP, *, client_id: str = CLIENT_ID, client_secret: str = CLIENT_SECRET, reviews_path: str = REVIEWS
    ) -> None:
        super().__init__()
        self.app, self.reviews_path = app, reviews_path
        self.client_id, self.client_secret = client_id, client_secret
        self.tokens: set[str] = set()
        self.reviews: dict[str, dict[str, Any]] = {}

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("POST", r"/api/oauth2/v1/token", "token", self.give_token),
            ("GET", self.reviews_path, "reviews", self.list_reviews),
            ("POST", rf"{self.reviews_path}/([^/]+)", "reply", self.take_reply),
        )

    def authorise(self, request: Request) -> None:
        if request.path.endswith("/token"):
            return
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise ApiError(401, "client token authorization fail", "205524994")
        if request.headers.get("client_id") != self.client_id:
            raise self.broken("the header client_id is missing", 401)

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        return json_reply({"ret": {"code": int(code) if code.isdecimal() else status, "msg": text}}, status)

    def give_token(self, request: Request, found: "re.Match[str]") -> Any:
        body = self.body_of(request, "grant_type", "client_id", "client_secret")
        if body["grant_type"] != "client_credentials":
            raise self.broken("token: wrong grant_type")
        if (body["client_id"], body["client_secret"]) != (self.client_id, self.client_secret):
            return {"ret": {"code": 205524993, "msg": "unknown client"}}  # with HTTP 200
        token = f"agc-{next(self.numbers)}"
        self.tokens.add(token)
        return {"access_token": token, "expires_in": 172800}

    def list_reviews(self, request: Request, found: "re.Match[str]") -> Any:
        query = request.query
        numbers = [query.get(name, "") for name in ("beginTime", "endTime", "page", "limit")]
        if query.get("appid") != self.app or not query.get("countries") or not all(number.isdecimal() for number in numbers):
            raise self.broken(f"reviews: {query}")
        begin, end, page, limit = map(int, numbers)
        wanted = [review for review in self.reviews.values() if begin <= review["operTime"] <= end + 5000]
        return {"rtnCode": 0, "data": wanted[(page - 1) * limit : page * limit], "total": len(wanted)}

    def take_reply(self, request: Request, found: "re.Match[str]") -> Any:
        text = self.text_of(request, self.body_of(request, "content")["content"], 350)
        if found[1] not in self.reviews:
            raise ApiError(404, "no such review")
        self.reviews[found[1]]["reply"] = text
        self.accepted.add({"method": "reply", "review": found[1], "text": text})
        return {"rtnCode": 0}

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        number = id or f"ag{next(self.numbers)}"
        at = int(what.get("at", time.time()) * 1000)
        review = {
            "reviewId": number,
            "comment": text,
            "rating": what.get("stars", 5),
            "nickName": name,
            "operTime": at,
            "countryCode": "RU",
        }
        self.reviews[number] = {**self.reviews.get(number, {}), **review}
        return self.reviews[number]

    def reset(self) -> None:
        super().reset()
        self.reviews.clear()
