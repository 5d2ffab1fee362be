"""Pages and API as WSGI: for gunicorn in production, and inside config.asgi for one port."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
