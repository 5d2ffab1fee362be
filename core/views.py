"""What watchers ask: is it alive, how is it doing."""

import sys

import redis
import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from core.middleware import DATABASE_AWAY, notice, unavailable
from core.redis import client

log = structlog.get_logger(__name__)


def _is_up(check: str) -> bool:
    try:
        if check == "database":
            with connection.cursor() as cursor:
                cursor.execute("select 1")
        else:
            client().ping()
    except (*DATABASE_AWAY, redis.RedisError):
        return False
    return True


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while pages work. Without Redis they still do, only live updates wait: that is said, not failed."""
    parts = {name: _is_up(name) for name in ("database", "redis")}
    return JsonResponse({"ok": parts["database"], **parts}, status=200 if parts["database"] else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format; from this machine, or with the token of METRICS_TOKEN."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    local = request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"} and not token
    if not local and not (token and constant_time_compare(given, token)):
        return HttpResponseForbidden()
    answer: HttpResponse = ExportToDjangoView(request)
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """The last resort: 503 while the database is away, else 500 with the request's id to tell the support."""
    if isinstance(sys.exc_info()[1], DATABASE_AWAY):
        return unavailable(request)
    return notice(request, "server_error", _("Something went wrong here; it has been written down. Please try again."), status=500)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for addresses that nothing answers."""
    return notice(request, "not_found", _("There is no such page."), status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for requests that Django itself refuses: another host, too many fields."""
    return notice(request, "bad_request", _("The request cannot be understood."), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 for what a page refuses without a sentence of its own."""
    return notice(request, "not_allowed", _("Your role does not allow this."), status=403)


def stale_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without the mark of a page of ours (CSRF): mostly a page that outlived its sign-in."""
    log.warning("form without a valid mark", path=request.path, reason=reason)
    return notice(request, "stale_page", _("This page is out of date. Please open it again and repeat."), status=403)


healthz.right = metrics.right = None  # type: ignore[attr-defined]
healthz.public_because = "says only whether the parts are up"  # type: ignore[attr-defined]
metrics.public_because = "local address or METRICS_TOKEN"  # type: ignore[attr-defined]
