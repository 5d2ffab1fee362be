from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoyaltyConfig(AppConfig):
    name = "loyalty"
    verbose_name = _("Loyalty")

    def ready(self) -> None:
        from customers import measures  # noqa: PLC0415  models must be loaded first
        from loyalty import handlers  # noqa: F401, PLC0415
        from loyalty.measures import PointsEarned  # noqa: PLC0415

        measures.register(PointsEarned())
