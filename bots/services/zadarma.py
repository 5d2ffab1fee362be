"""The voice menu of Zadarma: NOTIFY_START and NOTIFY_IVR are notices and questions in one, the answer says what the caller hears.

https://zadarma.com/en/support/api/, "Notifications about calls in the PBX"; the forms are those of the vendor's own client
(https://github.com/zadarma/user-api-v1, lib/Webhook/Request.php, WaitDtmf.php). Nothing is read aloud there: a caller hears the
recordings that were uploaded to the exchange and that the dialogue's steps name, one in each answer.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from bots.services import calling
from bots.services.calling import Question, Reply
from omni.channels.contract import RawEvent, Unreadable, WebhookReply
from omni.channels.telephony.items import form_of
from omni.channels.zadarma.events import keys_of
from omni.models import ChannelAccount

ASKING = frozenset({"NOTIFY_START", "NOTIFY_IVR"})
_WAIT = re.compile(r"otklik-(\d{1,6})-(\d{1,3})")
NO_KEY = {"timeout": 1, "attempts": 1, "maxdigits": 1}
"""After a recording that is not the last nobody is waited for: the shortest wait there is brings the next question."""


class Place(NamedTuple):
    """How far a call is: which question of it was answered, and how many recordings of that answer are over."""

    number: int
    heard: int

    @property
    def name(self) -> str:
        """What the wait is called: the exchange tells it with the keys."""
        return f"otklik-{self.number}-{self.heard}"


def reply_to(account: ChannelAccount, event: RawEvent) -> WebhookReply | None:
    """The answer to a notice; None if it asks nothing, or no dialogue of ours has this call. The same notice gets the same answer."""
    try:
        form = form_of(event.body)
    except Unreadable:
        return None
    if form.get("event") not in ASKING or not form.get("pbx_call_id") or not calling.has_dialogue(account):
        return None
    place = _place(form)
    if place is None:
        return None  # a menu that is drawn in the exchange itself
    reply, place = _next(account, form, place, event)
    otherwise = calling.number_for(account, account.queue) or "hangup"
    return WebhookReply(body=json.dumps(said(reply, place, otherwise=otherwise)).encode())


def _place(form: Mapping[str, str]) -> Place | None:
    if form["event"] == "NOTIFY_START":
        return Place(0, 0)
    found = _WAIT.fullmatch(keys_of(form).name)
    return Place(int(found[1]), int(found[2])) if found else None


def _next(account: ChannelAccount, form: Mapping[str, str], place: Place, event: RawEvent) -> tuple[Reply, Place]:
    """What follows: the rest of the answer that is being said, else the answer to the keys."""

    def ask(number: int, digits: str = "") -> Reply:
        caller, called = form.get("caller_id", ""), form.get("called_did", "")
        question = Question(form["pbx_call_id"], caller=caller, called=called, digits=digits[:64], number=number, speaks=False)
        return calling.what_next(account=account, question=question, now=event.received_at)

    if place.number:
        before, digits = ask(place.number), keys_of(form).digits
        # One key may be pressed before all is said; a longer number begins after it, or its beginning would be lost.
        early = place.heard < len(before.say) and not (digits and before.digits == 1)
        if early or not before.digits:
            return before, place
        return ask(place.number + 1, digits), Place(place.number + 1, 0)
    return ask(1), Place(1, 0)


def said(reply: Reply, place: Place, *, otherwise: str) -> dict[str, Any]:
    """The answer in the vendor's words: the recording that is next, then the keys waited for; a way out when none is left.

    `otherwise` is where the exchange leads a caller if we do not answer its next question: an extension, a menu, or "hangup".
    """
    if place.heard < len(reply.say):
        following = Place(place.number, place.heard + 1)
        last = following.heard == len(reply.say)
        wait = {"timeout": reply.timeout, "attempts": 1, "maxdigits": reply.digits} if last and reply.digits else NO_KEY
        return {"ivr_play": reply.say[place.heard].sound, "wait_dtmf": {**wait, "name": following.name, "default": otherwise}}
    if reply.transfer:
        return {"redirect": reply.transfer, "return_timeout": 0}
    if reply.digits:
        wait = {"timeout": reply.timeout, "attempts": 1, "maxdigits": reply.digits}
        return {"wait_dtmf": {**wait, "name": place.name, "default": otherwise}}
    return {"hangup": 1}
