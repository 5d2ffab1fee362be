"""Connecting a number: its webhook and the check of the connection (Cloud API, override callback address)."""

from collections.abc import Sequence

import httpx
from django.utils.translation import gettext as _

from omni.channels.contract import AccountConfig, ConnectFault, Finding
from omni.channels.http import unanswered
from omni.channels.json_fields import object_at, text_at
from omni.channels.meta.graph import Answer, account_refusal, get, post
from omni.channels.whatsapp.sending import number_refusal, phone_number_id

FIELDS = "display_phone_number,verified_name,quality_rating,webhook_configuration"


def findings(account: AccountConfig, address: str) -> Sequence[Finding]:
    """The number's name, where its webhook leads (ours is `address`), its quality; faults are findings."""
    refused = account_refusal(account) or number_refusal(account)
    if refused:
        return [Finding(False, refused.text)]
    try:
        answer = get(account, f"/{phone_number_id(account)}", fields=FIELDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return [Finding(False, unanswered(error).text)]
    if not answer.accepted or answer.body is None:
        return [Finding(False, answer.said)]
    name = {"name": text_at(answer.body, "verified_name"), "number": text_at(answer.body, "display_phone_number")}
    found = [Finding(True, _("The number %(number)s (%(name)s) answers.") % name), webhook_finding(answer, address)]
    quality = text_at(answer.body, "quality_rating")
    if quality in ("YELLOW", "RED"):
        found.append(Finding(False, _("Meta rates the quality of this number as %(quality)s.") % {"quality": quality}))
    if not account.secrets.get("app_secret"):
        found.append(Finding(False, _("The secret of the Meta app is missing: no webhook will be believed.")))
    return found


def webhook_finding(answer: Answer, address: str) -> Finding:
    """The number's own address counts before the business account's and the app's."""
    told = object_at(answer.body or {}, "webhook_configuration")
    leads = next((url for level in ("phone_number", "whatsapp_business_account", "application") if (url := text_at(told, level))), "")
    if leads == address:
        return Finding(True, _("The webhook is ours."))
    if leads:
        return Finding(False, _("The webhook leads elsewhere: %(url)s") % {"url": leads})
    return Finding(False, _("No webhook is set: nothing comes in."))


def connect(account: AccountConfig, address: str) -> None:
    """Subscribe the app to the business account and have this number's events delivered to `address`. Raises ConnectFault."""
    business = str(account.settings.get("business_account_id") or "").strip()
    token = account.secrets.get("verify_token", "")
    refused = account_refusal(account) or number_refusal(account)
    if refused:
        raise ConnectFault(refused.text)
    if not (business.isascii() and business.isdecimal()) or not token:
        raise ConnectFault(_("The id of the WhatsApp business account and the verify token are needed for this."))
    tell(account, f"/{business}/subscribed_apps", {})
    override = {"override_callback_uri": address, "verify_token": token}
    tell(account, f"/{phone_number_id(account)}", {"webhook_configuration": override})


def tell(account: AccountConfig, path: str, fields: dict[str, object]) -> None:
    try:
        answer = post(account, path, fields)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectFault(unanswered(error).text) from error
    if not answer.accepted:
        raise ConnectFault(answer.said)
