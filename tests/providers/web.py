"""Pages for people: a phone to play a Telegram guest by hand at `/`, and a grocery's site with the chat widget at `/shop/`."""

import html
import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tests.providers.frame import Provider, Reply, Request, json_reply
from tests.providers.telegram import TelegramServer

STATIC = Path(__file__).parent / "static"
OWN_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"


class WebPages(Provider):
    """`product` is the origin of the product under test, `site_key` the key of the shop's site in it."""

    name = "web"

    def __init__(self, telegram: TelegramServer, product: str, site_key: str) -> None:
        super().__init__()
        self.telegram = telegram
        self.product = origin_of(product)
        self.site_key = site_key
        self.pages: Mapping[str, Callable[[Request], Reply]] = {
            "/": lambda _: page("phone.html", OWN_POLICY),
            "/shop/": lambda _: page("shop.html", self.shop_policy(), product=self.product, site_key=self.site_key),
            "/phone/chat": self.chat,
            "/phone/file": self.file,
            # Browsers ask for it on their own and would report its absence as an error of the page.
            "/favicon.ico": lambda _: Reply(204),
        }

    def handle(self, request: Request) -> Reply | None:
        if request.path.startswith("/static/"):
            return static(request.path.removeprefix("/static/"))
        found = self.pages.get(request.path)
        return found(request) if found and request.method == "GET" else None

    def shop_policy(self) -> str:
        """As strict as a careful shop would have it: besides itself only the product may give scripts, styles and frames."""
        foreign = f"'self' {self.product}"
        sources = {"default-src": "'none'", "script-src": foreign, "style-src": foreign, "frame-src": foreign}
        sources |= {
            "img-src": "'self'",
            "connect-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
        }
        return "; ".join(f"{name} {value}" for name, value in sources.items())

    def chat(self, request: Request) -> Reply:
        """Both sides of one chat, oldest first."""
        with self.telegram.state.lock:
            chat = self.telegram.state.chats.get(int(request.query.get("chat_id", 0)))
            messages = [message for _, message in sorted(chat.messages.items())] if chat else []
            return json_reply({"messages": messages, "blocked": bool(chat and chat.state == "blocked")})

    def file(self, request: Request) -> Reply:
        """A file of the chat; anything but a picture is a download."""
        stored = self.telegram.state.files.get(request.query.get("id", ""))
        if stored is None:
            return json_reply({"error": "no such file"}, 404)
        mime = mimetypes.guess_type(stored.name)[0] or ""
        shown = mime in ("image/png", "image/jpeg", "image/webp")
        headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "inline" if shown else "attachment"}
        return Reply(body=stored.data, content_type=mime if shown else "application/octet-stream", headers=headers)


def origin_of(address: str) -> str:
    """scheme://host:port of an address. Raises ValueError."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http address: {address}")
    return f"{parts.scheme}://{parts.netloc}"


def page(name: str, policy: str, **values: str) -> Reply:
    """A page of `static/` with `{{name}}` replaced by escaped values."""
    text = (STATIC / name).read_text("utf-8")
    for key, value in values.items():
        text = text.replace(f"{{{{{key}}}}}", html.escape(value))
    return Reply(body=text.encode(), content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy})


def static(name: str) -> Reply:
    """A style or script of `static/`; its folder is flat."""
    types = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
    path = STATIC / Path(name).name
    if path.suffix not in types or not path.is_file():
        return json_reply({"error": "no such file"}, 404)
    return Reply(body=path.read_bytes(), content_type=types[path.suffix], headers={"Cache-Control": "no-store"})
