"""A guest's message: kept in the journal, understood and given out within the same request; a repeat gets the same answer."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from core.statements import Prepared
from core.text import storable
from omni.channels.contract import RawEvent
from omni.channels.webchat.adapter import FILES_AT_ONCE, TEXT_LIMIT
from omni.chat import forms, uploads
from omni.chat.sites import Site
from omni.models import Attachment, ChatToken, InboundEvent, Message
from omni.services import distribution, files, journal
from omni.states import FileState, SessionState


@dataclass(frozen=True)
class Draft:
    """What the guest sends. `client_id` is the client's own id of the message, `upload_ids` name files put up before."""

    client_id: uuid.UUID
    text: str
    upload_ids: Sequence[uuid.UUID] = ()
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Posted:
    """`message` is None when the event is kept but could not be understood at once: it will appear later."""

    client_id: uuid.UUID
    message: Message | None

    def shown(self) -> dict[str, Any]:
        made = self.message
        return {
            "client_msg_id": str(self.client_id),
            "id": str(made.public_id) if made else None,
            "seq": made.pk if made else None,
            "sent_at": made.sent_at.isoformat() if made else None,
        }


def parse_client_id(*candidates: Any) -> uuid.UUID:
    """The client's id of a message: given once or several times alike. Raises Refusal when it is missing, no UUID, or two of them."""
    given = {str(candidate) for candidate in candidates if candidate}
    try:
        found = {uuid.UUID(candidate) for candidate in given}
    except ValueError:
        found = set()
    if len(found) != 1:
        raise Refusal("client_msg_id", _("The message needs one client_msg_id: a UUID that the client makes."), status=400)
    return found.pop()


def post(*, site: Site, token: ChatToken, draft: Draft, user_agent: str, now: datetime) -> Posted:
    """Take the guest's message. Raises Refusal: nothing to send, too long, too many or unknown files."""
    # A repeat's files have been used up; without any, the journal's key knows it.
    known = find(token, draft.client_id) if draft.upload_ids else None
    if known is not None:
        return Posted(draft.client_id, known)
    _check(draft)
    rows = uploads.find_own(token=token, ids=draft.upload_ids)
    event = RawEvent(
        body=_body(site, token, draft, rows),
        headers={"content-type": "application/json", "user-agent": user_agent[:240]},
        received_at=now,
    )
    with transaction.atomic():
        kept = journal.keep(account=site.account, event=event)
        uploads.mark_used(rows, now=now)
    if kept is None:
        return Posted(draft.client_id, find(token, draft.client_id))
    processed = journal.process(kept.pk, now=now)
    if processed is None:
        _wait_for_the_other(kept.pk)
    message = find(token, draft.client_id)
    if message is not None and processed is not None:
        _follow_up(message, has_files=bool(rows), now=now)
    return Posted(draft.client_id, message)


def find(token: ChatToken, client_id: uuid.UUID) -> Message | None:
    """The message that this client id has become."""
    return _NAMED.first(account=token.account_id, external_id=f"{token.visitor}:{client_id}")


_NAMED = Prepared(
    lambda account, external_id: (
        Message.objects.select_related("session__queue").filter(account_id=account, external_id=external_id).order_by("pk")
    )
)


def _check(draft: Draft) -> None:
    if not draft.text.strip() and not draft.upload_ids:
        raise Refusal("empty", _("Write something first."), status=400)
    if len(draft.text) > TEXT_LIMIT:
        limit = _("The text is %(excess)d characters over the limit of %(limit)d.")
        raise Refusal("too_long", limit % {"excess": len(draft.text) - TEXT_LIMIT, "limit": TEXT_LIMIT}, status=400)
    if len(draft.upload_ids) > FILES_AT_ONCE:
        raise Refusal("too_many_files", _("At most %(limit)d files at a time.") % {"limit": FILES_AT_ONCE}, status=400)


def _body(site: Site, token: ChatToken, draft: Draft, rows: Sequence[Any]) -> bytes:
    """The event that WebChatAdapter.parse reads."""
    event = {
        "client_id": str(draft.client_id),
        "visitor": token.visitor,
        "name": token.name or draft.answers.get("name", ""),
        "phone": token.phone,
        "text": storable(draft.text),
        "page_url": token.page_url,
        # Kept with the message: a consent that was given must not depend on when the message is understood.
        "answers": dict(draft.answers),
        "form": forms.in_words(site, draft.answers) if draft.answers else "",
        "facts": {**token.facts, "user_agent": token.user_agent} if token.facts else {},
        "uploads": [{"ref": row.path, "name": row.name, "mime": row.mime, "size": row.size} for row in rows],
    }
    return json.dumps(event, ensure_ascii=False).encode()


def _wait_for_the_other(event_id: int) -> None:
    """Another request processes the same event: it holds the row until its transaction ends."""
    with transaction.atomic():
        list(InboundEvent.objects.select_for_update().filter(pk=event_id).values_list("pk"))


def _follow_up(message: Message, *, has_files: bool, now: datetime) -> None:
    for row in Attachment.objects.filter(message=message, state=FileState.PENDING) if has_files else ():
        files.fetch(row.pk, now=now)
    session = message.session
    if session.state == SessionState.WAITING:
        distribution.try_give_out(group_id=session.queue.group_id, now=now)
