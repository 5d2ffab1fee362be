"""Staff, roles and groups."""

from collections.abc import Iterable
from functools import cached_property

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right, choices
from core.statements import Prepared
from core.zones import zone_names


def known_time_zone(value: str) -> None:
    if value not in zone_names():
        raise ValidationError(_("Unknown time zone: %(value)s"), params={"value": value})


class Group(models.Model):
    """A queue of people: the first line or an expert group. Dialogues and tickets wait for a group."""

    class Line(models.TextChoices):
        FIRST = "first", _("first line")
        EXPERT = "expert", _("expert group")
        DUTY = "duty", _("duty shift")

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    line = models.CharField(_("line"), max_length=8, choices=Line, default=Line.EXPERT)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A named set of rights."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    rights = ArrayField(models.CharField(max_length=32, choices=choices), verbose_name=_("rights"), default=list, blank=True)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class StaffManager(BaseUserManager["Staff"]):
    def get_by_natural_key(self, username: str | None) -> "Staff":
        return self.get(login__iexact=username)

    def create_superuser(self, login: str, password: str | None = None, **fields: object) -> "Staff":
        staff = Staff(login=login, is_superuser=True, full_name=str(fields.get("full_name") or login))
        staff.set_password(password)
        staff.save()
        return staff


class Staff(AbstractBaseUser):
    """A person who works here: operator, expert, supervisor, store staff."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("as in the system")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    login = models.CharField(_("login"), max_length=64, unique=True)
    full_name = models.CharField(_("full name"), max_length=120)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_superuser = models.BooleanField(_("may do everything"), default=False)
    roles = models.ManyToManyField(Role, related_name="staff", blank=True, verbose_name=_("roles"))
    groups = models.ManyToManyField(Group, through="Membership", related_name="staff", verbose_name=_("groups"))
    language = models.CharField(_("language"), max_length=2, choices=[("ru", "Русский"), ("en", "English")], default="ru")
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Moscow", validators=[known_time_zone])
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, default=Theme.AUTO)
    single_keys = models.BooleanField(_("single-letter keys"), default=True)
    own_keys = models.JSONField(_("own keys"), default=dict, blank=True)
    """The desk's commands by name to keys, only what differs from the defaults (workstation.keys)."""
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = StaffManager()
    USERNAME_FIELD = "login"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        ordering = ["full_name"]

    def __str__(self) -> str:
        return self.full_name or self.login

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return self.full_name.split(" ")[0] if self.full_name else self.login

    @cached_property
    def rights(self) -> frozenset[str]:
        """All rights of the person's roles; read once per loaded instance."""
        roles: list[list[str]] = [] if self.is_superuser or not self.is_active else _RIGHTS.all(staff=self.pk)
        return self._held(right for rights in roles for right in rights)

    def _held(self, granted: Iterable[str]) -> frozenset[str]:
        if not self.is_active:
            return frozenset()
        return frozenset(Right.values if self.is_superuser else granted)

    @cached_property
    def group_ids(self) -> tuple[int, ...]:
        """Ids of the active groups the person belongs to; read once per loaded instance."""
        return tuple(_GROUPS.all(staff=self.pk))

    def know(self, *, granted: Iterable[str], groups: Iterable[int]) -> None:
        """Keep the roles' rights and the active groups that were read together with the person."""
        self.rights, self.group_ids = self._held(granted), tuple(groups)

    def has_right(self, right: str) -> bool:
        return right in self.rights

    # What Django's admin asks.
    @property
    def is_staff(self) -> bool:
        return self.has_right(Right.ADMIN)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Looking at settings needs the right to enter, changing them the right to configure."""
        looks = perm.partition(".")[2].startswith("view_")
        return self.has_right(Right.ADMIN) and (looks or self.has_right(Right.CONFIGURE))

    def has_perms(self, perms: list[str], obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.has_right(Right.ADMIN)


class Membership(models.Model):
    """A person in a group."""

    staff = models.ForeignKey(Staff, models.CASCADE, related_name="memberships", verbose_name=_("member of staff"))
    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships", verbose_name=_("group"))

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["staff", "group"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.staff} · {self.group}"


class ApiToken(models.Model):
    """A token of a program that acts as a member of staff; only its digest is kept."""

    name = models.CharField(_("name"), max_length=80)
    staff = models.ForeignKey(Staff, models.CASCADE, related_name="api_tokens", verbose_name=_("acts as"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=32, choices=choices),
        verbose_name=_("scopes"),
        default=list,
        blank=True,
        help_text=_("The token may use only these rights of the person; none chosen = all of them."),
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name


_RIGHTS = Prepared(lambda staff: Role.objects.filter(staff=staff).order_by("pk").values_list("rights", flat=True))
_GROUPS = Prepared(
    lambda staff: Membership.objects.filter(staff=staff, group__is_active=True).order_by("group_id").values_list("group_id", flat=True)
)
