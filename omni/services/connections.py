"""Trying a channel account's connection on a supervisor's word: what the provider says, in sentences."""

from collections.abc import Mapping, Sequence

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.refusal import Refusal
from core.secrets import SecretLost
from omni.channels.abilities import Checking, Connecting, Forgetting
from omni.channels.contract import ConnectFault, Finding
from omni.channels.registry import adapter_for, kinds
from omni.models import ChannelAccount, InboundEvent
from omni.states import AccountState

log = structlog.get_logger(__name__)


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


def find_forgetting() -> list[int]:
    """Ids of the accounts whose provider may have forgotten our address: those that have delivered to it before."""
    kept = [kind for kind in kinds() if isinstance(adapter_for(kind), Forgetting)]
    heard = InboundEvent.objects.filter(account=OuterRef("pk"))
    found = ChannelAccount.objects.filter(Exists(heard), kind__in=kept).exclude(state=AccountState.DISABLED)
    return list(found.order_by("pk").values_list("pk", flat=True))


def renew(account_id: int) -> bool:
    """Have the provider deliver to us again if it has forgotten our address; whether it had. A fault is logged and tried again later."""
    account = ChannelAccount.objects.get(pk=account_id)
    adapter = adapter_for(account.kind)
    try:
        renewed = isinstance(adapter, Forgetting) and adapter.renew(account.config(), webhook_address(account))
    except (ConnectFault, SecretLost) as fault:
        log.warning("the provider could not be asked for our address", account=account.pk, fault=str(fault))
        return False
    if renewed:
        log.warning("the provider had forgotten our address", account=account.pk)
        with transaction.atomic():
            audit.record(action="account.webhook_renewed", by=None, subject=account, now=timezone.now())
    return renewed


def keep_secrets(account_id: str, secrets: Mapping[str, str]) -> None:
    """The provider has replaced these secrets of the account (its public id): the others stay, nobody reads the new ones anywhere."""
    with transaction.atomic():
        account = ChannelAccount.objects.select_for_update().filter(public_id=account_id).first()
        if account is None:
            return
        account.set_secrets(**secrets)
        account.save(update_fields=["closed_secrets"])
        audit.record(action="account.secrets_renewed", by=None, subject=account, now=timezone.now(), details={"names": sorted(secrets)})


def mark_healthy(account: ChannelAccount) -> bool:
    """An account that was degraded and passed the check serves again. Returns whether it was degraded."""
    with transaction.atomic():
        degraded = ChannelAccount.objects.filter(pk=account.pk, state=AccountState.DEGRADED)
        return bool(degraded.update(state=AccountState.ENABLED, state_reason=""))
