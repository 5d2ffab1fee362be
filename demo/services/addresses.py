"""Where the demo's outside world listens, and the file that tells everybody."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse

from core.embedded.ports import kept_port
from core.embedded.private_files import write_private
from demo.channels import ALL, CHANNELS, MAIL_ADDRESS, NAME, name_of
from omni.channels.registry import adapter_for
from omni.models import ChannelAccount

FILE = "demo.json"


@dataclass(frozen=True)
class Addresses:
    """Addresses of this start of the product: `PORT` may differ from the last one. No slash at the end."""

    product: str
    providers: str
    smtp_port: int
    imap_port: int
    ari_port: int = 0


def present() -> Addresses:
    """The addresses as `manage.py up` will use them: the providers one port above the product's."""
    port = int(os.environ.get("PORT") or urlsplit(settings.PUBLIC_URL).port or 8000)
    book = Path(settings.VAR_DIR) / "demo-ports.json"
    book.parent.mkdir(parents=True, exist_ok=True)
    return Addresses(
        product=f"http://127.0.0.1:{port}",
        providers=f"http://127.0.0.1:{port + 1}",
        smtp_port=kept_port("smtp", book),
        imap_port=kept_port("imap", book),
        ari_port=kept_port("ari", book),
    )


def settings_of(name: str, addresses: Addresses) -> dict[str, Any]:
    """The part of a demo account's settings that depends on the addresses, and by which the account is known again."""
    at = {setting: addresses.providers + path for setting, path in ALL[name].at.items()}
    return {"demo": True, **({NAME: name} if ALL[name].kind else {}), **at, **_own_settings(name, addresses)}


def _own_settings(kind: str, addresses: Addresses) -> dict[str, Any]:
    """What is no plain address of the provider servers."""
    origin = urlsplit(addresses.providers)
    by_kind: dict[str, dict[str, Any]] = {
        "telegram": {"api_base": addresses.providers},
        "webchat": {"origins": [addresses.providers, f"http://localhost:{origin.port}"]},
        "email": {
            "imap": {"host": "127.0.0.1", "port": addresses.imap_port, "tls": "none", "user": MAIL_ADDRESS},
            "smtp": {"host": "127.0.0.1", "port": addresses.smtp_port, "tls": "none"},
        },
        "asterisk": {"ari": {"address": f"http://127.0.0.1:{addresses.ari_port}", "app": "otklik"}},
    }
    return by_kind.get(kind, {})


def demo_accounts() -> Sequence[ChannelAccount]:
    """The accounts that the demo day made."""
    return list(ChannelAccount.objects.filter(settings__demo=True).order_by("pk"))


def renew(addresses: Addresses) -> None:
    """Let the demo's accounts point at this start's addresses."""
    for account in demo_accounts():
        wanted = {**account.settings, **settings_of(name_of(account.kind, account.settings), addresses)}
        if wanted != account.settings:
            account.settings = wanted
            account.save(update_fields=["settings"])


def tell(addresses: Addresses, sign_ins: Sequence[Mapping[str, str]]) -> Path:
    """Write the demo's file for `manage.py up`, the provider servers and `manage.py guest`; readable by its owner only."""
    facts: dict[str, Any] = {"product": addresses.product, "providers": addresses.providers, "sign_ins": list(sign_ins)}
    facts["pages"] = [
        {"title": "Workstation", "url": f"{addresses.product}/"},
        {"title": "Guest's phone (every messenger, marketplace, review site, exchange)", "url": f"{addresses.providers}/"},
        {"title": "Guest's mailbox", "url": f"{addresses.providers}/mail/"},
        {"title": "Shop's site with the chat", "url": f"{addresses.providers}/shop/"},
    ]
    facts["channels"] = {}
    for account in demo_accounts():
        if (name := name_of(account.kind, account.settings)) in CHANNELS:
            facts["channels"][name] = _channel(account, addresses)
        else:
            facts |= _facts(account, addresses)
    path = Path(settings.VAR_DIR) / FILE
    write_private(path, json.dumps(facts, ensure_ascii=False, indent=1))
    return path


def _channel(account: ChannelAccount, addresses: Addresses) -> dict[str, Any]:
    """What the provider server of the account's channel must know of it."""
    config = account.config()
    has_webhook = adapter_for(account.kind).form.has_webhook
    webhook = _webhook(account, config.secrets, addresses) if has_webhook else ""
    return {"settings": dict(config.settings), "secrets": dict(config.secrets), "webhook": webhook}


def _webhook(account: ChannelAccount, hidden: Mapping[str, str], addresses: Addresses) -> str:
    """Our address as the vendor is given it."""
    key = ALL[name_of(account.kind, account.settings)].key
    query = f"?{urlencode({key[0]: hidden[key[1]]})}" if key else ""
    return addresses.product + reverse("webhook", kwargs={"kind": account.kind, "account_id": account.public_id}) + query


def _facts(account: ChannelAccount, addresses: Addresses) -> dict[str, Any]:
    config = account.config()
    if account.kind == "telegram":
        hidden = config.secrets
        webhook = _webhook(account, hidden, addresses)
        return {"telegram": {"token": hidden["bot_token"], "secret": hidden["webhook_secret"], "webhook": webhook}}
    if account.kind == "webchat":
        return {"site_key": str(account.settings["site_key"])}
    password = config.secrets["imap_password"]
    ports = {"smtp_port": addresses.smtp_port, "imap_port": addresses.imap_port}
    return {"mail": {"address": str(account.settings["address"]), "password": password, **ports}}


def read(path: Path) -> dict[str, Any] | None:
    """What `tell` wrote; None when there is no such file."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
