"""How far our mailboxes were read."""

from django.db import models

from omni.models.accounts import ChannelAccount


class MailboxCursor(models.Model):
    """Mails up to `last_uid` are in the journal, as long as the account reads this mailbox and its numbering stays the same."""

    account = models.OneToOneField(ChannelAccount, models.CASCADE, primary_key=True, related_name="mailbox_cursor")
    mailbox = models.CharField(max_length=400)
    """Server, user and folder: another one begins anew."""
    uidvalidity = models.BigIntegerField()
    last_uid = models.BigIntegerField(default=0)
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.mailbox}: {self.last_uid}"
