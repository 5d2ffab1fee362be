"""Entrances: every page, API call and socket declares the right it needs; what declares nothing is refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext_lazy as _

from core.middleware import wants_json
from core.refusal import NotAllowed

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class Declared(Protocol):
    """What a declared entrance carries: the right it needs, or why it needs none."""

    right: str | None
    public_because: str | None


def require(right: str) -> Callable[[View], View]:
    """The page needs this right. Strangers are sent to the sign-in (programs get 401), others get 403."""

    def declare(view: View) -> View:
        @wraps(view)
        def entrance(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            if not request.user.has_right(right):
                raise NotAllowed(_("Your role does not allow this."))
            return view(request, *args, **kwargs)

        declared = cast(Any, entrance)
        declared.right, declared.public_because = right, None
        return cast(View, entrance)

    return declare


def public(because: str) -> Callable[[View], View]:
    """The page needs no sign-in; `because` says what protects it instead."""

    def declare(view: View) -> View:
        declared = cast(Any, view)
        declared.right, declared.public_because = None, because
        return view

    return declare


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if wants_json(request) or request.headers.get("HX-Request"):
        return JsonResponse({"code": "signed_out", "message": str(_("Please sign in again."))}, status=401)
    return redirect_to_login(request.get_full_path())
