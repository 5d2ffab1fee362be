"""Where a notice may go now: by the guest's devices and telephone, consent, the hours of the guest's night, what was tried already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import phonenumbers.timezone
from django.conf import settings

from core.zones import zone_names
from customers.models import Guest
from omni.channels import quiet
from omni.channels.notice_channel import NoticeChannel
from omni.channels.phones import international
from omni.channels.registry import ADAPTERS
from omni.models import ChannelAccount, Notice, NoticeMedium, SessionFacts
from omni.services import consents, push
from omni.states import AccountState
from stores.models import Store


@dataclass(frozen=True)
class Target:
    account: ChannelAccount
    recipient: str


@dataclass(frozen=True)
class Route:
    """`targets` to try now; none and `not_before` = later; neither = never, because of `reason`."""

    targets: Sequence[Target] = ()
    not_before: datetime | None = None
    reason: str = ""


def kinds_of(medium: str) -> list[str]:
    """The kinds of channels that reach a guest in this way."""
    return [adapter.kind for adapter in ADAPTERS if isinstance(adapter, NoticeChannel) and adapter.medium == medium]


def find(notice: Notice, medium: str, *, now: datetime) -> Route:
    """Where the notice may go by this medium."""
    guest = notice.guest.merged_into or notice.guest
    if medium == NoticeMedium.PUSH:
        found, reason = _devices(notice, guest)
    else:
        found, reason = _telephones(guest)
    fresh = _untried(notice, found)
    if not fresh:
        return Route(reason=reason if not found else "")
    return _at_this_hour(fresh, notice, guest, now=now)


def _devices(notice: Notice, guest: Guest) -> tuple[list[Target], str]:
    """Of an answer: the devices on which its chat is open; of any other notice: all of the guest's that take some."""
    if notice.message:
        living = push.devices_of_identities([notice.message.session.identity])
    else:
        living = push.devices_of(guest).filter(takes_notices=True)
    serving = living.exclude(account__state=AccountState.DISABLED)
    return [Target(device.account, device.token) for device in serving], "no_device"


def _telephones(guest: Guest) -> tuple[list[Target], str]:
    """The guest's number with each account that could send, healthy ones first."""
    phone = international(guest.phone)
    if not phone:
        return [], "no_phone"
    if not consents.is_given(phone):
        return [], "no_consent"
    accounts = ChannelAccount.objects.filter(kind__in=kinds_of(NoticeMedium.SMS)).exclude(state=AccountState.DISABLED)
    healthy_first = sorted(accounts, key=lambda account: (account.state != AccountState.ENABLED, account.name, account.pk))
    return [Target(account, phone) for account in healthy_first], "no_account"


def leads_to(guest: Guest) -> bool:
    """Whether a notice has any way to the guest: a device that takes notices, or a telephone with consent."""
    person = guest.merged_into or guest
    devices = push.devices_of(person).filter(takes_notices=True).exclude(account__state=AccountState.DISABLED)
    return devices.exists() or bool(_telephones(person)[0])


def _untried(notice: Notice, targets: Iterable[Target]) -> list[Target]:
    """Without what has failed for good; an account that refuses us fails for all."""
    failed = list(notice.attempts.filter(is_permanent=True).values_list("account_id", "recipient", "account_refused"))
    pairs = {(account, recipient) for account, recipient, _refused in failed}
    refusing = {account for account, _recipient, refused in failed if refused}
    return [one for one in targets if (one.account.pk, one.recipient) not in pairs and one.account.pk not in refusing]


def _at_this_hour(targets: Sequence[Target], notice: Notice, guest: Guest, *, now: datetime) -> Route:
    zone = zone_of(guest)
    moments = [_allowed_at(target.account, zone, is_urgent=notice.is_urgent, now=now) for target in targets]
    ready = [target for target, moment in zip(targets, moments, strict=True) if moment <= now]
    if not ready:
        return Route(not_before=min(moments))
    # A telephone is told once, by one account; every device is told.
    return Route(targets=ready if notice.channels[notice.step] == NoticeMedium.PUSH else ready[:1])


def _allowed_at(account: ChannelAccount, zone: ZoneInfo, *, is_urgent: bool, now: datetime) -> datetime:
    after_pause = max(now, account.paused_until) if account.paused_until else now
    return after_pause if is_urgent else quiet.allowed_at(after_pause, zone, *quiet.hours_of(account.settings))


def zone_of(guest: Guest) -> ZoneInfo:
    """The guest's time zone: what the app says, else that of the store chosen there, else of the number, else the chain's own."""
    device = push.devices_of(guest).exclude(time_zone="").first()
    written = device.time_zone if device else _zone_of_store(guest) or _zone_of_phone(guest.phone)
    return ZoneInfo(written if written in zone_names() else settings.TIME_ZONE)


def _zone_of_store(guest: Guest) -> str:
    told = SessionFacts.objects.filter(session__guest=guest).exclude(facts__store=None).order_by("-updated_at")
    number = told.values_list("facts__store", flat=True).first()
    return Store.objects.filter(number=number).values_list("time_zone", flat=True).first() or "" if number else ""


def _zone_of_phone(phone: str) -> str:
    """Only where the number's own range lies in one zone: mobile numbers of most countries do not tell."""
    try:
        zones = phonenumbers.timezone.time_zones_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return ""
    return str(zones[0]) if len(zones) == 1 else ""
