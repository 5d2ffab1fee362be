"""`python -m tests.providers --port N`: the outside world of a running product as one process on loopback.

Prints one line with its address when it answers; ends on SIGINT or SIGTERM. With `--port 0` it takes a free port.
"""

import argparse
import json
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.providers.channels import channel_arguments, channel_servers
from tests.providers.frame import Frame, Provider
from tests.providers.mail import mail_arguments, mail_servers
from tests.providers.played import PlayedGuests
from tests.providers.telegram import TOKEN, TelegramServer
from tests.providers.telegram_rules import BotError
from tests.providers.web import WebPages

Part = tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], Sequence[Provider]]]


def telegram_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--telegram-token", default=TOKEN, help="token of the bot")
    parser.add_argument("--telegram-secret", default="", help="secret token sent with each update")
    parser.add_argument("--telegram-webhook", default="", metavar="URL", help="register this webhook at once")
    parser.add_argument("--product", default="http://127.0.0.1:8000", metavar="URL", help="origin of the product under test")
    parser.add_argument("--site-key", default="demo", metavar="KEY", help="key of the web-chat site the shop's page loads")


def telegram_and_pages(options: argparse.Namespace) -> Sequence[Provider]:
    telegram = TelegramServer(options.telegram_token)
    if options.telegram_webhook:
        telegram.webhook.register({"url": options.telegram_webhook, "secret_token": options.telegram_secret})
    return telegram, WebPages(telegram, options.product, options.site_key)


def channels_and_guests(options: argparse.Namespace) -> Sequence[Provider]:
    servers = channel_servers(options)
    return *servers, PlayedGuests(servers)


PARTS: tuple[Part, ...] = (
    (telegram_arguments, telegram_and_pages),
    (mail_arguments, mail_servers),
    (channel_arguments, channels_and_guests),
)
"""Each part of the outside world: its options, then its providers."""


def demo_defaults(path: Path) -> Mapping[str, Any]:
    """Options as the product's demo day wrote them down (`manage.py load_demo`); a file that is not there says nothing."""
    try:
        demo = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    found = {f"telegram_{name}": demo.get("telegram", {}).get(name) for name in ("token", "secret", "webhook")}
    found |= {f"mail_{name}": demo.get("mail", {}).get(name) for name in ("address", "password")}
    found |= {name: demo.get("mail", {}).get(name) for name in ("smtp_port", "imap_port")}
    found |= {name: demo.get(name) for name in ("site_key", "product", "channels")}
    return {name: value for name, value in found.items() if value}


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.providers", description=__doc__)
    parser.add_argument("--port", type=int, default=8090, help="port on 127.0.0.1; 0 = a free one")
    parser.add_argument("--demo", type=Path, metavar="FILE", help="take the options of the parts from the product's demo.json")
    for add_arguments, _ in PARTS:
        add_arguments(parser)
    if path := parser.parse_args(arguments).demo:
        parser.set_defaults(**demo_defaults(path))
    return parser.parse_args(arguments)


def built(options: argparse.Namespace) -> Frame:
    """The frame with all parts. Exits with one sentence for a wrong option or a port in use."""
    try:
        providers = [provider for _, build in PARTS for provider in build(options)]
        return Frame(*providers, port=options.port)
    except (ValueError, BotError, OverflowError) as error:
        raise SystemExit(f"Wrong option: {error}") from error
    except OSError as error:
        raise SystemExit(f"Port {options.port} cannot be used: {error.strerror}") from error


def main() -> None:
    options = parsed()
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    try:
        with built(options) as frame:
            print(f"Providers ready at {frame.url}/ (shop: {frame.url}/shop/, mail: {frame.url}/mail/)", flush=True)
            stop.wait()
    except OSError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
