"""Reads of stores."""

from django.db.models import QuerySet

from accounts.models import Staff
from core.statements import Prepared
from core.text import searchable
from stores.models import Store, StoreStaff

_STORES = Prepared(lambda staff: StoreStaff.objects.filter(staff=staff).order_by("store_id").values_list("store_id", flat=True))


def find_stores(words: str, *, limit: int = 20) -> QuerySet[Store]:
    """Stores whose number begins with the words, or whose number, name or address holds all of them."""
    found = Store.objects.filter(is_open=True).select_related("region")
    for word in searchable(words).split():
        found = found.filter(search_text__contains=word)
    return found.order_by("number")[:limit]


def list_store_ids(staff: Staff) -> tuple[int, ...]:
    """Ids of the stores where the person works; read once per loaded instance."""
    kept: tuple[int, ...] | None = staff.__dict__.get("_store_ids")
    if kept is None:
        kept = staff.__dict__["_store_ids"] = tuple(_STORES.all(staff=staff.pk))
    return kept
