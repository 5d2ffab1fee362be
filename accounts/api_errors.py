"""One shape for all faults of the API."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler

from core.refusal import Refusal


def api_exception(exception: Exception, context: dict[str, Any]) -> Response | None:
    """One shape for all faults of the API: {"code", "message", "fields"?}."""
    if isinstance(exception, Refusal):
        return Response({"code": exception.code, "message": str(exception.text)}, status=exception.status)
    answer = exception_handler(exception, context)
    if answer is None or not isinstance(exception, APIException):
        if answer is not None:  # Django's own Http404 and PermissionDenied
            answer.data = {"code": "not_found" if answer.status_code == 404 else "not_allowed", "message": answer.data["detail"]}
        return answer
    if isinstance(exception.detail, dict | list):
        answer.data = {"code": "invalid", "message": str(_("Some fields are wrong.")), "fields": exception.detail}
    else:
        answer.data = {"code": str(exception.get_codes()), "message": str(exception.detail)}
    return answer
