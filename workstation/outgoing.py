"""A message on its way out, at the desk: why it has not arrived, another channel, approved texts, the guest's consent to a channel."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.entrance import require
from accounts.models import Staff
from accounts.rights import Right
from core.commands import Answer
from core.refusal import Refusal
from customers.models import Identity
from customers.services import identities
from omni.api.messages import find_outgoing
from omni.delivery import Story, Try, story_of
from omni.models import Session
from omni.selectors import find_guest
from omni.services import approved, fallbacks
from omni.services.approved import Choice
from omni.states import SendState
from worklist.selectors import find_item
from workstation.entrances import command, staff_of
from workstation.feed import moment
from workstation.services import answers
from workstation.services import presence as desk_presence
from workstation.wording import SEND_WORDS, channel_name

Fields = Mapping[str, str]


@require(Right.DESK)
@require_safe
def story_part(request: HttpRequest, message_id: int) -> HttpResponseBase:
    """Why a message has not arrived: each try, what comes next, other channels."""
    staff = staff_of(request)
    story = story_of(find_outgoing(staff, message_id), now=timezone.now())
    context = {**_shown(story), "may_send": staff.has_right(Right.ANSWER), "sprite": static("icons/sprite.svg")}
    return JsonResponse({"html": render_to_string("workstation/_story.html", context)})


def _shown(story: Story) -> dict[str, Any]:
    return {
        "message": story.message,
        "state": SEND_WORDS.get(story.message.send_state, ""),
        "tries": [_try(one) for one in story.tries],
        "next_step": story.next_step,
        "next_at": moment(story.next_at),
        "is_failed": story.message.send_state == SendState.FAILED,
        "ways": [{"identity": way.identity.pk, "channel": channel_name(way.account.kind), "kind": way.account.kind} for way in story.ways],
    }


def _try(one: Try) -> dict[str, Any]:
    ended = timezone.localtime(one.ended_at or one.at)
    return {"number": one.number, "at": moment(ended), "iso": ended.isoformat(), "said": one.said, **_words_of(one)}


def _words_of(one: Try) -> dict[str, Any]:
    return {"code": one.code, "detail": one.detail, "is_doubtful": one.possibly_delivered}


@command("desk.other_channel", right=Right.ANSWER)
def other_channel(*, message_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    """Send what failed through another channel of the guest."""
    message, identity = find_outgoing(by, message_id), fields.get("identity", "")
    if not identity.isdecimal():
        raise Refusal("choose", _("Please choose from the list."), status=400)
    return {"ok": True, "message_id": fallbacks.send_by(message_id=message.pk, identity_id=int(identity), by=by, now=now).pk}


@require(Right.ANSWER)
@require_safe
def approved_part(request: HttpRequest, kind: str, subject_id: int) -> HttpResponseBase:
    """Approved texts that may be sent to the item's guest."""
    item = find_item(staff=staff_of(request), kind=kind, subject_id=subject_id)
    session = Session.objects.select_related("account", "identity").get(pk=answers.session_of(item))
    names = ("name", "language", "body", "parameters")
    found = [{"id": one.pk, **{name: getattr(one, name) for name in names}} for one in approved.list_approved(session)]
    return JsonResponse({"found": found})


@command("desk.approved", right=Right.ANSWER)
def send_approved(*, kind: str, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    """Answer with an approved text; `values` is a JSON list."""
    item = find_item(staff=by, kind=kind, subject_id=subject_id)
    seen = fields.get("seen", "")
    message = answers.answer_with_template(
        item=item, choice=_choice(fields), seen_message_id=int(seen) if seen.isdecimal() else None, by=by, now=now
    )
    return {"ok": True, "message_id": message.pk, "presence": desk_presence.shown(by, now=now)}


def _choice(fields: Fields) -> Choice:
    number = fields.get("template", "")
    try:
        values = json.loads(fields.get("values", "[]"))
    except ValueError:
        values = None
    if not number.isdecimal() or not isinstance(values, list):
        raise Refusal("choose", _("Please choose from the list."), status=400)
    return Choice(int(number), [str(value) for value in values][:20])


@command("desk.consent", right=Right.ANSWER)
def consent(*, guest_id: int, identity_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    """The guest agrees, or no longer agrees, to be written to in this channel when another one fails."""
    guest = find_guest(staff=by, guest_id=guest_id)
    if not Identity.objects.filter(pk=identity_id, guest=guest).exists():
        raise Refusal("not_found", _("There is no such guest, or you may not see this guest."), status=404)
    if fields.get("agrees") == "1":
        identities.agree(identity_id=identity_id, source=fields.get("source", "") or str(_("said so in a dialogue")), by=by, now=now)
    else:
        identities.withdraw(identity_id=identity_id, by=by, now=now)
    return {"ok": True}
