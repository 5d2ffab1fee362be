"""Card and points, by the services of loyalty."""

from collections.abc import Mapping

from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bots.engine import Result
from bots.skills.contract import Asking, Skill
from core.refusal import Refusal
from customers.models import Guest
from loyalty import selectors
from loyalty.services import cards

MOST_GUESSES = 5
"""Numbers of cards that a guest may try in vain within a day: whoever guesses is left to a person."""
_OUTCOMES = {"card_unknown": "unknown", "card_of_another": "taken"}


def _activate(asking: Asking, values: Mapping[str, str]) -> Result:
    if asking.guest_id is None or not asking.is_verified:
        return Result("unverified")
    if sum(asking.failures("card", outcome) for outcome in ("unknown", "taken")) >= MOST_GUESSES:
        return Result("too_many")
    try:
        cards.link(number=values.get("card", ""), guest=Guest.objects.get(pk=asking.guest_id), now=asking.now)
    except Refusal as refusal:
        return Result(_OUTCOMES.get(refusal.code, "busy"))
    return Result("done")


def _balance(asking: Asking, values: Mapping[str, str]) -> Result:
    if asking.guest_id is None or not asking.is_verified:
        return Result("unverified")
    if not selectors.list_cards(asking.guest_id):
        return Result("no_card")
    found = selectors.balance_of(asking.guest_id)
    told = [ngettext("You have %(count)d point.", "You have %(count)d points.", found.available) % {"count": found.available}]
    if found.pending:
        told.append(_t("Not ripe yet: %(count)d.") % {"count": found.pending})
    if found.next_ends_at and found.next_points:
        day = timezone.localtime(found.next_ends_at)
        told.append(_t("Expire on %(day)s: %(count)d.") % {"day": f"{day:%d.%m.%Y}", "count": found.next_points})
    return Result("done", " ".join(told), {"points": str(found.available)})


CARD = Skill(
    "card",
    _("Activate a card"),
    {
        "done": _("activated"),
        "unknown": _("there is no such card"),
        "taken": _("the card is another guest's"),
        "busy": _("the card is being used just now"),
        "too_many": _("too many wrong numbers today"),
        "unverified": _("it is not known for sure who asks"),
    },
    _activate,
    ("card",),
)
POINTS = Skill(
    "points",
    _("Balance of points"),
    {"done": _("told"), "no_card": _("the guest has no card"), "unverified": _("it is not known for sure who asks")},
    _balance,
)
