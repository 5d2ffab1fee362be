from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from prometheus_client import REGISTRY

from omni.metrics import RowsCollector


class OmniConfig(AppConfig):
    name = "omni"
    verbose_name = _("Channels")

    def ready(self) -> None:
        from customers.holders import register  # noqa: PLC0415  models must be loaded first
        from escalation import senders  # noqa: PLC0415
        from escalation.states import PERSONAL_CHANNELS  # noqa: PLC0415
        from omni import handlers  # noqa: F401, PLC0415
        from omni.channels import kept_secrets  # noqa: PLC0415
        from omni.followers import register as follow  # noqa: PLC0415
        from omni.services.away import AwayPush  # noqa: PLC0415
        from omni.services.clocked import SessionClocks  # noqa: PLC0415
        from omni.services.connections import keep_secrets  # noqa: PLC0415
        from omni.services.guests import DialogueHolder  # noqa: PLC0415
        from omni.services.staff_letters import StaffLetters  # noqa: PLC0415
        from sla import subjects  # noqa: PLC0415

        register(DialogueHolder())
        kept_secrets.register(keep_secrets)
        follow(AwayPush())
        subjects.register(SessionClocks())
        for channel in PERSONAL_CHANNELS:
            senders.register(channel, StaffLetters())
        REGISTRY.register(RowsCollector())
