"""Where we stopped asking the providers that do not deliver by themselves."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from omni.models.accounts import ChannelAccount


class PollPosition(models.Model):
    """How far one account has been read, and when it is asked next."""

    account = models.OneToOneField(ChannelAccount, models.CASCADE, primary_key=True, related_name="poll_position")
    cursor = models.JSONField(default=dict)
    next_at = models.DateTimeField(_("not before"))
    failures = models.PositiveSmallIntegerField(default=0)
    read_at = models.DateTimeField(_("read"), null=True)

    class Meta:
        verbose_name = _("position of a poll")
        verbose_name_plural = _("positions of polls")

    def __str__(self) -> str:
        return f"{self.account_id}"
