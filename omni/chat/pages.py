"""What host pages load: the loader at its stable address, and the frame in which the chat lives."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe

from accounts.entrance import public
from core.refusal import Refusal
from omni.chat import sites, texts
from omni.chat.entry import language_of, own_origin
from omni.chat.sessions import settings_of
from omni.chat.sites import Site

# Messages between the host page and the frame carry it; the two are loaded apart and may be of different ages.
PROTOCOL = 1
_FOLDER = Path(settings.BASE_DIR) / "static" / "widget"
_TEXTS_HERE = "{} /* texts */"
_SHORT = cache_control(public=True, max_age=300)
THEMES = frozenset({"auto", "light", "dark"})


@lru_cache(maxsize=8)
def _file(name: str, changed: int) -> str:
    return (_FOLDER / name).read_text()


def _script() -> str:
    source = _file("loader.js", (_FOLDER / "loader.js").stat().st_mtime_ns)
    known = texts.launcher_in([code for code, _name in settings.LANGUAGES])
    return source.replace(_TEXTS_HERE, json.dumps(known, ensure_ascii=False, separators=(",", ":")))


def _style() -> str:
    return _file("loader.css", (_FOLDER / "loader.css").stat().st_mtime_ns)


def _etag(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


@public("the widget's loader is for every visitor of every site and holds no data")
@require_safe
@gzip_page
@_SHORT
@condition(etag_func=lambda request: _etag(_script()))
def loader_script(request: HttpRequest) -> HttpResponse:
    """The script that a host page names: <script async src=".../widget/loader.js" data-site="KEY">."""
    return HttpResponse(_script(), content_type="text/javascript; charset=utf-8")


@public("the look of the launcher holds no data")
@require_safe
@gzip_page
@_SHORT
@condition(etag_func=lambda request: _etag(_style()))
def loader_style(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_style(), content_type="text/css; charset=utf-8")


@public("only the site's registered origins may frame it; who writes is told by the visitor's token")
@require_safe
@xframe_options_exempt
def frame(request: HttpRequest, site_key: str) -> HttpResponse:
    """The chat of a site; ?lang=ru|en and ?theme=auto|light|dark. Raises Refusal for an unknown site or a foreign page."""
    wanted = request.GET.get("lang", "")
    language = wanted if wanted in dict(settings.LANGUAGES) else language_of(request)
    with translation.override(language):
        site = sites.find_site(site_key)
        _check_framing(request, site)
        theme = request.GET.get("theme", "auto")
        context = {
            "site": site,
            "theme": theme if theme in THEMES else "auto",
            "other": _other(language),
            "data": _data(site, language),
        }
        response = render(request, "widget/frame.html", context)
    response.headers["Content-Language"] = language
    response.headers["Cache-Control"] = "no-cache"
    own = request.get_host()
    scheme = "wss" if request.is_secure() else "ws"
    policy = {"frame-ancestors": list(site.origins) or ["'none'"], "connect-src": ["'self'", f"{scheme}://{own}"]}
    response._csp_replace = policy  # type: ignore[attr-defined]
    return response


def _check_framing(request: HttpRequest, site: Site) -> None:
    """A browser that says where the frame stands is believed early; the policy's frame-ancestors holds for all."""
    origin = sites.origin_of(request.headers.get("Referer", ""))
    if origin and origin != own_origin(request) and origin not in site.origins:
        raise Refusal("origin_unknown", _("The chat is not open for this site."), status=403)


def _other(language: str) -> dict[str, str]:
    """The language that the reader may change to, named in itself."""
    code = next(code for code, _name in settings.LANGUAGES if code != language)
    return {"code": code, "name": {"ru": "Русский", "en": "English"}[code]}


def _data(site: Site, language: str) -> dict[str, object]:
    """What the scripts read."""
    return {
        "protocol": PROTOCOL,
        "site": site.key,
        "origins": list(site.origins),
        "language": language,
        "texts": texts.frame(),
        "unread": texts.unread(),
        "settings": settings_of(site),
    }
