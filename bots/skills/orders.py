"""A guest's orders: told for telephones alone that were vouched for."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from bots.engine import Result
from bots.skills.contract import Asking, Skill
from orders import selectors


def _status(asking: Asking, values: Mapping[str, str]) -> Result:
    if not asking.phones:
        return Result("unverified")
    found = selectors.list_orders(asking.phones, number=values.get("order", ""))
    if not found:
        return Result("none")
    return Result("done", "\n".join(selectors.in_words(order) for order in found), {"order": found[0].number})


ORDERS = Skill(
    "orders",
    _("Where is my order"),
    {"done": _("told"), "none": _("no order of this telephone"), "unverified": _("it is not known for sure who asks")},
    _status,
)
