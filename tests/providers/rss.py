"""A site with reviews that publishes them as RSS 2.0, with ETag and Last-Modified.

`guest` writes a review or another version of one: {"text", "name", "id": guid, "stars", "title"}. `charset` is how the feed is written.
"""

import hashlib
import re
import time
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any
from xml.sax.saxutils import escape

from tests.providers.frame import Reply, Request
from tests.providers.polled import ApiServer, Perform


class RssServer(ApiServer):
    """One feed at `/feeds/reviews.xml`. `header_charset` is what the HTTP header claims, rightly or not."""

    name = "rss"

    def __init__(self, charset: str = "utf-8", *, header_charset: str = "") -> None:
        super().__init__()
        self.charset, self.header_charset = charset, header_charset
        self.entries: dict[str, dict[str, Any]] = {}
        self.conditional = 0
        self.raw = b""

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("GET", r"/feeds/reviews\.xml", "feed", self.feed),
            ("GET", r"/feeds/moved\.xml", "moved", lambda *_: Reply(301, headers={"Location": "/feeds/reviews.xml"})),
            ("GET", r"/feeds/inside\.xml", "inside", lambda *_: Reply(302, headers={"Location": "http://10.0.0.1/feed"})),
            ("GET", r"/feeds/loop\.xml", "loop", lambda *_: Reply(302, headers={"Location": "/feeds/loop.xml"})),
        )

    def feed(self, request: Request, found: "re.Match[str]") -> Any:
        body = self.raw or self.document()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == etag:
            self.conditional += 1
            return Reply(304, headers={"ETag": etag})
        content_type = f"application/rss+xml; charset={self.header_charset or self.charset}"
        return Reply(body=body, content_type=content_type, headers={"ETag": etag, "Last-Modified": formatdate(usegmt=True)})

    def document(self) -> bytes:
        items = "".join(self.item(number, entry) for number, entry in reversed(self.entries.items()))
        head = f'<?xml version="1.0" encoding="{self.charset}"?><rss version="2.0"><channel><title>Отзывы</title>'
        return f"{head}<link>https://reviews.example/</link>{items}</channel></rss>".encode(self.charset)

    def item(self, number: str, entry: dict[str, Any]) -> str:
        fields = {
            "title": entry["title"],
            "author": entry["name"],
            "description": entry["text"],
            "pubDate": formatdate(entry["at"], usegmt=True),
        }
        fields |= {"rating": str(entry["stars"])} if entry["stars"] else {}
        body = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        return f'<item><guid isPermaLink="false">{number}</guid><link>https://reviews.example/{number}</link>{body}</item>'

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        number = id or f"e{next(self.numbers)}"
        at = self.entries.get(number, {}).get("at") or what.get("at") or time.time()
        entry = {"text": text, "name": name, "title": what.get("title", ""), "stars": what.get("stars", 5), "at": at}
        self.entries[number] = entry
        return {"id": number, **entry}

    def reset(self) -> None:
        super().reset()
        self.entries.clear()
        self.raw, self.conditional, self.charset, self.header_charset = b"", 0, "utf-8", ""
