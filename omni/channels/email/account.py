"""The settings and secrets of a mailbox."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting
from omni.channels.email.oauth import OAUTH, PASSWORD

_SECURITY = (("tls", _("TLS from the first byte")), ("starttls", _("STARTTLS")), ("none", _("without encryption")))


def _server(name: str, title: Any, port: int) -> tuple[Setting, ...]:
    return (
        Setting(f"{name}.host", _("%(server)s: host") % {"server": title}, required=True),
        Setting(f"{name}.port", _("%(server)s: port") % {"server": title}, kind="number", initial=port),
        Setting(f"{name}.tls", _("%(server)s: encryption") % {"server": title}, kind="choice", choices=_SECURITY, initial="tls"),
        Setting(f"{name}.user", _("%(server)s: user") % {"server": title}),
    )


def _shape(values: Mapping[str, Any]) -> Mapping[str, Any]:
    if values.get("sign_in") != OAUTH:
        return {}
    given = values.get("oauth") or {}
    wanted = {"token_address": _("Needed to sign in with a key."), "client_id": _("Needed to sign in with a key.")}
    return {f"oauth.{name}": sentence for name, sentence in wanted.items() if not given.get(name)}


FORM = KindForm(
    name=_("E-mail"),
    settings=(
        Setting("address", _("Our address"), kind="email", required=True),
        Setting("name", _("Name of the sender")),
        Setting("aliases", _("Other addresses of ours"), kind="list", help=_("One a line.")),
        Setting("domain", _("Domain of our message ids"), help=_("Empty = the domain of our address.")),
        Setting(
            "sign_in",
            _("Sign in with"),
            kind="choice",
            choices=((PASSWORD, _("a password")), (OAUTH, _("a key of the mail provider (OAuth 2.0: Gmail, Microsoft 365)"))),
        ),
        Setting(
            "oauth.token_address", _("OAuth: address for keys"), kind="address", help=_("For example https://oauth2.googleapis.com/token")
        ),
        Setting("oauth.client_id", _("OAuth: our number with the provider")),
        Setting("oauth.scope", _("OAuth: rights"), help=_("Empty = those that were given when the mailbox was allowed.")),
        *_server("imap", "IMAP", 993),
        Setting("imap.folder", _("IMAP: folder"), initial="INBOX"),
        Setting("imap.move_to", _("IMAP: move read mails to"), help=_("Empty = they stay, marked as read.")),
        *_server("smtp", "SMTP", 465),
        Setting(
            "verp",
            _("Undelivered mails come back to an address of their own"),
            kind="flag",
            help=_("help+r=…@: the mail server must take such addresses for this mailbox, and let them be the sender."),
        ),
        Setting("size_limit", _("Largest mail, bytes"), kind="number", help=_("Larger ones are read by their headers only.")),
        Setting("poll_seconds", _("Look for mails every so many seconds"), kind="number"),
        Setting("ca_file", _("File of an own certificate authority")),
    ),
    secrets=(
        Secret("imap_password", _("IMAP: password")),
        Secret("smtp_password", _("SMTP: password")),
        Secret("oauth_client_secret", _("OAuth: our secret with the provider")),
        Secret("oauth_refresh_token", _("OAuth: refresh token"), help=_("Given once, when the mailbox's owner allows us in.")),
        Secret("thread_key", _("Key of the reply addresses"), help=_("Made by itself; a new one breaks older threads."), made=True),
    ),
    shape=_shape,
    has_webhook=False,
)
