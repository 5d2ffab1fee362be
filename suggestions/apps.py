from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SuggestionsConfig(AppConfig):
    name = "suggestions"
    verbose_name = _("Topic suggestions")

    def ready(self) -> None:
        from suggestions import handlers  # noqa: F401, PLC0415
