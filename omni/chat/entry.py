"""The way into the chat's API: JSON in and out, errors as {"code", "message", "fields"?}, the visitor's language and token."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from accounts.entrance import public
from core.refusal import Refusal
from omni.chat import limits, sites, tokens
from omni.chat.forms import FormRefusal
from omni.chat.limits import TooMany
from omni.chat.sites import Site
from omni.models import ChatToken

Answer = dict[str, Any] | HttpResponseBase
Plain = Callable[..., Answer]
View = Callable[..., HttpResponseBase]
BODY_LIMIT = 64 * 1024
PROTECTED_BY = "the visitor's token, the site's origins and limits per visitor and address protect it"


def entrance(method: str) -> Callable[[Plain], View]:
    """A view of the chat's API for one method. Refusals are answered in the language of Accept-Language."""

    def declare(view: Plain) -> View:
        @csrf_exempt
        @public(PROTECTED_BY)
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with translation.override(language_of(request)):
                if request.method != method:
                    return _refused(Refusal("method", _("This address is not used in this way."), status=405))
                try:
                    made = view(request, *args, **kwargs)
                except Refusal as refusal:
                    return _refused(refusal)
                return JsonResponse(made) if isinstance(made, dict) else made

        return answer

    return declare


def language_of(request: HttpRequest) -> str:
    """The first of our languages that the browser names, else the product's own."""
    known = dict(settings.LANGUAGES)
    wanted = [part.strip()[:2].lower() for part in request.headers.get("Accept-Language", "").split(",")]
    return next((code for code in wanted if code in known), settings.LANGUAGE_CODE)


def _refused(refusal: Refusal) -> JsonResponse:
    body: dict[str, Any] = {"code": refusal.code, "message": str(refusal.text)}
    if isinstance(refusal, FormRefusal):
        body["fields"] = refusal.fields
    answer = JsonResponse(body, status=refusal.status)
    if isinstance(refusal, TooMany):
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of the request. Raises Refusal."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_LIMIT:
        raise Refusal("too_large", _("The request is too large."), status=413)
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refusal("not_json", _("The request must be a JSON object."), status=400)
    return body


def own_origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def address_of(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR") or "")


def presented_token(request: HttpRequest) -> str:
    """The token of `Authorization: Bearer ...` (RFC 6750); empty when there is none."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def visitor_of(request: HttpRequest, *, now: datetime) -> tuple[Site, ChatToken]:
    """Whose request it is. Raises Refusal: no live token (401), a foreign origin (403)."""
    row = tokens.find(presented_token(request), now=now)
    if row is None:
        raise Refusal("token", _("The chat session has ended. Please open the chat again."), status=401)
    site = sites.site_of(row.account)
    sites.check_origin(site, origin=request.headers.get("Origin", ""), own=own_origin(request))
    return site, row


def count(request: HttpRequest, site: Site, what: str, *, token: ChatToken | None = None, member: str = "", now: datetime) -> None:
    """Count one request against the visitor's and the address's limits of this kind. Raises TooMany (429)."""
    if token is not None:
        limits.take(f"{what}:token:{token.pk}", limit=site.limit(f"{what}_per_visitor"), now=now, member=member)
    if f"{what}_per_address" in sites.LIMITS:
        bucket = f"{what}:{site.account.pk}:{address_of(request)}"
        limits.take(bucket, limit=site.limit(f"{what}_per_address"), now=now, member=member)
