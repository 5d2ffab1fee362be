from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Tickets")

    def ready(self) -> None:
        from core import shipped  # noqa: PLC0415  models must be loaded first
        from customers import holders  # noqa: PLC0415
        from escalation import subjects  # noqa: PLC0415
        from loyalty import grounds  # noqa: PLC0415
        from loyalty import notices as points_notices  # noqa: PLC0415
        from omni import readers  # noqa: PLC0415
        from omni.followers import register  # noqa: PLC0415
        from sla import subjects as clocked  # noqa: PLC0415
        from tickets import handlers  # noqa: F401, PLC0415
        from tickets.services import cases, default_asking  # noqa: PLC0415
        from tickets.services.clocked import CaseClocks  # noqa: PLC0415
        from tickets.services.compensating import CaseGrounds  # noqa: PLC0415
        from tickets.services.escalating import CaseSubjects  # noqa: PLC0415
        from tickets.services.following import CaseFollower  # noqa: PLC0415
        from tickets.services.guests import CaseHolder  # noqa: PLC0415
        from tickets.services.mark_reading import MarkReader  # noqa: PLC0415
        from tickets.services.points_notices import PointsNotices  # noqa: PLC0415
        from tickets.services.relaying import JoinedFollower  # noqa: PLC0415

        register(CaseFollower())
        register(JoinedFollower())
        subjects.register(CaseSubjects(take=cases.take))
        holders.register(CaseHolder())
        grounds.register(CaseGrounds())
        points_notices.register(PointsNotices())
        shipped.register(default_asking.load)
        readers.register(MarkReader())
        clocked.register(CaseClocks())
