"""Trying a channel account's connection on a supervisor's word: what the provider says, in sentences."""

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from core.refusal import Refusal
from core.secrets import SecretLost
from omni.channels.abilities import Checking, Connecting
from omni.channels.contract import ConnectFault, Finding
from omni.channels.registry import adapter_for
from omni.models import ChannelAccount
from omni.states import AccountState


def webhook_address(account: ChannelAccount) -> str:
    """Where the provider delivers to."""
    return settings.PUBLIC_URL + reverse("webhook", kwargs={"kind": account.kind, "account_id": account.public_id})


def address_for_others(account: ChannelAccount) -> str:
    """What the other side must be given: the webhook's address, the chat's line of HTML; empty when nothing."""
    if account.kind == "webchat" and account.settings.get("site_key"):
        return f'<script async src="{settings.PUBLIC_URL}/widget/loader.js" data-site="{account.settings["site_key"]}"></script>'
    return webhook_address(account) if adapter_for(account.kind).form.has_webhook else ""


def check(account: ChannelAccount) -> Sequence[Finding]:
    """Try the account; nothing is changed at the provider. Each fault is a finding, none is raised."""
    adapter = adapter_for(account.kind)
    if not isinstance(adapter, Checking):
        return [Finding(True, _("This channel has no connection of its own to check."))]
    try:
        return adapter.check(account.config(), webhook_address(account))
    except SecretLost as fault:
        return [Finding(False, str(fault))]


def connect_webhook(account: ChannelAccount) -> str:
    """Have the provider deliver to us; returns the address. Raises Refusal with the provider's words."""
    adapter = adapter_for(account.kind)
    if not isinstance(adapter, Connecting):
        raise Refusal("no_webhook", _("This channel needs no webhook to be set."), status=400)
    address = webhook_address(account)
    try:
        adapter.connect(account.config(), address)
    except (ConnectFault, SecretLost) as fault:
        raise Refusal("webhook_refused", str(fault)) from fault
    return address


def mark_healthy(account: ChannelAccount) -> bool:
    """An account that was degraded and passed the check serves again. Returns whether it was degraded."""
    with transaction.atomic():
        degraded = ChannelAccount.objects.filter(pk=account.pk, state=AccountState.DEGRADED)
        return bool(degraded.update(state=AccountState.ENABLED, state_reason=""))
