"""Webhooks: verified, stored raw, answered; understood later."""

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.entrance import public
from core.text import storable
from omni import asked, dispatch
from omni.channels.abilities import Greeting, Replying, Waking
from omni.channels.account_form import ALLOWED_FROM
from omni.channels.contract import AccountConfig, Adapter, RawEvent, Unverified, WebhookReply
from omni.channels.registry import adapter_for
from omni.channels.sources import allows
from omni.selectors import find_account
from omni.services import journal, polling
from omni.states import EventState

log = structlog.get_logger(__name__)


def raw_event(request: HttpRequest, body: bytes) -> RawEvent:
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = {name: storable(str(value)) for name, value in request.GET.items()}
    return RawEvent(body=body, headers=headers, query=query, received_at=timezone.now())


def body_of(request: HttpRequest, most: int) -> bytes:
    """The body's first bytes. One that comes in chunks (RFC 9112, 7.1) announces no length, which Django takes for none at all."""
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    body: bytes = request.META["wsgi.input"].read(most) if chunked else request.read(most)
    return body


@csrf_exempt
@require_http_methods(["GET", "POST"])
@public("the provider's signature or secret is verified by the channel's adapter")
def webhook(request: HttpRequest, kind: str, account_id: str) -> HttpResponse:
    """An event of a provider. 403 for a wrong signature or address; all else is kept and answered 200, or it would come for hours."""
    account = find_account(kind=kind, public_id=account_id)
    if account is None:
        log.warning("webhook of an unknown account", kind=kind, account=account_id)
        return JsonResponse({})
    if not allows(account.settings.get(ALLOWED_FROM), str(request.META.get("REMOTE_ADDR") or "")):
        log.warning("webhook from an address that the account does not allow", kind=kind, account=account_id)
        return HttpResponseForbidden()
    body = body_of(request, settings.WEBHOOK_BODY_LIMIT + 1)
    too_large = len(body) > settings.WEBHOOK_BODY_LIMIT
    event = raw_event(request, body[: settings.WEBHOOK_BODY_LIMIT])
    adapter, config = adapter_for(kind), account.config()
    try:
        if (greeted := _greeted(adapter, event, str(request.method), config)) is not None:
            return _http(greeted)
        adapter.verify(event, config)
    except Unverified:
        log.warning("webhook with a wrong signature", kind=kind, account=account_id)
        return HttpResponseForbidden()
    if too_large:
        told = request.META.get("CONTENT_LENGTH") or "in chunks"
        reason = f"{told} bytes: over the limit of {settings.WEBHOOK_BODY_LIMIT}; the beginning is kept"
        journal.keep_refused(account=account, event=event, reason=reason)
    else:
        kept = journal.keep(account=account, event=event)
        if kept is not None and kept.state == EventState.RECEIVED:
            dispatch.wake("omni.tasks.drain_journal")
            if isinstance(adapter, Waking) and adapter.wakes(event, config):
                polling.wake(account.pk, now=event.received_at)
    if not too_large and (said := asked.reply_to(account, event)) is not None:
        return _http(said)
    return _http(adapter.reply(event, config) if isinstance(adapter, Replying) else WebhookReply())


def _greeted(adapter: Adapter, event: RawEvent, method: str, config: AccountConfig) -> WebhookReply | None:
    """The answer to a handshake. A GET that is none is nothing to keep."""
    greeted = adapter.greet(event, method, config) if isinstance(adapter, Greeting) else None
    return WebhookReply(405) if greeted is None and method == "GET" else greeted


def _http(reply: WebhookReply) -> HttpResponse:
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)
