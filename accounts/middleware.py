"""The reader's language and time zone: the person's own, else the cookie's, else Russian (docs/adr)."""

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

from accounts.models import Staff


class ReaderLanguage:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language, zone = settings.LANGUAGE_CODE, None
        known = dict(settings.LANGUAGES)
        cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if cookie in known:
            language = cookie
        # A visitor without a session cookie cannot be signed in: spare the look-up (webhooks, widget, assets).
        if settings.SESSION_COOKIE_NAME in request.COOKIES and isinstance(request.user, Staff):
            language, zone = request.user.language, request.user.time_zone
        translation.activate(language)
        if zone:
            timezone.activate(zoneinfo.ZoneInfo(zone))
        else:
            timezone.deactivate()
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", translation.get_language())
        return response
