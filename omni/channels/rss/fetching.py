"""Fetching a feed: only when it has changed (RFC 9110 13.1), within a size, never from our own network."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from django.utils.translation import gettext as _

from omni.channels.asking import THROTTLED
from omni.channels.contract import AccountConfig, AttachmentTooLarge, PollFault
from omni.channels.http import REDIRECTS, Inside, capped, client_for, connection_of, own_host, pause_of, visited

LIMIT = 5 * 1024 * 1024
ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"


@dataclass(frozen=True)
class Fetched:
    """A feed's bytes; `etag` and `modified` say of which version."""

    data: bytes
    content_type: str
    etag: str = ""
    modified: str = ""


def fetch_feed(account: AccountConfig, *, etag: str, modified: str) -> Fetched | None:
    """The feed; None when it is still the version of `etag` and `modified`. Raises PollFault."""
    headers = {"Accept": ACCEPT}
    headers |= {"If-None-Match": etag} if etag else {}
    headers |= {"If-Modified-Since": modified} if modified else {}
    try:
        return _followed(account, httpx.URL(str(account.settings.get("feed") or "").strip()), headers)
    except AttachmentTooLarge as fault:
        raise PollFault(_("The feed is too large.")) from fault
    except Inside as fault:
        raise PollFault(_("The address of the feed leads where we do not go.")) from fault
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as fault:
        raise PollFault(_("The provider does not answer: %(fault)s") % {"fault": type(fault).__name__}) from fault


def _followed(account: AccountConfig, url: httpx.URL, headers: Mapping[str, str]) -> Fetched | None:
    inner = str(account.settings.get("inner_host") or "")
    allow = own_host(inner) if inner else None
    client = client_for(account, connection_of(account, base=f"{url.scheme}://{url.netloc.decode()}"))
    for _hop in range(REDIRECTS + 1):
        with visited(client, url, headers, allow=allow) as response:
            if response.status_code == 304:
                return None
            if response.is_redirect and response.next_request is not None:
                url = response.next_request.url
                continue
            return _taken(response)
    raise PollFault(_("The address of the feed leads where we do not go."))


def _taken(response: httpx.Response) -> Fetched:
    if response.status_code in THROTTLED:
        raise PollFault(_("The provider asks for a pause."), after=pause_of(response))
    if response.status_code != 200:
        refused = response.status_code in (401, 403, 404, 410)
        raise PollFault(_("The feed answers with an error: %(status)d") % {"status": response.status_code}, refused=refused)
    found = response.headers
    return Fetched(capped(response, LIMIT), found.get("content-type", ""), _header(found, "etag"), _header(found, "last-modified"))


def _header(headers: httpx.Headers, name: str) -> str:
    value = headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) < 300 else ""
