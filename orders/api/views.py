"""The entrance by which the systems that carry orders out tell of them."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import KEY, checked, once, staff_of
from accounts.rights import Right
from orders.api import schemas
from orders.services import importing
from orders.types import Line, Told


class OrdersView(APIView):
    rights = {"POST": Right.LOAD_ORDERS}

    @extend_schema(
        operation_id="orders_load",
        parameters=[KEY],
        request=schemas.OrdersInput,
        responses={200: schemas.LoadedOutput, **dict.fromkeys((400, 403, 409), schemas.OrdersFaultOutput)},
    )
    def post(self, request: Request) -> Response:
        """Tell of at most 500 orders; of several news of one order the newest counts, whatever their order."""
        told = [_told(one) for one in checked(schemas.OrdersInput, request.data)["orders"]]
        run = lambda: asdict(importing.load(told, by=staff_of(request), now=timezone.now()))  # noqa: E731
        return Response(once(request, "api.orders.load", run))


def _told(given: dict[str, Any]) -> Told:
    lines = given["lines"]
    return Told(**{**given, "lines": None if lines is None else [Line(**line) for line in lines]})
