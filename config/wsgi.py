"""Pages and API as WSGI: for gunicorn in production, and inside config.asgi for one port."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from config.garbage import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
# The first page waits for no import, and all that is loaded now is left out of the search for garbage.
get_resolver().url_patterns  # noqa: B018  reading it loads the pages
settle()
