from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from core import shipped  # noqa: PLC0415  models must be loaded first
        from customers import measures  # noqa: PLC0415
        from orders.measures import OrdersNumber, OrdersTotal  # noqa: PLC0415
        from orders.services import defaults  # noqa: PLC0415

        shipped.register(defaults.load)
        measures.register(OrdersTotal())
        measures.register(OrdersNumber())
