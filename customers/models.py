"""Guests and the identities by which channels know them."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from customers.matching import VERIFIED, Doubt, Reason


class Guest(models.Model):
    """A person who shops here."""

    PERSONAL = ("name", "phone", "email", "search_text")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=160, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True, db_index=True, help_text=_("E.164"))
    email = models.EmailField(_("e-mail"), blank=True, db_index=True)
    language = models.CharField(_("language"), max_length=2, default="ru")
    note = models.TextField(_("note"), blank=True)
    segment = models.SlugField(_("segment"), max_length=32, blank=True, default="", db_default="")
    """Code of the group of guests that the chain counts this one among (services/segments.py); rules of promises may name it."""
    is_person = models.BooleanField(default=True, db_default=True, editable=False)
    """False = nobody: the row behind a dialogue that our people have among themselves (omni.services.inner)."""
    created_at = models.DateTimeField(_("first seen"))
    search_text = models.TextField(editable=False, default="")
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="aliases", verbose_name=_("goes on as")
    )
    """The guest who this one turned out to be: nothing hangs here any more, the row stays for the undo."""

    class Meta:
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        constraints = [
            models.CheckConstraint(condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")), name="guest_not_into_itself")
        ]
        indexes = [GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="guest_search_trgm")]

    def __str__(self) -> str:
        return self.name or str(_("Guest %(number)s") % {"number": self.pk})


class Identity(models.Model):
    """How one channel account knows a guest. `scope` is the channel account's id, `external_id` the provider's id of the person."""

    PERSONAL = ("external_id", "display_name", "address", "phone")

    guest = models.ForeignKey(Guest, models.PROTECT, related_name="identities", verbose_name=_("guest"))
    channel = models.CharField(_("channel"), max_length=24)
    scope = models.CharField(max_length=40)
    external_id = models.CharField(_("id in the channel"), max_length=255)
    display_name = models.CharField(_("name in the channel"), max_length=160, blank=True)
    address = models.CharField(_("where to answer"), max_length=255, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True, db_default="", default="", help_text=_("E.164"))
    """The telephone number that came with this identity: vouched for if it is verified, else only told."""
    is_verified = models.BooleanField(_("verified"), default=False)
    """Who it is was vouched for: by the channel (a telephone the guest shared), or by the site's signature."""
    link_due = models.BooleanField(default=False, db_default=False, editable=False)
    """It was verified, and nobody has yet looked whether that makes it the same guest as another."""
    blocked_at = models.DateTimeField(_("blocked us at"), null=True, blank=True)
    unblocked_at = models.DateTimeField(null=True, editable=False)
    """When the guest let us write again, by the provider's clock: an older block that comes late is over."""
    created_at = models.DateTimeField(_("first seen"))

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [models.UniqueConstraint(fields=["scope", "external_id"], name="identity_once")]
        indexes = [
            models.Index(fields=["external_id"], name="identity_external_id"),
            models.Index(fields=["phone"], condition=~Q(phone=""), name="identity_phone"),
            models.Index(fields=["id"], condition=Q(link_due=True), name="identity_link_due"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.display_name or self.external_id}"


class Consent(models.Model):
    """The guest agreed that we write to this identity first, when another channel fails. Withdrawn = no longer."""

    identity = models.OneToOneField(Identity, models.CASCADE, primary_key=True, related_name="consent", verbose_name=_("identity"))
    given_at = models.DateTimeField(_("given"))
    source = models.CharField(_("how it was given"), max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("noted by"))
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")

    def __str__(self) -> str:
        return f"{self.identity_id}"


class MatchRule(models.Model):
    """How much a reason weighs when two guests may be one person, or how much of the score a doubt leaves."""

    code = models.CharField(
        _("what is the same"),
        max_length=24,
        primary_key=True,
        choices=[
            (Reason.VERIFIED_PHONE.value, _("the same telephone, shared by the guest in both channels")),
            (Reason.VERIFIED_ID.value, _("the same verified id in two accounts of one channel")),
            (Reason.PHONE.value, _("the same telephone, once only told")),
            (Reason.EMAIL.value, _("the same e-mail address")),
            (Reason.SAME_ID.value, _("the same id in two accounts of one channel")),
            (Reason.NAME_AND_STORE.value, _("the same name, and tickets about the same store")),
            (Doubt.OTHER_ID.value, _("doubt: one channel knows them by different ids")),
            (Doubt.OTHER_EMAIL.value, _("doubt: different e-mail addresses")),
            (Doubt.OTHER_PHONE.value, _("doubt: different telephones, both shared by the guests")),
        ],
    )
    weight = models.PositiveSmallIntegerField(
        _("weight, %"),
        validators=[MaxValueValidator(100)],
        help_text=_("Of a reason: how sure it alone makes us; 0 = it does not count. Of a doubt: how much of the score it leaves."),
    )
    links_by_itself = models.BooleanField(
        _("joins by itself"), default=False, help_text=_("Only for verified reasons, with exactly one match and no doubt.")
    )

    class Meta:
        verbose_name = _("rule of matching guests")
        verbose_name_plural = _("rules of matching guests")
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.get_code_display())

    def clean(self) -> None:
        """Only what nobody can make up may join guests without a person."""
        if self.links_by_itself and self.code not in VERIFIED:
            raise ValidationError({"links_by_itself": _("Only a verified reason may join guests by itself.")})


