"""Files that Meta keeps for us: fetched with our token from Meta's own hosts only."""

import httpx

from omni.channels.contract import AccountConfig, AttachmentGone
from omni.channels.http import Allow, download, own_host
from omni.channels.meta.graph import BASE, bearer, client_of

META_HOSTS = ("facebook.com", "fbcdn.net", "fbsbx.com", "whatsapp.net")


def base_of(account: AccountConfig) -> str:
    return str(account.settings.get("api_base") or BASE)


def allowed(account: AccountConfig) -> Allow:
    """Besides public hosts where the account's settings say that the Graph API is."""
    return own_host(base_of(account))


def is_metas_own(address: str, account: AccountConfig) -> bool:
    """Whether our token may be shown there: Meta's hosts by TLS, or the host that the settings name."""
    try:
        url, own = httpx.URL(address), httpx.URL(base_of(account))
    except httpx.InvalidURL:
        return False
    if (url.scheme, url.host, url.port) == (own.scheme, own.host, own.port):
        return True
    return url.scheme == "https" and any(url.host == host or url.host.endswith(f".{host}") for host in META_HOSTS)


def fetch_address(address: str, account: AccountConfig, *, limit: int, signed: bool = False) -> bytes:
    """The file at an address of Meta's; `signed` = our token is asked for there.

    Raises AttachmentTooLarge, AttachmentGone, httpx.TransportError.
    """
    headers = bearer(account) if signed and is_metas_own(address, account) else {}
    try:
        return download(client_of(account), address, limit=limit, headers=headers, allow=allowed(account))
    except httpx.InvalidURL as fault:
        raise AttachmentGone("the address of the file is none") from fault
