from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from prometheus_client import REGISTRY

from omni.metrics import RowsCollector


class OmniConfig(AppConfig):
    name = "omni"
    verbose_name = _("Channels")

    def ready(self) -> None:
        REGISTRY.register(RowsCollector())
