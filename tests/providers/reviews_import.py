"""A monitoring vendor: finds reviews and posts them, signed, as JSON or CSV.

`guest` writes a review or another version of one: {"text", "name", "id", "stars", "source", "parent"}; it is posted at once.
"""

import csv
import hashlib
import hmac
import io
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.providers.polled import ApiServer, Perform

SECRET = "demo-import-secret"
FIELDS = ("source", "url", "author", "text", "rating", "published_at", "external_id", "parent_id")


class ReviewsVendor(ApiServer):
    """Has no address of its own: it only posts to the registered one. `as_csv` writes spreadsheets instead of JSON."""

    name = "reviews_import"

    def __init__(self, secret: str = SECRET, *, as_csv: bool = False, charset: str = "utf-8") -> None:
        super().__init__()
        self.secret, self.as_csv, self.charset = secret, as_csv, charset

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return ()

    def record(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> dict[str, Any]:
        number = id or f"m{next(self.numbers)}"
        written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        found = {"source": what.get("source", "maps"), "url": f"https://maps.example/{number}", "author": name, "text": text}
        rest = {"rating": what.get("stars"), "published_at": written, "external_id": number, "parent_id": what.get("parent", "")}
        return {**found, **rest}

    def signed(self, *records: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of one post."""
        body = self.spreadsheet(records) if self.as_csv else json.dumps(records, ensure_ascii=False).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        kind = "text/csv" if self.as_csv else "application/json"
        return body, {"Content-Type": kind, "X-Signature": f"sha256={signature}"}

    def spreadsheet(self, records: Sequence[Mapping[str, Any]]) -> bytes:
        written = io.StringIO()
        writer = csv.DictWriter(written, FIELDS, delimiter=";")
        writer.writeheader()
        writer.writerows(records)
        return written.getvalue().encode(self.charset)

    def guest(self, text: str = "", name: str = "Анна", id: str = "", **what: Any) -> Any:
        record = self.record(text, name, id, **what)
        body, headers = self.signed(record)
        return {**record, "statuses": self.deliver(body, headers, times=what.get("times", 1))}
