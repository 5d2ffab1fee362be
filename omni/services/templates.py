"""The texts that need a provider's leave: what it says of them is fetched, and told by its webhook."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.secrets import SecretLost
from core.text import storable
from omni.channels.contract import AccountConfig, Inbound, PollFault
from omni.channels.registry import adapter_for, kinds
from omni.channels.templates import ListedTemplate, Templating
from omni.message_templates import places
from omni.models import ChannelAccount, MessageTemplate
from omni.states import AccountState, TemplateState

log = structlog.get_logger(__name__)


def find_accounts() -> list[int]:
    """Ids of the accounts whose provider can be asked for its texts."""
    asked = [kind for kind in kinds() if isinstance(adapter_for(kind), Templating)]
    found = ChannelAccount.objects.filter(kind__in=asked).exclude(state=AccountState.DISABLED)
    return list(found.order_by("pk").values_list("pk", flat=True))


def compare(account_id: int, *, now: datetime) -> int:
    """Bring our list up to the provider's; how many rows changed. A provider that cannot be asked changes nothing."""
    account = ChannelAccount.objects.get(pk=account_id)
    adapter = adapter_for(account.kind)
    if not isinstance(adapter, Templating):
        return 0
    try:
        told = _asked(adapter, account.config())
    except (PollFault, SecretLost) as fault:
        log.warning("the provider's texts could not be had", account=account.pk, fault=str(fault))
        return 0
    with transaction.atomic():
        return _kept(account, told, now=now)


def _asked(adapter: Templating, config: AccountConfig) -> Sequence[ListedTemplate]:
    return adapter.list_templates(config)


def _kept(account: ChannelAccount, told: Sequence[ListedTemplate], *, now: datetime) -> int:
    rows = {(row.name, row.language): row for row in MessageTemplate.objects.select_for_update().filter(account=account)}
    changed = 0
    for one in told:
        row = rows.pop((one.name, one.language), None) or MessageTemplate(account=account, name=one.name[:512], language=one.language[:16])
        changed += _take(row, state=TemplateState(one.fate.value), reason=one.reason, body=one.body, now=now)
    for row in rows.values():  # those it does not know any more, or that want more than we can send
        changed += _take(row, state=TemplateState.REJECTED, reason=_("The provider does not list it."), body=row.body, now=now)
    return changed


def _take(row: MessageTemplate, *, state: TemplateState, reason: str, body: str, now: datetime) -> bool:
    """Write down what the provider says; whether anything is different. A text with other places gets new names for them."""
    before = (row.body, row.state, row.state_reason, row.pk)
    count = len(places(body))
    row.body, row.state, row.state_reason, row.told_at = storable(body), state, storable(reason)[:240], now
    if len(row.parameters) != count:
        row.parameters = [_("Value %(number)d") % {"number": number} for number in range(1, count + 1)]
    row.save()
    changed = before != (row.body, row.state, row.state_reason, row.pk)
    if changed:
        audit.record(action="template.told", by=None, subject=row, now=now, details={"state": row.state, "reason": row.state_reason})
    return changed


def apply(*, account: ChannelAccount, item: Inbound, now: datetime) -> None:
    """The provider's webhook tells of one text. What is older than what we know, a replay among it, changes nothing."""
    rows = MessageTemplate.objects.select_for_update().filter(account=account, name=item.external_id)
    row = rows.filter(language=str(item.extra["language"])).first()
    if row is None:  # the hourly look brings it, with its text
        log.info("news of a text that is not in our list yet", account=account.pk, name=item.external_id)
        return
    if row.told_at is None or row.told_at < item.sent_at:
        _take(row, state=TemplateState(str(item.extra["fate"])), reason=str(item.extra["reason"]), body=row.body, now=item.sent_at)
