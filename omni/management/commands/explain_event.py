"""How events of a channel are understood, for the duty shift when a message looks wrong."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from omni.channels.contract import AccountConfig, Adapter, Inbound, RawEvent, Unreadable
from omni.channels.registry import adapter_for


class Command(BaseCommand):
    help = "Print the inbound items of event bodies, one JSON line an item."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("channel", help="kind of the channel, e.g. telegram")
        parser.add_argument("files", nargs="+", metavar="FILE", help="body of one event, exactly as it arrived")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            adapter = adapter_for(options["channel"])
        except LookupError as error:
            raise CommandError(str(error)) from error
        lines = [line for file in options["files"] for line in explained(adapter, file, now=datetime.now(UTC))]
        for line in lines:
            self.stdout.write(json.dumps(line, ensure_ascii=False))
        not_understood = sum("error" in line and "file" in line for line in lines)
        if not_understood:
            raise CommandError(f"{not_understood} of {len(options['files'])} files could not be understood.")


def explained(adapter: Adapter, file: str, *, now: datetime) -> Iterator[dict[str, Any]]:
    """The items of one file; one object with `file` and `error` if it cannot be read or understood. `now` stands for its arrival."""
    try:
        event = RawEvent(Path(file).read_bytes(), {}, now)
        items = adapter.parse(event, AccountConfig("explain", adapter.kind))
    except (OSError, Unreadable) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        yield {"file": printable(file), "error": printable(reason or str(error))}
    else:
        yield from (line_of(item) for item in items)


def printable(text: str) -> str:
    """File names may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "replace").decode()


def line_of(item: Inbound) -> dict[str, Any]:
    """The item's line; keys that every channel has come first."""
    files = [{"kind": file.kind.value, "url_or_id": file.ref, "name": file.name} for file in item.attachments]
    return {
        "external_id": item.external_id,
        "guest_external_id": item.guest_external_id,
        "guest_name": item.guest_name,
        "text": item.text,
        "attachments": files,
        "sent_at": item.sent_at.astimezone(UTC).isoformat(),
        "kind": item.kind.value,
        "conversation": item.conversation,
        "reply_to": item.reply_to,
        "album": item.album,
        "phone": item.phone,
        "extra": dict(item.extra),
    }
