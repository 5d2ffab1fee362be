"""API: a view declares the right of each method; a method without one is refused."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import Staff

if TYPE_CHECKING:
    from rest_framework.views import APIView


class HasDeclaredRight(BasePermission):
    """API: the view's `rights` map a method to a right; a method without one is refused."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if getattr(view, "public_because", None):
            return True
        right = getattr(view, "rights", {}).get(request.method or "")
        staff = request.user
        if right is None or not isinstance(staff, Staff) or not staff.has_right(right):
            return False
        scopes = getattr(request.auth, "scopes", None)
        return not scopes or right in scopes
