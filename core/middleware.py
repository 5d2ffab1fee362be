"""What happens around every page: a request id in the logs, a sentence when the database is away, refusals as answers."""

import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from core.refusal import Refusal

log = structlog.get_logger(__name__)
LARGEST_ID = 2**63 - 1
DATABASE_AWAY = (OperationalError, InterfaceError)
Handler = Callable[[HttpRequest], HttpResponseBase]


def wants_json(request: HttpRequest) -> bool:
    """Whether the caller is a program: the API, the chat, a webhook, or a script that asks for JSON."""
    return request.path.startswith(("/api/", "/chat/", "/hooks/")) or "application/json" in request.headers.get("Accept", "")


class RequestId:
    """Gives each request an id (or keeps the caller's X-Request-Id), returns it and puts it into every log line."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if 8 <= len(given) <= 64 and given.isascii() and given.isprintable() else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request_id
        return response


def notice(request: HttpRequest, code: str, text: str, *, status: int) -> HttpResponse:
    """A sentence as an answer: JSON for programs, a page for people. Asks neither the database nor the session."""
    if wants_json(request):
        return JsonResponse({"code": code, "message": text}, status=status)
    return HttpResponse(render_to_string("core/notice.html", {"text": text}), status=status)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503 with a sentence: JSON for programs, a page for people."""
    log.warning("database is away", path=request.path, exc_info=True)
    text = _("The service is restarting. Nothing is lost; please try again in a minute.")
    answer = notice(request, "unavailable", text, status=503)
    answer.headers["Retry-After"] = "5"
    return answer


class DatabaseDown:
    """Answers 503 with a sentence while PostgreSQL is away, instead of a traceback."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unavailable(request) if isinstance(exception, DATABASE_AWAY) else None


class StorableRequest:
    """Answers at the door what no row could hold: 404 for a number larger than any id, 400 for a zero byte in the address."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, object]) -> HttpResponse | None:
        if any(isinstance(value, int) and value > LARGEST_ID for value in kwargs.values()):
            return notice(request, "not_found", _("There is no such page."), status=404)
        if "%00" in request.META.get("QUERY_STRING", ""):
            return notice(request, "bad_request", _("The request cannot be understood."), status=400)
        return None


class RefusalAnswer:
    """Turns a Refusal raised anywhere below a page into an answer with its sentence."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refusal):
            return None
        return notice(request, exception.code, str(exception.text), status=exception.status)


class AdminPolicy:
    """Gives the admin panel, and nothing else, the content security policy that its look needs."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_replace = settings.ADMIN_SECURITY_POLICY  # type: ignore[attr-defined]
        return response
