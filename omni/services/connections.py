"""Trying a channel account's connection on a supervisor's word: what the provider says, in sentences."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core.refusal import Refusal
from core.secrets import SecretLost
from omni.channels.contract import AccountConfig
from omni.channels.email import adapter as email
from omni.channels.email.fetching import Mailbox, MailboxFault
from omni.channels.email.sending import sign_in_fault
from omni.channels.telegram import setup as telegram
from omni.models import ChannelAccount
from omni.states import AccountState


@dataclass(frozen=True)
class Finding:
    """One thing that was tried: whether it works, and the sentence for the person."""

    works: bool
    text: str


def webhook_address(account: ChannelAccount) -> str:
    """Where the provider delivers to."""
    return settings.PUBLIC_URL + reverse("webhook", kwargs={"kind": account.kind, "account_id": account.public_id})


def address_for_others(account: ChannelAccount) -> str:
    """What the other side must be given: the webhook's address, the chat's line of HTML; empty when nothing."""
    if account.kind == "telegram":
        return webhook_address(account)
    if account.kind == "webchat" and account.settings.get("site_key"):
        return f'<script async src="{settings.PUBLIC_URL}/widget/loader.js" data-site="{account.settings["site_key"]}"></script>'
    return ""


def check(account: ChannelAccount) -> Sequence[Finding]:
    """Try the account; nothing is changed at the provider. Each fault is a finding, none is raised."""
    try:
        config = account.config()
    except SecretLost as fault:
        return [Finding(False, str(fault))]
    return _CHECKS.get(account.kind, _nothing)(account, config)


def _nothing(account: ChannelAccount, config: AccountConfig) -> Sequence[Finding]:
    return [Finding(True, _("This channel has no connection of its own to check."))]


def _telegram(account: ChannelAccount, config: AccountConfig) -> Sequence[Finding]:
    try:
        info = telegram.webhook_info(config)
    except telegram.BotApiError as fault:
        return [Finding(False, str(fault))]
    found = [Finding(True, _("The bot @%(name)s answers.") % {"name": info.bot_name})]
    ours = webhook_address(account)
    if info.url == ours:
        found.append(Finding(True, _("The webhook is ours; %(count)d updates wait.") % {"count": info.pending}))
    elif info.url:
        found.append(Finding(False, _("The webhook leads elsewhere: %(url)s") % {"url": info.url}))
    else:
        found.append(Finding(False, _("No webhook is set: nothing comes in.")))
    if info.last_error and info.last_error_at:
        when = date_format(localtime(info.last_error_at), "SHORT_DATETIME_FORMAT")
        found.append(Finding(False, _("The last delivery failed at %(when)s: %(error)s") % {"when": when, "error": info.last_error}))
    return found


def _email(account: ChannelAccount, config: AccountConfig) -> Sequence[Finding]:
    return [_imap(config), _smtp(config)]


def _imap(config: AccountConfig) -> Finding:
    reading = email.imap_settings(config)
    if not reading.host:
        return Finding(False, _("No IMAP server is named: no mail comes in."))
    try:
        with Mailbox(reading):
            return Finding(
                True, _("IMAP: signed in on %(host)s, folder %(folder)s opened.") % {"host": reading.host, "folder": reading.folder}
            )
    except MailboxFault as fault:
        return Finding(False, f"IMAP: {fault}")


def _smtp(config: AccountConfig) -> Finding:
    sending = email.smtp_settings(config)
    if not sending.host:
        return Finding(False, _("No SMTP server is named: no answer goes out."))
    if fault := sign_in_fault(sending):
        return Finding(False, f"SMTP: {fault}")
    return Finding(True, _("SMTP: %(host)s lets us in.") % {"host": sending.host})


_CHECKS: Mapping[str, Callable[[ChannelAccount, AccountConfig], Sequence[Finding]]] = {"telegram": _telegram, "email": _email}


def connect_webhook(account: ChannelAccount) -> str:
    """Have the provider deliver to us; returns the address. Raises Refusal with the provider's words."""
    if account.kind != "telegram":
        raise Refusal("no_webhook", _("This channel needs no webhook to be set."), status=400)
    address = webhook_address(account)
    try:
        telegram.set_webhook(account.config(), address)
    except (telegram.BotApiError, SecretLost) as fault:
        raise Refusal("webhook_refused", str(fault)) from fault
    return address


def mark_healthy(account: ChannelAccount) -> bool:
    """An account that was degraded and passed the check serves again. Returns whether it was degraded."""
    with transaction.atomic():
        degraded = ChannelAccount.objects.filter(pk=account.pk, state=AccountState.DEGRADED)
        return bool(degraded.update(state=AccountState.ENABLED, state_reason=""))
