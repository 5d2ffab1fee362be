"""The admin panel's pages of points."""

from loyalty.admin import compensations, facts, imports, processing, settings  # noqa: F401  registers the pages
