"""The admin panel as an app of the project (https://docs.djangoproject.com/en/5.2/ref/contrib/admin/#overriding-default-admin-site)."""

from django.contrib.admin.apps import AdminConfig


class PanelConfig(AdminConfig):
    default_site = "core.admin_site.Site"
