"""Reads of people together with their standing: what each page and each sign of life asks first."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, F, Func, OuterRef

from accounts.models import ApiToken, Membership, Role, Staff
from core.statements import Prepared


def _standing(staff: str) -> dict[str, Any]:
    """The rights and the active groups of the row's person, as arrays."""
    unnested = Func(F("rights"), function="unnest", output_field=CharField())
    rights = Role.objects.filter(staff=OuterRef(staff)).order_by().annotate(one=unnested).values("one")
    groups = Membership.objects.filter(staff=OuterRef(staff), group__is_active=True).order_by("group_id").values("group_id")
    return {"granted": ArraySubquery(rights), "of_groups": ArraySubquery(groups)}


_STAFF = Prepared(lambda pk: Staff.objects.filter(pk=pk).annotate(**_standing("pk")))
_TOKEN = Prepared(lambda digest: ApiToken.objects.select_related("staff").filter(digest=digest).annotate(**_standing("staff_id")))


def find_staff(pk: int) -> Staff | None:
    """The person with rights and groups, active or not, by one statement."""
    found = _STAFF.first(pk=pk)
    if found is not None:
        _tell(found, found)
    return found


def find_token(digest: str) -> ApiToken | None:
    """The API token with its person, as `find_staff`."""
    found = _TOKEN.first(digest=digest)
    if found is not None:
        _tell(found.staff, found)
    return found


def _tell(staff: Staff, row: Any) -> None:
    staff.know(granted=row.granted, groups=row.of_groups)
