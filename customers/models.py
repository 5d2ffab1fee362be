"""Guests and the identities by which channels know them."""

import uuid

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Guest(models.Model):
    """A person who shops here."""

    PERSONAL = ("name", "phone", "email", "search_text")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=160, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True, db_index=True, help_text=_("E.164"))
    email = models.EmailField(_("e-mail"), blank=True, db_index=True)
    language = models.CharField(_("language"), max_length=2, default="ru")
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("first seen"))
    search_text = models.TextField(editable=False, default="")

    class Meta:
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        indexes = [GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="guest_search_trgm")]

    def __str__(self) -> str:
        return self.name or str(_("Guest %(number)s") % {"number": self.pk})


class Identity(models.Model):
    """How one channel account knows a guest. `scope` is the channel account's id, `external_id` the provider's id of the person."""

    PERSONAL = ("external_id", "display_name", "address")

    guest = models.ForeignKey(Guest, models.PROTECT, related_name="identities", verbose_name=_("guest"))
    channel = models.CharField(_("channel"), max_length=24)
    scope = models.CharField(max_length=40)
    external_id = models.CharField(_("id in the channel"), max_length=255)
    display_name = models.CharField(_("name in the channel"), max_length=160, blank=True)
    address = models.CharField(_("where to answer"), max_length=255, blank=True)
    is_verified = models.BooleanField(_("verified"), default=False)
    blocked_at = models.DateTimeField(_("blocked us at"), null=True, blank=True)
    created_at = models.DateTimeField(_("first seen"))

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [models.UniqueConstraint(fields=["scope", "external_id"], name="identity_once")]

    def __str__(self) -> str:
        return f"{self.channel}: {self.display_name or self.external_id}"
