"""The voice menu of Mango Office: its notices tell who is in its menu and which keys were pressed, our commands lead the caller.

API of the virtual exchange 1.9: 3.1.2 events/call, 3.1.5 events/dtmf (a packet of keys that its own menu has collected, counted by
`seq`), 3.2.7 commands/route (a call in a menu or queue), 3.2.3 commands/call/hangup; commands/play/start plays a recording by its
`internal_id` (as in https://github.com/dasshit/Python-Mango-Office-API). The exchange asks nothing, so nothing holds it up: until a
command comes its own menu goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from bots.services import calling
from bots.services.calling import Question, Reply
from omni import dispatch
from omni.channels.contract import RawEvent, Retry, Sent, Unreadable, WebhookReply
from omni.channels.json_fields import JsonObject, identifier_at, object_at, text_at
from omni.channels.mango import commands
from omni.channels.mango.events import json_of
from omni.channels.telephony.items import whole_at
from omni.models import ChannelAccount

log = structlog.get_logger(__name__)
IN_MENU = ("Appeared", "Connected")
ROUTE_APART = 2.0
"""Seconds that the vendor wants between two commands/route of one exchange (1.4.2)."""
MOST_TRIES = 5


@dataclass(frozen=True)
class Heard:
    """A caller in the exchange's menu. `number` counts what we were told of this call from 1: the arrival, then each packet of keys."""

    call_key: str
    leg: str
    number: int
    digits: str = ""
    caller: str = ""
    called: str = ""


def hear(account: ChannelAccount, event: RawEvent) -> WebhookReply | None:
    """Have a worker lead the caller; the notice itself is answered as always."""
    try:
        heard = heard_in(json_of(event.body))
    except Unreadable:
        return None
    if heard is not None and calling.has_dialogue(account):
        dispatch.after_commit("bots.tasks.lead_caller", account_id=account.pk, heard=asdict(heard))
    return None


def heard_in(notice: JsonObject) -> Heard | None:
    """What a notice tells of a caller in a menu; None if it is about anything else."""
    location = text_at(notice, "location") or text_at(notice, "locaton")
    call, leg = identifier_at(notice, "entry_id"), identifier_at(notice, "call_id")
    if not call or not leg or not location.startswith("ivr"):
        return None
    if "dtmf" in notice:
        seq, digits = whole_at(notice, "seq"), identifier_at(notice, "dtmf")
        named = {"caller": identifier_at(notice, "from_number"), "called": identifier_at(notice, "line_number")}
        return Heard(call, leg, 1 + seq, digits, **named) if seq else None
    caller, called = object_at(notice, "from"), object_at(notice, "to")
    if text_at(notice, "call_state") not in IN_MENU or identifier_at(caller, "extension"):
        return None
    return Heard(call, leg, 1, caller=identifier_at(caller, "number"), called=identifier_at(called, "line_number"))


def lead(account_id: int, told: Mapping[str, Any], *, tries: int, now: datetime) -> None:
    """Answer what was heard and command it; a command that the exchange cannot take now is tried again a little later.

    Repeats of what was heard command nothing (`tries` 0); a later try repeats the command alone.
    """
    account, heard = ChannelAccount.objects.get(pk=account_id), Heard(**told)
    question = Question(heard.call_key, heard.caller, heard.called, heard.digits[:64], heard.number, speaks=False)
    reply = calling.what_next(account=account, question=question, now=now) if tries else _first(account, question, now=now)
    if reply is None:
        return
    for name, fields in commands_of(reply, heard):
        key = f"otklik-{heard.call_key}-{heard.number}"[:128]
        result = commands.perform(account.config(), name, {"command_id": key, **fields}, key)
        if isinstance(result, Retry) and not result.unknown and tries < MOST_TRIES:
            delay = max(ROUTE_APART, result.after or 0.0)
            with transaction.atomic():
                dispatch.after_commit("bots.tasks.lead_caller", delay=delay, account_id=account_id, heard=dict(told), tries=tries + 1)
        if not isinstance(result, Sent):
            log.warning("the exchange did not take a command", account=account_id, command=name, code=result.code, text=result.text)


def _first(account: ChannelAccount, question: Question, *, now: datetime) -> Reply | None:
    return calling.answered_once(account=account, question=question, now=now)


def commands_of(reply: Reply, heard: Heard) -> Sequence[tuple[str, Mapping[str, str]]]:
    """An answer as commands: where to, or the end, or the recording whose keys are waited for (the last)."""
    leg = {"call_id": heard.leg}
    if reply.transfer:
        return [("route", {**leg, "to_number": reply.transfer})]
    if reply.say:
        return [("play/start", {**leg, "internal_id": reply.say[-1].sound})]
    return [("call/hangup", leg)] if reply.hangup else []
