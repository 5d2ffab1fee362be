"""The servers of all channels besides Telegram and mail, each built for the account that the product's demo has made."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.providers.app_store import AppStoreServer
from tests.providers.appgallery import AppGalleryServer
from tests.providers.asterisk import AsteriskServer
from tests.providers.exchanges import UisExchange, VoiceExchange
from tests.providers.facebook import FacebookServer
from tests.providers.fcm import FcmServer
from tests.providers.frame import Provider
from tests.providers.google_play import GooglePlayServer
from tests.providers.hms import HmsServer
from tests.providers.mango import MangoServer
from tests.providers.max import MaxBotServer, MaxServer
from tests.providers.ok import OkServer
from tests.providers.ozon import OzonServer
from tests.providers.reviews_import import ReviewsVendor
from tests.providers.rss import RssServer
from tests.providers.smsaero import SmsAeroServer
from tests.providers.smsc import SmscServer
from tests.providers.viber import ViberServer
from tests.providers.vk import VkServer
from tests.providers.whatsapp import WhatsAppServer
from tests.providers.wildberries import WildberriesServer
from tests.providers.yandex_market import YandexMarketServer
from tests.providers.zadarma import ZadarmaServer


def google_key(service_account: str) -> Any:
    """The key in the JSON file of a service account."""
    return pem_key(json.loads(service_account)["private_key"])


def pem_key(text: str) -> Any:
    return load_pem_private_key(text.encode(), None)


def port_of(ari: Mapping[str, Any]) -> int:
    """Where the account wants to find ARI."""
    return urlsplit(ari["address"]).port or 0


@dataclass(frozen=True)
class Server:
    """How a server is made: its arguments, each from a secret or a setting of the account, read by `reading` where it is no text."""

    make: Callable[..., Provider]
    secrets: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    reading: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def built(self, account: Mapping[str, Any]) -> Provider:
        """A server for {"settings", "secrets", "webhook"}; what the account does not say is as in the tests. Raises ValueError."""
        found = {name: account.get("secrets", {}).get(key) for name, key in self.secrets.items()}
        found |= {name: account.get("settings", {}).get(key) for name, key in self.settings.items()}
        given = {name: self.reading.get(name, str)(value) for name, value in found.items() if value}
        provider = self.make(**given, **self.fixed)
        if account.get("webhook"):
            register = provider.commands.get("callback") or provider.commands["webhook"]
            register({"url": account["webhook"]})
        return provider


META = {"access_token": "access_token", "app_secret": "app_secret", "verify_token": "verify_token"}
SERVERS: Mapping[str, Server] = {
    "vk": Server(VkServer, {"token": "access_token", "secret": "secret"}, {"group_id": "group_id"}, {"group_id": int}),
    "ok": Server(OkServer, {"token": "access_token"}),
    "max": Server(MaxServer, {"token": "bot_token", "secret": "webhook_secret"}),
    "max_bot": Server(MaxBotServer, {"token": "bot_token", "secret": "webhook_secret"}),
    "whatsapp": Server(
        WhatsAppServer,
        META,
        {"phone_number_id": "phone_number_id", "business_account_id": "business_account_id"},
        fixed={"receipts": ("sent", "delivered")},
    ),
    "facebook": Server(FacebookServer, META, {"page_id": "page_id"}, fixed={"echoes": True}),
    "viber": Server(ViberServer, {"auth_token": "auth_token"}, fixed={"receipts": ("delivered", "seen")}),
    "wildberries": Server(WildberriesServer, {"token": "token"}),
    "ozon": Server(OzonServer, {"client_id": "client_id", "api_key": "api_key"}),
    "yandex_market": Server(YandexMarketServer, {"api_key": "api_key"}, {"business": "business_id"}, {"business": int}),
    "google_play": Server(GooglePlayServer, {"key": "service_account"}, {"package": "package"}, {"key": google_key}),
    "app_store": Server(AppStoreServer, {"key": "private_key"}, {"app": "app_id"}, {"key": pem_key}),
    "appgallery": Server(AppGalleryServer, {"client_id": "client_id", "client_secret": "client_secret"}, {"app": "app_id"}),
    "rss": Server(RssServer),
    "reviews_import": Server(ReviewsVendor, {"secret": "secret"}),
    "voice": Server(VoiceExchange, {"signing_key": "signing_key"}),
    "mango": Server(MangoServer, {"key": "vpbx_api_key", "salt": "vpbx_api_salt"}),
    "zadarma": Server(ZadarmaServer, {"key": "api_key", "secret": "api_secret"}),
    "uis": Server(UisExchange, {"secret": "webhook_secret"}),
    "asterisk": Server(AsteriskServer, {"password": "password"}, {"user": "user", "ari_port": "ari"}, {"ari_port": port_of}),
    "smsc": Server(SmscServer, {"api_key": "api_key", "callback_secret": "callback_secret"}),
    "smsaero": Server(SmsAeroServer, {"api_key": "api_key"}, {"email": "email"}),
    "fcm": Server(FcmServer, {"key": "service_account"}, {"project": "project"}, {"key": google_key}),
    "hms": Server(HmsServer, {"app_secret": "app_secret"}, {"app_id": "app_id"}),
}


def channel_arguments(parser: argparse.ArgumentParser) -> None:
    """The accounts come with --demo only: {kind: {"settings", "secrets", "webhook"}}."""
    parser.set_defaults(channels={})


def channel_servers(options: argparse.Namespace) -> Sequence[Provider]:
    return [server.built(options.channels.get(kind, {})) for kind, server in SERVERS.items()]
