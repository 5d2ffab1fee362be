"""Drafts: saved while typing, gone with the sending."""

from datetime import datetime

from django.db.models import Q

from accounts.models import Staff
from core.live import socket_group, tell_now
from core.text import first_line, storable
from worklist.models import Item
from workstation.models import Draft

SHOWN = 80


def save(*, item: Item, mode: Draft.Mode, text: str, revision: int, by: Staff, now: datetime) -> bool:
    """Keep the text unless a newer revision is kept already; False = it was too late. An empty text = no draft (it was sent).

    `revision` is the writer's clock in milliseconds. A save that is still under way when the text is sent does not bring it back.
    """
    key = {"staff": by, "kind": item.kind, "subject_id": item.subject_id, "mode": mode}
    kept = Draft.objects.bulk_create([Draft(**key, text=storable(text), revision=revision, updated_at=now)], ignore_conflicts=True)
    newer = Draft.objects.filter(**key, revision__lte=revision).filter(~Q(revision=revision) | Q(text=kept[0].text))
    saved = bool(newer.update(text=kept[0].text, revision=revision, updated_at=now))
    if saved:
        _tell(item, mode, text, revision, by)
    return saved


def _tell(item: Item, mode: Draft.Mode, text: str, revision: int, by: Staff) -> None:
    """The person's other screens show the draft too; a lost word does no harm, opening the item reads the row."""
    data = {"kind": "draft", "item": f"{item.kind}:{item.subject_id}", "mode": mode.value, "text": first_line(text, SHOWN)}
    tell_now(socket_group(by.pk), {**data, "revision": revision})
