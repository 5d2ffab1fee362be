from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BotsConfig(AppConfig):
    name = "bots"
    verbose_name = _("Bots")

    def ready(self) -> None:
        from bots import handlers  # noqa: F401, PLC0415  models must be loaded first
        from bots.services import defaults, mango, zadarma  # noqa: PLC0415
        from bots.services.talking import BotResponder  # noqa: PLC0415
        from core import shipped  # noqa: PLC0415
        from omni import asked, responders  # noqa: PLC0415

        asked.register("zadarma", zadarma.reply_to)
        asked.register("mango", mango.hear)
        responders.register(BotResponder())
        shipped.register(defaults.load)
