from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Tickets")

    def ready(self) -> None:
        from omni.followers import register  # noqa: PLC0415  models must be loaded first
        from tickets import handlers  # noqa: F401, PLC0415
        from tickets.services.following import CaseFollower  # noqa: PLC0415

        register(CaseFollower())
