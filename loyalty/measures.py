"""What loyalty measures of guests, for rules of segments."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from loyalty.models import Account, Transfer
from loyalty.states import TransferKind


class PointsEarned:
    """Points accrued for purchases, without those taken back: what a card's turnover is seen by."""

    code = "points_earned"
    name = _("points earned by purchases")

    def reaching(self, *, since: datetime, least: int, guest_ids: Collection[int] | None = None) -> Collection[int]:
        got = self._sums("credit", TransferKind.ACCRUAL, since, guest_ids)
        if not got:
            return set()
        lost = self._sums("debit", TransferKind.REVERSAL, since, guest_ids)
        return {guest for guest, points in got.items() if points - lost.get(guest, 0) >= least}

    def _sums(self, side: str, kind: TransferKind, since: datetime, guest_ids: Collection[int] | None) -> dict[int, int]:
        found = Transfer.objects.filter(kind=kind, at__gte=since, **{f"{side}__wallet__guest__isnull": False})
        if guest_ids is not None:
            found = found.filter(**{f"{side}__in": list(Account.objects.filter(wallet__guest__in=guest_ids).values_list("pk", flat=True))})
        rows = found.values_list(f"{side}__wallet__guest").annotate(points=Sum("amount")).order_by()
        return dict(rows)
