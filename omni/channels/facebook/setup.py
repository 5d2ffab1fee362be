"""Connecting a page: the subscription of the app and the check of the connection (Graph API, page, subscribed_apps)."""

from collections.abc import Sequence

import httpx
from django.utils.translation import gettext as _

from omni.channels.contract import AccountConfig, ConnectFault, Finding
from omni.channels.facebook.sending import page
from omni.channels.http import unanswered
from omni.channels.json_fields import JsonObject, objects_at, text_at
from omni.channels.meta.graph import Answer, account_refusal, get, post

FIELDS = (
    "feed",
    "messages",
    "message_echoes",
    "message_edits",
    "message_deliveries",
    "message_reads",
    "message_reactions",
    "messaging_postbacks",
)


def findings(account: AccountConfig, address: str) -> Sequence[Finding]:
    """The page's name and what our app hears of it; faults are findings. The address itself is set in the app's own settings."""
    refused = account_refusal(account)
    if refused:
        return [Finding(False, refused.text)]
    try:
        named = get(account, f"/{page(account)}", fields="id,name")
        if not named.accepted or named.body is None:
            return [Finding(False, named.said)]
        heard = get(account, f"/{page(account)}/subscribed_apps")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return [Finding(False, unanswered(error).text)]
    found = [Finding(True, _("The page “%(name)s” answers.") % {"name": text_at(named.body, "name")}), subscription(heard)]
    if not account.secrets.get("app_secret"):
        found.append(Finding(False, _("The secret of the Meta app is missing: no webhook will be believed.")))
    return found


def subscription(answer: Answer) -> Finding:
    if not answer.accepted or answer.body is None:
        return Finding(False, answer.said)
    missing = [name for name in FIELDS if not any(name in fields_of(app) for app in objects_at(answer.body, "data"))]
    if missing:
        return Finding(False, _("The app does not hear of the page: %(fields)s") % {"fields": ", ".join(missing)})
    return Finding(True, _("The app hears of the page's messages and comments."))


def fields_of(app: JsonObject) -> list[object]:
    value = app.get("subscribed_fields")
    return value if isinstance(value, list) else []


def connect(account: AccountConfig, address: str) -> None:
    """Subscribe our app to the page; events go to the address in the app's settings. Raises ConnectFault."""
    refused = account_refusal(account)
    if refused:
        raise ConnectFault(refused.text)
    try:
        answer = post(account, f"/{page(account)}/subscribed_apps", {"subscribed_fields": ",".join(FIELDS)})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectFault(unanswered(error).text) from error
    if not answer.accepted:
        raise ConnectFault(answer.said)


def name_of(psid: str, account: AccountConfig) -> str:
    """The guest's name by the User Profile API (docs/messenger-platform/identity/user-profile); empty if it is not told."""
    if not psid.isascii() or not psid.isdigit():
        return ""
    try:
        answer = get(account, f"/{psid}", fields="first_name,last_name")
    except (httpx.HTTPError, httpx.InvalidURL):
        return ""
    if not answer.accepted or answer.body is None:
        return ""
    return " ".join(part for part in (text_at(answer.body, "first_name"), text_at(answer.body, "last_name")) if part)
