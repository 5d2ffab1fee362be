"""The app's devices that take a push: which vendors there are for it, and a device's registration with one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from omni.chat.sites import Site
from omni.models import ChannelAccount, ChatToken, NoticeMedium
from omni.services import notice_routes, push
from omni.states import AccountState

LONGEST, SHORTEST = 4096, 8


def accounts_of(site: Site) -> Sequence[ChannelAccount]:
    """The accounts of push vendors that serve this app, as its settings name them; none named = all. A site has none."""
    if not site.is_app:
        return []
    serving = ChannelAccount.objects.filter(kind__in=notice_routes.kinds_of(NoticeMedium.PUSH)).exclude(state=AccountState.DISABLED)
    named = site.account.settings.get("push_accounts") or []
    return list(serving.filter(name__in=named) if named else serving)


def vendors(site: Site) -> list[str]:
    """The vendors whose tokens are taken: `fcm`, `hms`."""
    return sorted({account.kind for account in accounts_of(site)})


def device_of(token: ChatToken) -> push.Device:
    """The device that a visitor's token was given to."""
    facts = token.facts
    return push.Device(
        app=token.account,
        visitor=token.visitor,
        key=token.device,
        platform=facts.get("platform", ""),
        app_version=facts.get("version", ""),
        time_zone=facts.get("time_zone", ""),
    )


def register(*, site: Site, token: ChatToken, given: dict[str, Any], now: datetime) -> None:
    """{vendor, token, notices?}. Raises Refusal: no such vendor here, or no token."""
    account = next((one for one in accounts_of(site) if one.kind == given.get("vendor")), None)
    if account is None:
        raise Refusal("push_off", _("This app has no push notices of this kind."), status=400)
    written = given.get("token")
    if not isinstance(written, str) or not SHORTEST <= len(written) <= LONGEST or not written.isascii() or not written.isprintable():
        raise Refusal("push_token", _("The token of the device is missing or wrong."), status=400)
    takes_notices = given.get("notices") is not False
    push.register(device=device_of(token), account=account, token=written, takes_notices=takes_notices, now=now)


def forget(*, token: ChatToken, now: datetime) -> None:
    """Nothing is pushed to the token's device any more."""
    push.forget(app=token.account, device=token.device, now=now)
