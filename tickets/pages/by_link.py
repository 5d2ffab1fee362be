"""Pages that open by a signed link, without a sign-in: limited by network address, in Russian, kept by nobody on the way."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers

from core.refusal import Refusal
from omni.chat import limits
from tickets.services import numbers

Page = Callable[..., HttpResponse]


def by_link(view: Page) -> Callable[..., HttpResponseBase]:
    """A page of a link: throttled; a refusal is a kind page; search engines and caches leave it alone."""

    @wraps(view)
    def entrance(request: HttpRequest, **where: Any) -> HttpResponseBase:
        with translation.override(settings.LANGUAGE_CODE):
            try:
                limits.take(f"link:{address_of(request)}", limit=numbers.current().looks_a_minute, now=timezone.now())
                answer = view(request, **where)
            except Refusal as refusal:
                answer = refused(request, refusal)
        add_never_cache_headers(answer)
        answer.headers["X-Robots-Tag"] = "noindex, nofollow"
        answer.headers["Content-Language"] = settings.LANGUAGE_CODE
        return answer

    return entrance


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A page that says why, and what to do."""
    return render(request, "tickets/link_refused.html", {"refusal": refusal}, status=refusal.status)


def address_of(request: HttpRequest) -> str | None:
    return request.META.get("REMOTE_ADDR") or None