class MergePolicy(models.Model):
    """The one row of numbers about joining guests."""

    least_score = models.PositiveSmallIntegerField(
        _("least score shown, %"), default=30, validators=[MaxValueValidator(100)], help_text=_("Weaker matches are not offered.")
    )
    undo_days = models.PositiveSmallIntegerField(_("undo possible, days"), default=30)

    class Meta:
        verbose_name = _("numbers of joining guests")
        verbose_name_plural = _("numbers of joining guests")

    def __str__(self) -> str:
        return str(_("Numbers of joining guests"))


class GuestMerge(models.Model):
    """One joining of two guests: `gone` goes on as `kept`. What moved is what hangs on `identities`."""

    PERSONAL = ("filled",)

    kept = models.ForeignKey(Guest, models.PROTECT, related_name="merges", verbose_name=_("goes on"))
    gone = models.ForeignKey(Guest, models.PROTECT, related_name="merges_away", verbose_name=_("was joined to it"))
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by"))
    reasons = ArrayField(models.CharField(max_length=24), default=list)
    score = models.PositiveSmallIntegerField(_("score, %"), null=True)
    identity_ids = ArrayField(models.BigIntegerField(), default=list)
    moved = models.JSONField(_("moved"), default=dict)
    """How many of each kind, as the preview counts them."""
    filled = models.JSONField(default=dict)
    """Fields of `kept` that were changed: [before, after]."""
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("undone by")
    )

    class Meta:
        verbose_name = _("joining of guests")
        verbose_name_plural = _("joinings of guests")
        constraints = [
            # A guest is gone once at a time.
            models.UniqueConstraint(fields=["gone"], condition=Q(undone_at__isnull=True), name="merge_gone_once"),
        ]
        indexes = [models.Index(fields=["kept", "-at"], name="merge_of_guest"), models.Index(fields=["-at"], name="merge_recent")]

    def __str__(self) -> str:
        return f"{self.gone_id} → {self.kept_id}"


class TwoPeople(models.Model):
    """Somebody has said that these two guests are not one person: they are not offered, nor joined by themselves, again."""

    first = models.ForeignKey(Guest, models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Guest, models.CASCADE, related_name="+")
    """The one with the greater number."""
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="two_people_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="two_people_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} ≠ {self.second_id}"


class Segment(models.Model):
    """A group of guests that the chain treats in its own way. The first one in order whose rules fit is the guest's."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("name in English"), max_length=80, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("segment of guests")
        verbose_name_plural = _("segments of guests")
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        return self.name_en if get_language() == "en" and self.name_en else self.name


class SegmentRule(models.Model):
    """One way into a segment; a segment without rules has only whom people have marked."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="rules", verbose_name=_("segment"))
    measure = models.CharField(_("what is measured"), max_length=32, help_text=_("Of the last months."))
    least = models.PositiveBigIntegerField(_("at least"), validators=[MinValueValidator(1)])
    months = models.PositiveSmallIntegerField(_("months"), default=12, validators=[MinValueValidator(1), MaxValueValidator(60)])

    class Meta:
        verbose_name = _("rule of a segment")
        verbose_name_plural = _("rules of segments")

    def __str__(self) -> str:
        return f"{self.measure} ≥ {self.least}"


class SegmentMark(models.Model):
    """A person has said which segment a guest belongs to (empty = to none): it holds whatever the rules say."""

    PERSONAL = ("reason",)

    guest = models.OneToOneField(Guest, models.CASCADE, primary_key=True, related_name="segment_mark", verbose_name=_("guest"))
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("segment"))
    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("marked"))

    class Meta:
        verbose_name = _("segment marked by a person")
        verbose_name_plural = _("segments marked by people")

    def __str__(self) -> str:
        return f"{self.guest_id}: {self.segment_id or '–'}"
