"""The channels of the demo: what an account of each is made of. Pure: no ORM, no network.

The provider servers are given the same settings and secrets by demo.json, so each side talks to the other as it would to the vendor.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

MAIL_ADDRESS = "otklik@lukoshko.example"
MESSENGERS, COMMON, BOT = "messengers", "common", "demo-bot"
EXTENSION = "101"
"""The telephone on the first operator's desk, in every exchange of the demo."""
POLL = {"poll_seconds": 5}
"""Vendors are asked every quarter of an hour; who plays a guest does not wait so long."""


@dataclass(frozen=True)
class DemoChannel:
    """`queue` by its code; `at` names the settings that are addresses, each with its path at the provider servers.

    `key` = the name in the query of our webhook's address, and the secret that goes there, for vendors who sign nothing.
    """

    name: str
    queue: str = MESSENGERS
    settings: Mapping[str, Any] = field(default_factory=dict)
    at: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, str] | None = None
    calls: bool = False
    made: tuple[str, ...] = ()
    """Settings made at random, once."""
    unused: tuple[str, ...] = ()
    """Secrets that the demo's servers do not ask for."""
    kind: str = ""
    """The channel, where an account is not the only one of it; empty = as the account is called here."""
    bot: str = ""
    """The dialogue that answers first; such an account has a queue of its own, so that nobody else waits behind its guests."""


FIRST: Mapping[str, DemoChannel] = {
    "telegram": DemoChannel("Telegram: @lukoshko_otklik"),
    "webchat": DemoChannel(
        "Чат на lukoshko.example",
        "site-chat",
        settings={
            "greeting": {
                "ru": "Здравствуйте! Чем помочь?",
                "en": "Hello! How can we help?",
            },
            "title": {"ru": "Лукошко", "en": "Lukoshko"},
        },
        made=("site_key",),
    ),
    "email": DemoChannel(
        MAIL_ADDRESS, "mail", settings={"address": MAIL_ADDRESS, "name": "Лукошко", "poll_seconds": 2}, unused=("smtp_password",)
    ),
}
"""The channels in which the stories of the demo day are told."""

CHANNELS: Mapping[str, DemoChannel] = {
    "vk": DemoChannel("VK: Лукошко", settings={"group_id": "200300"}, at={"api_base": "/vk"}),
    "ok": DemoChannel("Одноклассники: Лукошко", settings={"upload_pause": 0.2}, at={"api_base": "/ok"}, key=("secret", "webhook_secret")),
    "max": DemoChannel("MAX: @lukoshko_bot", at={"api_base": "/max"}),
    "max_bot": DemoChannel("MAX: @lukoshko_help_bot", BOT, at={"api_base": "/max-bot"}, kind="max", bot="welcome"),
    "whatsapp": DemoChannel(
        "WhatsApp: +7 495 000-11-22",
        settings={"phone_number_id": "109900110022", "business_account_id": "100200300400"},
        at={"api_base": "/whatsapp"},
    ),
    "facebook": DemoChannel("Facebook: Лукошко", settings={"page_id": "112233445566"}, at={"api_base": "/facebook"}),
    "viber": DemoChannel("Viber: Лукошко", settings={"sender_name": "Лукошко"}, at={"api_base": "/viber"}),
    "mobile": DemoChannel("Приложение Лукошко", settings={"title": {"ru": "Поддержка", "en": "Support"}}, made=("site_key",)),
    "wildberries": DemoChannel(
        "Wildberries: Лукошко", settings={"reviews": True, "questions": True, **POLL}, at={"api_base": "", "feedbacks_base": ""}
    ),
    "ozon": DemoChannel("Ozon: Лукошко", settings=POLL, at={"api_base": ""}, key=("key", "push_key")),
    "yandex_market": DemoChannel("Яндекс Маркет: Лукошко", settings={"business_id": 700100, **POLL}, at={"api_base": ""}),
    "google_play": DemoChannel(
        "Google Play: приложение",
        COMMON,
        settings={"package": "ru.lukoshko.app", **POLL},
        at={"api_base": "", "token_address": "/google/token"},
    ),
    "app_store": DemoChannel(
        "App Store: приложение",
        COMMON,
        settings={"app_id": "1500000001", "issuer_id": "57246542-96fe-1a63-e053-0824d011072a", "key_id": "2X9R4HXF34", **POLL},
        at={"api_base": ""},
    ),
    "appgallery": DemoChannel("AppGallery: приложение", COMMON, settings={"app_id": "104000001", **POLL}, at={"api_base": ""}),
    "rss": DemoChannel(
        "Отзывы с сайта отзывов", COMMON, settings={"source": "Отзывы", **POLL}, at={"feed": "/feeds/reviews.xml", "inner_host": ""}
    ),
    "reviews_import": DemoChannel("Отзывы от мониторинга", COMMON, settings={"source": "Карты"}),
    "voice": DemoChannel("Телефон: Voximplant", COMMON, calls=True),
    "mango": DemoChannel("Телефон: Mango Office", COMMON, at={"api_base": ""}, calls=True),
    "zadarma": DemoChannel("Телефон: Zadarma", COMMON, at={"api_base": ""}, calls=True),
    "uis": DemoChannel("Телефон: UIS", COMMON, calls=True),
    "asterisk": DemoChannel("Телефон: Asterisk", COMMON, settings={"interface": "ari", "user": "otklik"}, calls=True),
    "smsc": DemoChannel("СМС: SMSC", COMMON, settings={"sender": "Lukoshko"}, at={"api_base": ""}, unused=("password",)),
    "smsaero": DemoChannel("СМС: SMS Aero", COMMON, settings={"email": "otklik@lukoshko.example", "sign": "Lukoshko"}, at={"api_base": ""}),
    "fcm": DemoChannel(
        "Push: Firebase", COMMON, settings={"project": "lukoshko-app"}, at={"api_base": "", "token_address": "/fcm-keys/token"}
    ),
    "hms": DemoChannel("Push: Huawei", COMMON, settings={"app_id": "104000777"}, at={"api_base": "", "token_address": "/oauth2/v3/token"}),
}

ALL: Mapping[str, DemoChannel] = {**FIRST, **CHANNELS}
NAME = "demo_as"
"""The setting of an account that says which of these it is, where that is not its kind."""


def kind_of(name: str) -> str:
    """The kind of the account that is called so here."""
    return ALL[name].kind or name


def name_of(kind: str, settings: Mapping[str, Any]) -> str:
    """What an account is called here."""
    return str(settings.get(NAME) or kind)


def make_secret(kind: str, name: str) -> str:
    """A new secret of an account, in the shape that its vendor gives it."""
    return _SHAPES.get((kind, name), lambda: secrets.token_urlsafe(24))()


def _service_account(email: str) -> str:
    """Google's file of a key. The address that gives tokens is the account's setting: the port may change."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    about = {"type": "service_account", "client_email": email, "private_key_id": "k1", "token_uri": ""}
    return json.dumps({**about, "private_key": _pem(key)})


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


_SHAPES: Mapping[tuple[str, str], Callable[[], str]] = {
    ("telegram", "bot_token"): lambda: f"700000001:{secrets.token_urlsafe(24)}",
    ("ozon", "client_id"): lambda: str(100_000 + secrets.randbelow(900_000)),
    ("google_play", "service_account"): lambda: _service_account("otklik@demo.iam.example"),
    ("fcm", "service_account"): lambda: _service_account("otklik@lukoshko-app.iam.example"),
    ("app_store", "private_key"): lambda: _pem(ec.generate_private_key(ec.SECP256R1())),
}
