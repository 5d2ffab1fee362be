from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KnowledgeConfig(AppConfig):
    name = "knowledge"
    verbose_name = _("Knowledge base")

    def ready(self) -> None:
        from core import shipped  # noqa: PLC0415  models must be loaded first
        from knowledge.services import defaults  # noqa: PLC0415

        shipped.register(defaults.load)
