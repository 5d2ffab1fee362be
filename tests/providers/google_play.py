"""Google Play's reviews (androidpublisher v3) and the address that gives keys to service accounts (RFC 7523).

`guest` writes a review or another version of one: {"text", "name", "id": review, "stars": 1-5}.
"""

import json
import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.providers.frame import Reply, Request, json_reply
from tests.providers.polled import ApiError, ApiServer, Perform

PACKAGE, EMAIL = "ru.lukoshko.app", "otklik@demo.iam.example"
SCOPE = "https://www.googleapis.com/auth/androidpublisher"


class GooglePlayServer(ApiServer):
    """One app. `service_account(base)` is the JSON an account needs; reviews come in pages of `page`."""

    name = "google_play"

    def __init__(self, package: str = PACKAGE, *, page: int = 3, key: rsa.RSAPrivateKey | None = None) -> None:
        super().__init__()
        self.package, self.page = package, page
        self.key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.reviews: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.base = ""

    def start(self, base_url: str) -> None:
        self.base = base_url

    def service_account(self, base: str = "") -> str:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        about = {"type": "service_account", "client_email": EMAIL, "private_key_id": "k1", "private_key": pem}
        return json.dumps({**about, "token_uri": f"{base or self.base}/google/token"})

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        reviews = rf"/androidpublisher/v3/applications/{re.escape(self.package)}/reviews"
        return (
            ("POST", r"/google/token", "token", self.give_token),
            ("GET", reviews, "reviews", self.list_reviews),
            ("POST", rf"{reviews}/([^/]+):reply", "reply", self.take_reply),
        )

    def authorise(self, request: Request) -> None:
        if request.path == "/google/token":
            return
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise ApiError(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        if code == "invalid_grant":
            return json_reply({"error": code, "error_description": text}, status)
        return json_reply({"error": {"code": status, "message": text, "status": code or "INVALID_ARGUMENT"}}, status)

    def give_token(self, request: Request, found: "re.Match[str]") -> Any:
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            raise self.broken("token: wrong grant_type")
        try:
            claims = jwt.decode(form.get("assertion", ""), self.key.public_key(), ["RS256"], audience=f"{self.base}/google/token")
        except jwt.PyJWTError as error:
            raise ApiError(400, f"Invalid JWT Signature: {error}", "invalid_grant") from None
        if claims["iss"] != EMAIL or claims["scope"] != SCOPE or claims["exp"] - claims["iat"] > 3600:
            raise self.broken("token: iss, scope or exp are wrong")
        token = f"ya29.demo-{next(self.numbers)}"
        self.tokens.add(token)
        return {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def list_reviews(self, request: Request, found: "re.Match[str]") -> Any:
        most, start = int(request.query.get("maxResults", 10)), int(request.query.get("token", 0))
        if not 1 <= most <= 100:
            raise self.broken(f"reviews: maxResults is 1-100, not {most}")
        week_ago = time.time() - 7 * 86400
        fresh = [one for one in self.reviews.values() if int(one["comments"][0]["userComment"]["lastModified"]["seconds"]) > week_ago]
        size = min(most, self.page)
        more = {"tokenPagination": {"nextPageToken": str(start + size)}} if len(fresh) > start + size else {}
        return {"reviews": fresh[start : start + size], **more} if fresh else {}

    def take_reply(self, request: Request, found: "re.Match[str]") -> Any:
        text = self.text_of(request, self.body_of(request, "replyText")["replyText"], 350)
        review = self.reviews.get(found[1])
        if review is None:
            raise ApiError(404, "Review not found.", "NOT_FOUND")
        at = {"seconds": str(int(time.time())), "nanos": 0}
        review["comments"][1:] = [{"developerComment": {"text": text, "lastModified": at}}]
        self.accepted.add({"method": "reply", "review": found[1], "text": text})
        return {"result": {"replyText": text, "lastEdited": at}}

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        number = id or f"gp:{next(self.numbers)}"
        before = self.reviews.get(number, {"comments": [None]})
        last = before["comments"][0]
        at = max(int(time.time()), int(last["userComment"]["lastModified"]["seconds"]) + 1 if last else 0)
        comment = {
            "text": f"\t{text}",
            "lastModified": {"seconds": str(what.get("at", at)), "nanos": 0},
            "starRating": int(what.get("stars", 5)),
        }
        comment |= {"reviewerLanguage": "ru", "device": "demo", "appVersionCode": 77, "appVersionName": "7.7"}
        self.reviews[number] = {"reviewId": number, "authorName": name, "comments": [{"userComment": comment}, *before["comments"][1:]]}
        return self.reviews[number]

    def reset(self) -> None:
        super().reset()
        self.reviews.clear()
