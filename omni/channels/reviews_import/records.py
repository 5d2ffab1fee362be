"""The records of an import: JSON or CSV of {source, url, author, text, rating, published_at, external_id, parent_id}."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

from omni.channels.contract import RawEvent, Unreadable
from omni.channels.json_fields import JsonObject, storable

FIELDS = ("source", "url", "author", "title", "text", "rating", "published_at", "updated_at", "external_id", "parent_id")
LISTS = ("items", "reviews", "data", "mentions")
MOST = 5000


def records_of(event: RawEvent) -> Sequence[JsonObject]:
    """The records in their order, values as texts. Raises Unreadable, with the reason, for an event that holds none or too many."""
    text = decoded(event.body)
    found = from_json(text) if looks_like_json(text, event.headers) else from_csv(text)
    if not found:
        raise Unreadable("no record in it")
    if len(found) > MOST:
        raise Unreadable(f"{len(found)} records, at most {MOST} at a time")
    return found


def decoded(body: bytes) -> str:
    """UTF-8, with or without its mark; a spreadsheet of a Russian office may be windows-1251. Raises Unreadable."""
    for charset in ("utf-8-sig", "cp1251"):
        try:
            return body.decode(charset)
        except UnicodeDecodeError:
            continue
    raise Unreadable("neither UTF-8 nor windows-1251")


def looks_like_json(text: str, headers: Mapping[str, str]) -> bool:
    if "csv" in headers.get("content-type", "").lower():
        return False
    return text.lstrip()[:1] in ("{", "[") or "json" in headers.get("content-type", "").lower()


def from_json(text: str) -> list[JsonObject]:
    """An array of records, an object with one, or a single record. Raises Unreadable."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise Unreadable(f"not JSON: {fault}") from fault
    if isinstance(value, dict):
        value = next((value[name] for name in LISTS if isinstance(value.get(name), list)), [value])
    if not isinstance(value, list):
        raise Unreadable(f"an array of records was expected, not {type(value).__name__}")
    if not all(isinstance(record, dict) for record in value):
        raise Unreadable("a record is not an object")
    return [{name: as_text(record.get(name)) for name in FIELDS} for record in value]


def as_text(value: object) -> str:
    """Texts and numbers; everything else counts as nothing."""
    if isinstance(value, str):
        return storable(value).strip()
    return str(value) if type(value) in (int, float) else ""


def from_csv(text: str) -> list[JsonObject]:
    """Lines under a line of names, between commas, semicolons or tabs. Raises Unreadable."""
    head = text.partition("\n")[0]
    delimiter = max(";,\t", key=head.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as fault:
        raise Unreadable(f"not CSV: {fault}") from fault
    named = {storable(name).strip().lower(): name for name in (rows[0] if rows else ()) if isinstance(name, str)}
    if "text" not in named and "rating" not in named:
        raise Unreadable("CSV without a line of names (text, rating, external_id ...)")
    return [{name: as_text(row.get(named[name])) if name in named else "" for name in FIELDS} for row in rows]
