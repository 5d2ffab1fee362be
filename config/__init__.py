"""The project: settings, addresses, servers. Importing it registers the Celery application."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
