from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = _("Guests")

    def ready(self) -> None:
        from core import shipped  # noqa: PLC0415  models must be loaded first
        from customers import handlers  # noqa: F401, PLC0415
        from customers.services import default_segments  # noqa: PLC0415

        shipped.register(default_segments.load)
