"""The settings and secrets of a mailbox."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

_SECURITY = (("tls", _("TLS from the first byte")), ("starttls", _("STARTTLS")), ("none", _("without encryption")))


def _server(name: str, title: Any, port: int) -> tuple[Setting, ...]:
    return (
        Setting(f"{name}.host", _("%(server)s: host") % {"server": title}, required=True),
        Setting(f"{name}.port", _("%(server)s: port") % {"server": title}, kind="number", initial=port),
        Setting(f"{name}.tls", _("%(server)s: encryption") % {"server": title}, kind="choice", choices=_SECURITY, initial="tls"),
        Setting(f"{name}.user", _("%(server)s: user") % {"server": title}),
    )


FORM = KindForm(
    name=_("E-mail"),
    settings=(
        Setting("address", _("Our address"), kind="email", required=True),
        Setting("name", _("Name of the sender")),
        Setting("aliases", _("Other addresses of ours"), kind="list", help=_("One a line.")),
        Setting("domain", _("Domain of our message ids"), help=_("Empty = the domain of our address.")),
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
        Secret("thread_key", _("Key of the reply addresses"), help=_("Made by itself; a new one breaks older threads."), made=True),
    ),
    has_webhook=False,
)
