"""Letters about tickets to stores and members of staff, the store's links, and the numbers of both."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from omni.models import Message
from stores.models import Store
from tickets.asking import PLACES, LetterKind, LetterState, Revoked, StoreWord, unknown_places
from tickets.models.cases import Case

_AT_LEAST_ONE = [MinValueValidator(1)]


def _public_channels() -> list[str]:
    return ["google_play", "app_store", "appgallery", "rss", "reviews_import"]


class AskingSettings(models.Model):
    """The numbers of asking stores and telling guests: one row."""

    link_hours = models.PositiveSmallIntegerField(_("a store's link works, hours"), default=72, validators=_AT_LEAST_ONE)
    remind_minutes = models.PositiveSmallIntegerField(
        _("remind the store before the clock's end, minutes"), default=120, help_text=_("0 = never.")
    )
    most_time_hours = models.PositiveSmallIntegerField(
        _("a store may ask for at most, hours"), default=48, validators=_AT_LEAST_ONE, help_text=_("Counted from when it asks.")
    )
    most_time_asks = models.PositiveSmallIntegerField(_("a store may ask for time, times"), default=2, help_text=_("0 = never."))
    most_photos = models.PositiveSmallIntegerField(_("files of one answer, at most"), default=10, validators=[MaxValueValidator(30)])
    most_megabytes = models.PositiveSmallIntegerField(
        _("a file, megabytes at most"), default=20, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    looks_a_minute = models.PositiveSmallIntegerField(
        _("requests a minute from one network address"), default=60, validators=_AT_LEAST_ONE, help_text=_("To pages that open by a link.")
    )
    awake_minutes = models.PositiveSmallIntegerField(
        _("a guest who wrote so lately is awake, minutes"), default=15, help_text=_("Such a guest is told at night, too.")
    )
    public_channels = ArrayField(
        models.CharField(max_length=24),
        verbose_name=_("channels that everybody reads"),
        default=_public_channels,
        blank=True,
        help_text=_("Nobody is told or asked anything there."),
    )

    class Meta:
        verbose_name = _("numbers of questions and notices")
        verbose_name_plural = _("numbers of questions and notices")

    def __str__(self) -> str:
        return str(_("Numbers of questions and notices"))


class LetterText(models.Model):
    """What a letter says; words in braces are filled in."""

    kind = models.CharField(_("letter"), max_length=20, choices=LetterKind, unique=True)
    heading = models.CharField(_("heading"), max_length=160)
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("text of a letter")
        verbose_name_plural = _("texts of letters")

    def __str__(self) -> str:
        return self.get_kind_display()

    def clean(self) -> None:
        """Only places that this letter knows, and the link where one is needed."""
        places = PLACES.get(LetterKind(self.kind), ()) if self.kind in LetterKind.values else ()
        if unknown := unknown_places(self.heading + self.text, places):
            raise ValidationError(_("There is no such place: %(name)s.") % {"name": unknown[0]})
        if "{link}" not in self.text:
            raise ValidationError({"text": _("The text must hold {link}.")})


class StoreLink(models.Model):
    """A signed address by which a store answers about one ticket, once. Its token is nowhere stored: only the token's SHA-256."""

    PERSONAL = ("words", "question")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    case = models.ForeignKey(Case, models.CASCADE, related_name="store_links", verbose_name=_("ticket"))
    store = models.ForeignKey(Store, models.PROTECT, related_name="+", verbose_name=_("store"))
    question = models.TextField(_("question to the store"), blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("sent by")
    )
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("works until"))
    opened_at = models.DateTimeField(_("first opened"), null=True, blank=True)
    promised_at = models.DateTimeField(_("promised by the store"), null=True, blank=True)
    time_asks = models.PositiveSmallIntegerField(_("times asked for time"), default=0)
    next_at = models.DateTimeField(_("reminder"), null=True, blank=True)
    word = models.CharField(_("used"), max_length=10, choices=StoreWord, blank=True)
    words = models.TextField(_("answer"), blank=True)
    signed = models.CharField(_("who answered"), max_length=120, blank=True)
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("note"))
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("taken back"), null=True, blank=True)
    revoked_because = models.CharField(_("why taken back"), max_length=10, choices=Revoked, blank=True)

    class Meta:
        verbose_name = _("store's link")
        verbose_name_plural = _("stores' links")
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(answered_at__isnull=True, revoked_at__isnull=True), name="store_link_one_open"
            )
        ]
        indexes = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="store_link_due")]

    def __str__(self) -> str:
        return f"{self.case_id} · {self.store_id}"


class CaseLetter(models.Model):
    """A letter about a ticket: a row before it goes out. Its text is made when it is sent, so no token lies in the base."""

    PERSONAL = ("address",)

    key = models.CharField(max_length=80, unique=True)
    """What makes it this letter: asked for twice, it is sent once."""
    kind = models.CharField(_("letter"), max_length=20, choices=LetterKind)
    case = models.ForeignKey(Case, models.CASCADE, related_name="letters", verbose_name=_("ticket"))
    link = models.ForeignKey(StoreLink, models.CASCADE, null=True, blank=True, related_name="letters", verbose_name=_("store's link"))
    approval = models.ForeignKey(
        "tickets.Approval", models.CASCADE, null=True, blank=True, related_name="letters", db_index=False, verbose_name=_("approval")
    )
    address = models.CharField(_("address"), max_length=254)
    state = models.CharField(_("state"), max_length=10, choices=LetterState, default=LetterState.QUEUED)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_at = models.DateTimeField(_("not before"), null=True, blank=True)
    claimed_until = models.DateTimeField(null=True)
    error = models.CharField(_("why not"), max_length=240, blank=True)
    created_at = models.DateTimeField(_("written"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("letter about a ticket")
        verbose_name_plural = _("letters about tickets")
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state=LetterState.QUEUED), name="case_letter_due"),
            models.Index(fields=["claimed_until"], condition=Q(state=LetterState.SENDING), name="case_letter_lost"),
        ]

    def __str__(self) -> str:
        return self.key
