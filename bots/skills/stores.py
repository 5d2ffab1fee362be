"""Hours of stores."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from bots.engine import Result
from bots.skills.contract import Asking, Skill
from stores.models import Store
from stores.selectors import find_stores

SHOWN = 3


def _hours(asking: Asking, values: Mapping[str, str]) -> Result:
    wanted = values.get("store", "")
    exact = list(Store.objects.filter(number=wanted.strip("№# "), is_open=True)[:1])
    found = exact or list(find_stores(wanted, limit=SHOWN + 1)) if wanted.strip() else []
    if not found:
        return Result("none")
    if len(found) > SHOWN:
        return Result("many")
    return Result("done", "\n".join(_line(store, asking.now) for store in found), {"store": found[0].number})


def _line(store: Store, now: datetime) -> str:
    here = now.astimezone(ZoneInfo(store.time_zone)).time()
    late = store.closes_at <= store.opens_at  # past midnight, or round the clock
    is_open = here >= store.opens_at or here < store.closes_at if late else store.opens_at <= here < store.closes_at
    if store.opens_at == store.closes_at:
        hours = _t("round the clock")
    else:
        hours = _t("from %(opens)s to %(closes)s") % {"opens": f"{store.opens_at:%H:%M}", "closes": f"{store.closes_at:%H:%M}"}
    state = _t("open now") if is_open else _t("closed now")
    return f"{store.address or store.name}: {hours}, {state}."


STORES = Skill(
    "stores",
    _("Hours of a store"),
    {"done": _("told"), "many": _("too many stores fit"), "none": _("no such store")},
    _hours,
    ("store",),
)
