"""Trying a mailbox: whether both its servers let us in."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from omni.channels.contract import Finding
from omni.channels.email.fetching import ImapSettings, Mailbox, MailboxFault
from omni.channels.email.sending import SmtpSettings, sign_in_fault


def findings(reading: ImapSettings, sending: SmtpSettings) -> Sequence[Finding]:
    """One finding for each server; a server that is not named is a fault."""
    return [_imap(reading), _smtp(sending)]


def _imap(reading: ImapSettings) -> Finding:
    if not reading.host:
        return Finding(False, _("No IMAP server is named: no mail comes in."))
    try:
        with Mailbox(reading):
            return Finding(
                True, _("IMAP: signed in on %(host)s, folder %(folder)s opened.") % {"host": reading.host, "folder": reading.folder}
            )
    except MailboxFault as fault:
        return Finding(False, f"IMAP: {fault}")


def _smtp(sending: SmtpSettings) -> Finding:
    if not sending.host:
        return Finding(False, _("No SMTP server is named: no answer goes out."))
    if fault := sign_in_fault(sending):
        return Finding(False, f"SMTP: {fault}")
    return Finding(True, _("SMTP: %(host)s lets us in.") % {"host": sending.host})
