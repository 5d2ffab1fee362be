"""Files that a payload names by an address: with our keys at the provider's own host, without them anywhere else."""

from collections.abc import Mapping

import httpx

from omni.channels.contract import AccountConfig, AttachmentGone
from omni.channels.http import client_for, connection_of, download, own_host


def fetch_address(account: AccountConfig, address: str, *, base: str, keys: Mapping[str, str], limit: int) -> bytes:
    """The file, at most `limit` bytes. A path alone is one of the provider's (`base`, or the account's own setting).

    Raises AttachmentTooLarge, AttachmentGone, httpx.TransportError.
    """
    connection = connection_of(account, base=base)
    try:
        url = httpx.URL(f"{connection.base}{address}" if address.startswith("/") else address)
        own = _same(url, httpx.URL(connection.base))
        client = client_for(account, connection, name="files")
        return download(client, str(url), limit=limit, headers=keys if own else None, allow=own_host(connection.base))
    except (httpx.InvalidURL, UnicodeEncodeError) as fault:
        raise AttachmentGone("the file's address is none") from fault


def _same(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)
