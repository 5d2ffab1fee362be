"""Small calls beside messages. They carry nothing that may be lost, so a failed one is only reported as False."""

import httpx

from omni.channels.contract import AccountConfig
from omni.channels.max.client import call

NOTICE = 120
"""Characters of the label that are shown for a moment; the vendor names no limit."""


def answer_callback(account: AccountConfig, callback_id: str, chosen: str) -> bool:
    """Tell a pressed button that it was heard. Whether MAX took it.

    https://dev.max.ru/docs-api/methods/POST/answers: `message` (a new text in place of the old one), `notification` (shown once), or both;
    a field that is left out changes nothing.
    """
    try:
        return call(account, "POST", "/answers", query={"callback_id": callback_id}, body={"notification": chosen[:NOTICE]}).accepted
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
