"""The audit trail: one call inside the transaction of each deed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Model

from core.models import AuditEntry
from core.statements import insert

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


class OutsideTransaction(RuntimeError):
    """An audit row must live and die with the deed: call inside transaction.atomic()."""


def subject_of(thing: Model) -> str:
    """`case:4711` for a model instance."""
    return f"{thing._meta.model_name}:{thing.pk}"


def record(
    *,
    action: str,
    by: "AbstractBaseUser | None",
    subject: Model | str,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> AuditEntry:
    """Write one audit row. `by` None = the system itself. Raises OutsideTransaction."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(action)
    named = subject if isinstance(subject, str) else subject_of(subject)
    by_id = by.pk if by else None
    return insert(AuditEntry(at=now, action=action, by_id=by_id, subject=named, details=dict(details or {}), address=address))


def record_all(*, action: str, subjects: Iterable[str], now: datetime) -> None:
    """Write down a deed of the system itself for each of many subjects, at once. Raises OutsideTransaction."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(action)
    AuditEntry.objects.bulk_create(
        (AuditEntry(at=now, action=action, by_id=None, subject=subject, details={}) for subject in subjects), batch_size=500
    )
