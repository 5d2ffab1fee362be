"""Calls of the FCM HTTP v1 API with a service account's key."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from omni.channels.asking import NAME, Answer, ask
from omni.channels.bearer import Bearer, Bearers
from omni.channels.contract import AccountConfig
from omni.channels.google_key import ask_for_key, field_of
from omni.channels.http import client_for, connection_of
from omni.channels.json_fields import object_at, objects_at, text_at

BASE = "https://fcm.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def project_of(account: AccountConfig) -> str:
    """The project's id; empty if neither the settings nor the key name one."""
    found = str(account.settings.get("project") or "").strip() or field_of(account, "project_id")
    return found if NAME.fullmatch(found) else ""


def call(account: AccountConfig, body: Mapping[str, Any]) -> Answer:
    """messages:send of the project. Raises httpx.HTTPError, httpx.InvalidURL when the send itself was not answered."""
    client = client_for(account, connection_of(account, base=BASE))
    address = f"/v1/projects/{quote(project_of(account), safe='')}/messages:send"
    return _bearers.with_token(
        account, lambda token: ask(client, "POST", address, json=dict(body), headers={"Authorization": f"Bearer {token}"})
    )


def _key(account: AccountConfig) -> Bearer | Answer:
    """A key; a fault on the way to one is no fault of the send, which has not begun."""
    try:
        return ask_for_key(account, scope=SCOPE)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(503, {"error": f"no key: {type(error).__name__}"})


def code_of(answer: Answer) -> str:
    """The error's code of FCM, e.g. UNREGISTERED; empty if the answer carries none."""
    details = objects_at(object_at(answer.object, "error"), "details")
    return next((text_at(one, "errorCode") for one in details if text_at(one, "@type") == FCM_ERROR), "")


_bearers = Bearers(_key)
