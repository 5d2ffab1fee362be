"""IVR: what exchanges ask while a caller is on the line. See docs/ivr.md for the forms."""

import base64
import binascii
import hmac
import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.entrance import public
from bots.services import calling
from bots.services.calling import Question, Reply
from core.text import storable
from omni.channels.contract import Unverified
from omni.channels.registry import adapter_for
from omni.channels.telephony.items import whole_at
from omni.models import ChannelAccount
from omni.selectors import find_account
from omni.views import raw_event

log = structlog.get_logger(__name__)
MOST_BYTES = 64 * 1024


@csrf_exempt
@require_POST
@public("the exchange signs each question with the account's key")
def signed_question(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """The generic exchange asks in JSON, signed as its events are. 403 for a wrong signature, 400 for what cannot be read."""
    account = find_account(kind="voice", public_id=str(account_id))
    if account is None or len(request.body) > MOST_BYTES:
        return HttpResponseForbidden()
    try:
        adapter_for("voice").verify(raw_event(request, request.body), account.config())
    except Unverified:
        log.warning("a question of an exchange with a wrong signature", account=str(account_id))
        return HttpResponseForbidden()
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    question = _question(body, key="call_key") if isinstance(body, dict) else None
    if question is None:
        return JsonResponse({"code": "unreadable", "message": "call_key is missing"}, status=400)
    return JsonResponse(calling.what_next(account=account, question=question, now=timezone.now()).as_json())


@csrf_exempt
@require_POST
@public("the dialplan signs in with the account's key (HTTP Basic)")
def dialplan_question(request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
    """Asterisk's dialplan asks by CURL() in a form; the answer is one, so that HASH() takes it apart (CURLOPT hashcompat)."""
    account = find_account(kind="asterisk", public_id=str(account_id))
    if account is None or not _signed_in(request, account):
        return HttpResponseForbidden()
    question = _question(request.POST.dict(), key="call")
    if question is None:
        return HttpResponse("error=call+is+missing", status=400, content_type="application/x-www-form-urlencoded")
    reply = calling.what_next(account=account, question=question, now=timezone.now())
    return HttpResponse(urlencode(_flat(reply)), content_type="application/x-www-form-urlencoded; charset=utf-8")


def _signed_in(request: HttpRequest, account: ChannelAccount) -> bool:
    scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
    try:
        password = base64.b64decode(given, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return False
    key = account.config().secrets.get("ivr_key", "")
    return scheme.lower() == "basic" and bool(key) and hmac.compare_digest(password, key.encode())


def _question(given: Mapping[str, Any], *, key: str) -> Question | None:
    named = _text(given, key)
    if not named:
        return None
    return Question(
        call_key=named,
        caller=_text(given, "caller"),
        called=_text(given, "called"),
        digits=_text(given, "digits")[:64],
        number=whole_at(given, "seq"),
        is_over=_text(given, "event") == "hangup",
    )


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return storable(str(value)).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _flat(reply: Reply) -> dict[str, str]:
    """One text and one recording (recordings joined by & as Playback takes them), the keys, where to go."""
    return {
        "text": " ".join(one.text for one in reply.say if not one.sound or not all(other.sound for other in reply.say)),
        "sound": "&".join(one.sound for one in reply.say) if reply.say and all(one.sound for one in reply.say) else "",
        "digits": str(reply.digits),
        "timeout": str(reply.timeout),
        "transfer": reply.transfer,
        "hangup": "1" if reply.hangup else "0",
    }
