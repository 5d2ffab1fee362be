"""An operator writes: taking what nobody has, answering or noting, the draft gone with it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core.refusal import Refusal
from omni.channels.contract import OutgoingFile
from omni.models import Message
from omni.services import answering, conversations
from omni.services.approved import Choice
from tickets.services import cases
from worklist.models import Item
from worklist.states import ItemState, Kind
from workstation.models import Draft
from workstation.services import drafts


@transaction.atomic
def answer(
    *,
    item: Item,
    text: str,
    uploads: Sequence[OutgoingFile],
    seen_message_id: int | None,
    over_newer: bool,
    revision: int,
    by: Staff,
    now: datetime,
) -> Message:
    """Answer the guest of the item; whoever answers what nobody has, has it. `revision` is the draft's.

    Raises Refusal (omni.services.answering).
    """
    if item.state == ItemState.WAITING and item.owner_id is None:
        take(item=item, by=by, now=now)
    message = answering.answer(
        session_id=session_of(item), text=text, by=by, now=now, seen_message_id=seen_message_id, over_newer=over_newer, uploads=uploads
    )
    drafts.save(item=item, mode=Draft.Mode.ANSWER, text="", revision=revision, by=by, now=now)
    return message


@transaction.atomic
def answer_with_template(*, item: Item, choice: Choice, seen_message_id: int | None, by: Staff, now: datetime) -> Message:
    """Answer with a text that the provider has approved; the draft stays, for nothing of it was sent. Raises Refusal."""
    if item.state == ItemState.WAITING and item.owner_id is None:
        take(item=item, by=by, now=now)
    return answering.answer_with_template(session_id=session_of(item), choice=choice, seen_message_id=seen_message_id, by=by, now=now)


@transaction.atomic
def note(*, item: Item, text: str, revision: int, by: Staff, now: datetime) -> Message:
    """Write an internal note. Raises Refusal when it is empty."""
    message = answering.note(session_id=session_of(item), text=text, by=by, now=now)
    drafts.save(item=item, mode=Draft.Mode.NOTE, text="", revision=revision, by=by, now=now)
    return message


def take(*, item: Item, by: Staff, now: datetime) -> None:
    """Take the item from the queue. Raises Refusal when somebody was first or there is no room."""
    if item.kind == Kind.CASE:
        cases.take(case_id=item.subject_id, by=by, now=now)
    else:
        conversations.take(session_id=item.subject_id, by=by, now=now)


def session_of(item: Item) -> int:
    """The conversation in which the item's guest is answered. Raises Refusal when there is none."""
    if item.session_id is None:
        raise Refusal("no_dialogue", _("This ticket has no dialogue to answer in."))
    return item.session_id
