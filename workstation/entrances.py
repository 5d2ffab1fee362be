"""Who enters the desk, and commands as one shape: right, POST, idempotency key, JSON."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.entrance import require
from accounts.models import Staff
from accounts.rights import Right
from core.commands import Answer, once, parse_key

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
Deed = Callable[..., Answer]


def may_enter(staff: Staff) -> bool:
    """Whether the desk is open to the person: operators and experts by DESK, store staff by CASES_READ. As in worklist.querysets."""
    return staff.has_right(Right.DESK) or staff.has_right(Right.CASES_READ)


def at_desk(view: View) -> View:
    """The page belongs to the desk (`may_enter`). It declares DESK, and CASES_READ as the other way in (`or_right`)."""
    refusing = require(Right.DESK)(view)

    @wraps(view)
    def entrance(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        staff = request.user
        inside = isinstance(staff, Staff) and may_enter(staff)
        return (view if inside else refusing)(request, *args, **kwargs)

    declared = cast(Any, entrance)
    declared.right, declared.or_right, declared.public_because = Right.DESK, Right.CASES_READ, None
    return cast(View, entrance)


def staff_of(request: HttpRequest) -> Staff:
    """The signed-in person of a guarded page."""
    return cast(Staff, request.user)


def command(name: str, *, right: str | None = None) -> Callable[[Deed], Callable[..., HttpResponseBase]]:
    """A command of the desk, carried out once per Idempotency-Key; `right` None = everybody at the desk.

    The deed gets `fields` (the form), `files`, `by`, `now` and the address's parts, and returns the JSON answer.
    """

    def declare(deed: Deed) -> Callable[..., HttpResponseBase]:
        @require_POST
        @wraps(deed)
        def carry_out(request: HttpRequest, **where: Any) -> HttpResponseBase:
            by, now = staff_of(request), timezone.now()
            key = parse_key(request.headers.get("Idempotency-Key"))

            def run() -> Answer:
                return deed(fields=request.POST, files=request.FILES.getlist("files"), by=by, now=now, **where)

            return JsonResponse(once(key=key, name=name, by=by, run=run))

        return require(right)(carry_out) if right else at_desk(carry_out)

    return declare
