"""Rights: what a role may be allowed to do. Asked at every entrance."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Right(models.TextChoices):
    DESK = "desk", _("Work at the workstation")
    ANSWER = "answer", _("Answer guests")
    CASES_READ = "cases.read", _("Read tickets of the own groups and stores")
    CASES_WORK = "cases.work", _("Open, route, work on and close tickets")
    MASS_WORK = "cases.mass", _("Work on many tickets at once, and confirm incidents")
    EVERYTHING = "everything.read", _("See tickets and dialogues of all groups")
    PERSONAL = "guests.personal", _("See guests' contacts unmasked (each look is recorded)")
    JOIN_GUESTS = "guests.join", _("Join guests who are one person, and part them again")
    JOURNAL = "journal", _("See and replay the inbound journal")
    SUPERVISE = "supervise", _("See and change the load and presence of operators")
    COMPENSATE = "points.compensate", _("Give guests points as a compensation, within limits")
    APPROVE_POINTS = "points.approve", _("Approve compensations over a limit")
    POINTS = "points.read", _("See the ledger of points")
    LOAD_POINTS = "points.load", _("Load balances and accruals from files")
    LOAD_ORDERS = "orders.load", _("Tell of orders (systems that carry them out)")
    REPORTS = "reports", _("Read reports")
    ADMIN = "admin", _("Enter the admin panel")
    CONFIGURE = "configure", _("Change settings in the admin panel")


def choices() -> "list[tuple[str, _StrPromise]]":
    """What a field of rights offers. As a function: a new right is then no change of the base's shape, and needs no migration."""
    return Right.choices
