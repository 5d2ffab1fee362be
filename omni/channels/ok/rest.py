"""Calls of the classic methods of Odnoklassniki (https://apiok.ru/dev/methods/): the graph API of a group's messages knows no comments.

Each call is signed (https://apiok.ru/dev/methods/): `sig` is the MD5 of the sorted parameters without the key and of the session's
secret, which is the MD5 of the key and the application's secret.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import httpx
from django.utils.translation import gettext as _

from omni.channels.asking import needs, needs_settings
from omni.channels.contract import AccountConfig, PollFault, Reason
from omni.channels.http import client_for, connection_of, json_of, pause_of
from omni.channels.json_fields import integer_at, text_at
from omni.channels.ok.client import DEFAULT_BASE
from omni.channels.ok.errors import PERMANENT, TEMPORARY

PATH = "/fb.do"
NO_RIGHT = 10
"""PERMISSION_DENIED: for a message the guest's will, here a right that the key lacks (https://apiok.ru/dev/errors)."""
PAUSE = 60.0


def ask(account: AccountConfig, method: str, **params: str) -> Any:
    """The answer of a method, an object or an array. Raises PollFault."""
    needs_settings(account, "application_key", "group_id")
    needs(account, "comments_token", "application_secret")
    client = client_for(account, connection_of(account, base=DEFAULT_BASE), name="rest")
    try:
        # In the body, not in the address: no log and no error shows the key.
        response = client.post(PATH, data=signed(account, {**params, "method": method, "format": "json"}))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PollFault(_("The provider does not answer: %(fault)s") % {"fault": type(error).__name__}) from error
    return _answer(response)


def signed(account: AccountConfig, params: Mapping[str, str]) -> dict[str, str]:
    """The parameters with the keys and the signature."""
    token = account.secrets["comments_token"]
    whole = {**params, "application_key": str(account.settings["application_key"]).strip()}
    secret = _md5(token + account.secrets["application_secret"])
    return {**whole, "access_token": token, "sig": _md5("".join(f"{name}={whole[name]}" for name in sorted(whole)) + secret)}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _answer(response: httpx.Response) -> Any:
    """Errors come with HTTP 200 and {error_code, error_msg}. Raises PollFault."""
    body = json_of(response)
    code = (integer_at(body, "error_code") or 0) if isinstance(body, dict) else 0
    said = f"{code}: {text_at(body, 'error_msg')}" if code else f"HTTP {response.status_code}"
    if code == NO_RIGHT or (code in PERMANENT and PERMANENT[code][1] is Reason.ACCOUNT_REFUSED) or response.status_code in (401, 403):
        raise PollFault(_("The provider refuses our key: %(text)s") % {"text": said}, refused=True)
    if response.status_code == 429 or (code in TEMPORARY and TEMPORARY[code][2]):
        pause = pause_of(response)
        raise PollFault(_("The provider asks for a pause."), after=PAUSE if pause is None else pause)
    if code or response.status_code != 200:
        raise PollFault(_("The provider answers with an error: %(status)d %(text)s") % {"status": response.status_code, "text": said})
    if not isinstance(body, dict | list):
        raise PollFault(_("The provider's answer cannot be read."))
    return body
