"""The admin panel's site."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from unfold.sites import UnfoldAdminSite


class Site(UnfoldAdminSite):  # type: ignore[misc]  # the package is untyped
    """The menu is a table of ours (reports/navigation.py): the list of all applications is made for the pages that show it alone."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """As the site's own, made at the first look: every page of the panel asks for it and nearly none shows it."""
        listed = super().get_app_list
        return SimpleLazyObject(lambda: listed(request, app_label))
