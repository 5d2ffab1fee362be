"""One port for everything: sockets by Channels, pages by the WSGI application in a fixed pool of threads (docs/adr/0002)."""

from typing import Any, cast

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings

from config.bridge import Pages
from config.garbage import settle
from config.wsgi import application as pages  # sets Django up, so it stands before what imports models

from config.sockets import sockets  # isort: skip
from omni.chat.long_poll import LongPolls  # isort: skip

application = ProtocolTypeRouter(
    {
        "http": LongPolls(cast(Any, Pages(cast(Any, pages), workers=settings.WEB_THREADS))),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(sockets))),
    }
)
settle()  # with the sockets
