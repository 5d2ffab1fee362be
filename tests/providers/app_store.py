"""App Store Connect's customer reviews (developer.apple.com/documentation/appstoreconnectapi).

`guest` writes a review or another version of one: {"text", "name", "id": review, "stars": 1-5, "title"}; `publish` publishes our responses.
"""

import re
import time
from collections.abc import Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.providers.frame import Reply, Request, json_reply
from tests.providers.polled import ApiError, ApiServer, Perform

APP, ISSUER, KEY = "1500000001", "57246542-96fe-1a63-e053-0824d011072a", "2X9R4HXF34"


class AppStoreServer(ApiServer):
    """One app. `private_key` is the file an account needs; reviews come in pages of `page`."""

    name = "app_store"

    def __init__(self, app: str = APP, *, page: int = 200, key: ec.EllipticCurvePrivateKey | None = None) -> None:
        super().__init__()
        self.app, self.page = app, page
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.private_key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self.reviews: dict[str, dict[str, Any]] = {}
        self.responses: dict[str, dict[str, Any]] = {}
        self.base = ""
        self.commands |= {"publish": lambda _: self.publish()}

    def start(self, base_url: str) -> None:
        self.base = base_url

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("GET", rf"/v1/apps/{self.app}/customerReviews", "reviews", self.list_reviews),
            ("POST", r"/v1/customerReviewResponses", "response", self.take_response),
        )

    def authorise(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, self.key.public_key(), ["ES256"], audience="appstoreconnect-v1", issuer=ISSUER)
            if jwt.get_unverified_header(token).get("kid") != KEY or claims["exp"] - claims["iat"] > 20 * 60:
                raise jwt.InvalidTokenError("kid or exp")
        except (jwt.PyJWTError, KeyError):
            raise ApiError(401, "Provide a properly configured and signed bearer token", "NOT_AUTHORIZED") from None

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        return json_reply({"errors": [{"status": str(status), "code": code or "PARAMETER_ERROR", "title": text, "detail": text}]}, status)

    def list_reviews(self, request: Request, found: "re.Match[str]") -> Any:
        query = request.query
        limit, start = int(query.get("limit", 50)), int(query.get("cursor", 0))
        if not 1 <= limit <= 200 or query.get("sort") != "-createdDate" or query.get("include") != "response":
            raise self.broken(f"reviews: {query}")
        territory = query.get("filter[territory]")
        wanted = [one for one in self.reviews.values() if territory in (None, one["attributes"]["territory"])]
        wanted.sort(key=lambda one: one["attributes"]["createdDate"], reverse=True)
        size = min(limit, self.page)
        rows = wanted[start : start + size]
        ours = [self.responses[one["id"]] for one in rows if one["id"] in self.responses]
        links = {"self": f"{self.base}{request.path}"}
        if len(wanted) > start + size:
            links["next"] = f"{self.base}{request.path}?cursor={start + size}&limit={limit}"
        return {"data": [self.row(one) for one in rows], "included": ours, "links": links, "meta": {"paging": {"total": len(wanted)}}}

    def row(self, review: dict[str, Any]) -> dict[str, Any]:
        ours = self.responses.get(review["id"])
        return {**review, "relationships": {"response": {"data": {"type": ours["type"], "id": ours["id"]}} if ours else {}}}

    def take_response(self, request: Request, found: "re.Match[str]") -> Any:
        data = self.body_of(request, "data")["data"]
        review = data.get("relationships", {}).get("review", {}).get("data", {})
        if data.get("type") != "customerReviewResponses" or review.get("type") != "customerReviews":
            raise self.broken(f"response: {data}")
        text = self.text_of(request, data.get("attributes", {}).get("responseBody"), 5970)
        if review.get("id") not in self.reviews:
            raise ApiError(404, "There is no resource of type 'customerReviews' with this id", "NOT_FOUND")
        attributes = {"responseBody": text, "lastModifiedDate": stamp(time.time()), "state": "PENDING_PUBLISH"}
        known = self.responses.get(review["id"])
        response = {
            "type": "customerReviewResponses",
            "id": known["id"] if known else f"resp-{next(self.numbers)}",
            "attributes": attributes,
        }
        self.responses[review["id"]] = response
        self.accepted.add({"method": "response", "review": review["id"], "text": text})
        return json_reply({"data": response}, 201)

    def publish(self) -> int:
        for response in self.responses.values():
            response["attributes"]["state"] = "PUBLISHED"
        return len(self.responses)

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        number = id or f"rev-{next(self.numbers)}"
        before = self.reviews.get(number, {}).get("attributes", {})
        attributes = {
            "rating": int(what.get("stars", 5)),
            "title": what.get("title", ""),
            "body": text,
            "reviewerNickname": name,
            "createdDate": before.get("createdDate") or stamp(what.get("at", time.time()) + len(self.reviews) / 1000),
            "territory": what.get("territory", "RUS"),
        }
        self.reviews[number] = {"type": "customerReviews", "id": number, "attributes": attributes}
        return self.reviews[number]

    def reset(self) -> None:
        super().reset()
        self.reviews.clear()
        self.responses.clear()


def stamp(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03d}Z"
