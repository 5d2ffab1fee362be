"""Lists of the admin panel in which a supervisor looks for a ticket by its number."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tickets.models import Case


class ByNumber:
    """The rows of one ticket, by its whole number with or without its sign. `of_case` names the indexed fields that lead to tickets."""

    of_case: tuple[str, ...] = ("case",)
    search_fields = ("case__number",)
    """Shows the box; `get_search_results` does not go by it."""
    search_help_text = _("Number of the ticket")

    def get_search_results(self, request: HttpRequest, queryset: "models.QuerySet[Any]", search_term: str) -> Any:
        number = search_term.strip().lstrip("#№ ")
        if not number:
            return queryset, False
        ids = list(Case.objects.filter(number=number).values_list("pk", flat=True))
        wanted = Q()
        for name in self.of_case:
            wanted |= Q(**{f"{name}__in": ids})
        return queryset.filter(wanted), False
