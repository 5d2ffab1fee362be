"""Connecting a community: the Callback API's server, its events, the check (https://dev.vk.com/ru/api/callback/getting-started)."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from django.utils.translation import gettext as _

from omni.channels.contract import AccountConfig, ConnectFault, Finding
from omni.channels.http import unanswered
from omni.channels.json_fields import integer_at, object_at, objects_at, text_at
from omni.channels.vk.client import VERSION, call
from omni.channels.vk.errors import words

EVENTS = (
    *("message_new", "message_edit", "message_reply", "message_allow", "message_deny", "message_event", "message_read"),
    *(f"{stem}_{step}" for stem in ("wall_reply", "photo_comment", "video_comment") for step in ("new", "edit", "delete", "restore")),
    *(f"{stem}_{step}" for stem in ("market_comment", "board_post") for step in ("new", "edit", "delete", "restore")),
    *("wall_post_new", "wall_repost"),
)
TITLE = "Otklik"
"""The server's name in the community's settings, at most 14 characters."""
GREETING_SECONDS = 5.0
"""VK gives our answer to its confirmation about 8 seconds; asking for the string must fit into them."""


def confirmation(account: AccountConfig) -> str:
    """The string that VK expects at our address: the account's own, else asked for. Raises ConnectFault."""
    if known := str(account.settings.get("confirmation") or "").strip():
        return known
    fields = {"group_id": group_of(account)}
    return text_at(_ask(account, "groups.getCallbackConfirmationCode", fields, seconds=GREETING_SECONDS), "code")


def group_of(account: AccountConfig) -> str:
    return str(account.settings.get("group_id") or "").strip()


def connect(account: AccountConfig, address: str) -> None:
    """Register the address, or bring its secret up to date, and switch our events on. Raises ConnectFault."""
    group, secret = group_of(account), account.secrets.get("secret", "")
    if not group or not secret or len(secret) > 50:
        raise ConnectFault(_("The number of the community and a secret key of at most 50 characters are needed."))
    server = {"group_id": group, "url": address, "title": TITLE, "secret_key": secret}
    number = _server_number(account, address)
    if number is None:
        number = integer_at(_ask(account, "groups.addCallbackServer", server), "server_id")
    else:
        _ask(account, "groups.editCallbackServer", {**server, "server_id": number})
    events = dict.fromkeys(EVENTS, 1)
    _ask(account, "groups.setCallbackSettings", {"group_id": group, "server_id": number, "api_version": VERSION, **events})


def findings(account: AccountConfig, address: str) -> Sequence[Finding]:
    """The community's name, the state of our server there, whether it sends new messages; faults are findings."""
    try:
        return [_community(account), *_server(account, address)]
    except ConnectFault as fault:
        return [Finding(False, str(fault))]


def _community(account: AccountConfig) -> Finding:
    found = _ask(account, "groups.getById", {"group_id": group_of(account)})
    groups = objects_at(found, "groups") or objects_at(found, "items")
    name = text_at(groups[0], "name") if groups else group_of(account)
    return Finding(True, _("The community %(name)s answers.") % {"name": name})


def _server(account: AccountConfig, address: str) -> list[Finding]:
    servers = [server for server in _servers(account) if text_at(server, "url") == address]
    if not servers:
        return [Finding(False, _("No webhook is set: nothing comes in."))]
    status = text_at(servers[0], "status")
    if status != "ok":
        return [Finding(False, _("VK could not confirm our address; it says: %(status)s") % {"status": status or "?"})]
    fields = {"group_id": group_of(account), "server_id": integer_at(servers[0], "id")}
    events = object_at(_ask(account, "groups.getCallbackSettings", fields), "events")
    if events.get("message_new") != 1:
        return [Finding(False, _("The address is confirmed, but new messages are switched off in its events."))]
    return [Finding(True, _("The address is confirmed and gets new messages."))]


def _server_number(account: AccountConfig, address: str) -> int | None:
    return next((integer_at(server, "id") for server in _servers(account) if text_at(server, "url") == address), None)


def _servers(account: AccountConfig) -> Sequence[Mapping[str, Any]]:
    return objects_at(_ask(account, "groups.getCallbackServers", {"group_id": group_of(account)}), "items")


def _ask(account: AccountConfig, method: str, fields: Mapping[str, Any], *, seconds: float | None = None) -> Mapping[str, Any]:
    """The response object of a call; a list stands under `items`. Raises ConnectFault."""
    try:
        answer = call(account, method, fields, seconds=seconds)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectFault(f"{method}: {unanswered(error).text}") from error
    if not answer.accepted:
        raise ConnectFault(f"{method}: {words(answer)}")
    return {"items": answer.response} if isinstance(answer.response, list) else object_at({"found": answer.response}, "found")
