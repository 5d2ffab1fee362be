"""Chains, regions, stores and who works there."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import known_time_zone
from core.text import searchable


class Chain(models.Model):
    """A brand of stores."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("chain")
        verbose_name_plural = _("chains")

    def __str__(self) -> str:
        return self.name


class Region(models.Model):
    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Cluster(models.Model):
    """Stores of a region that one manager leads."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    region = models.ForeignKey(Region, models.PROTECT, related_name="clusters", verbose_name=_("region"))

    class Meta:
        verbose_name = _("cluster")
        verbose_name_plural = _("clusters")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Store(models.Model):
    """A store; `number` is what people say and write."""

    number = models.CharField(_("number"), max_length=12, unique=True)
    name = models.CharField(_("name"), max_length=120)
    chain = models.ForeignKey(Chain, models.PROTECT, verbose_name=_("chain"))
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    cluster = models.ForeignKey(Cluster, models.SET_NULL, null=True, blank=True, related_name="stores", verbose_name=_("cluster"))
    address = models.CharField(_("address"), max_length=240, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Moscow", validators=[known_time_zone])
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    opens_at = models.TimeField(_("opens"), default="08:00")
    closes_at = models.TimeField(_("closes"), default="22:00")
    is_open = models.BooleanField(_("in operation"), default=True)
    search_text = models.TextField(editable=False, default="")

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        indexes = [GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="store_search_trgm")]

    def __str__(self) -> str:
        return f"{self.number} · {self.name}"

    def save(self, *args: object, **kwargs: object) -> None:
        self.search_text = searchable(self.number, self.name, self.address)
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class StoreStaff(models.Model):
    """A member of staff of a store: sees and answers the store's tickets."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="staff", verbose_name=_("store"))
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="stores", verbose_name=_("member of staff"))
    is_director = models.BooleanField(_("director"), default=False)

    class Meta:
        verbose_name = _("store staff")
        verbose_name_plural = _("store staff")
        constraints = [models.UniqueConstraint(fields=["store", "staff"], name="store_staff_once")]

    def __str__(self) -> str:
        return f"{self.staff} · {self.store}"
