from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EscalationConfig(AppConfig):
    name = "escalation"
    verbose_name = _("Escalation")

    def ready(self) -> None:
        from escalation import senders  # noqa: PLC0415  models must be loaded first
        from escalation.services.hooks import HookSender  # noqa: PLC0415
        from escalation.states import Channel  # noqa: PLC0415

        senders.register(Channel.WEBHOOK, HookSender())
