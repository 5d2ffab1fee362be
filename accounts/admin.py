"""People, roles, groups and API tokens."""

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group as DjangoGroup
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminPasswordWidget

from accounts.models import ApiToken, Group, Membership, Role, Staff
from accounts.rights import Right
from accounts.tokens import new_token
from core.admin import AuditedAdmin, Inline

# Not ours: roles take the place of Django's groups, the audit trail that of the sign-in logs.
for foreign in (DjangoGroup, AccessAttempt, AccessFailureLog, AccessLog):
    if admin.site.is_registered(foreign):
        admin.site.unregister(foreign)


def rights_field(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, choices=Right.choices, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget, help_text=help_text
    )


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    rights = rights_field(_("Rights"))

    class Meta:
        model = Role
        fields = ("name", "code", "rights")


@admin.register(Role)
class RoleAdmin(AuditedAdmin):
    form = RoleForm
    list_display = ("name", "code", "allows")
    search_fields = ("name", "code")

    @admin.display(description=_("rights"))
    def allows(self, role: Role) -> str:
        names = dict(Right.choices)
        return ", ".join(str(names.get(right, right)) for right in role.rights)


class MembershipInline(Inline):
    model = Membership
    autocomplete_fields = ("group",)


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person; the password is only ever written."""

    new_password = forms.CharField(
        label=_("New password"), required=False, strip=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    )

    roles = forms.ModelMultipleChoiceField(
        label=_("Roles"), queryset=Role.objects.all(), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    class Meta:
        model = Staff
        fields = (
            "login",
            "full_name",
            "email",
            "phone",
            "is_active",
            "is_superuser",
            "roles",
            "language",
            "time_zone",
            "theme",
            "single_keys",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "new_password" not in self.fields:  # the page is only looked at
            return
        password = self.fields["new_password"]
        password.required = self.instance.pk is None
        password.help_text = password_validators_help_text_html()
        if self.instance.pk:
            password.help_text = _("Empty = the password stays. Another password ends all sessions of the person.")

    def clean_login(self) -> str:
        login: str = self.cleaned_data["login"].strip()
        if Staff.objects.filter(login__iexact=login).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Somebody else has this login."))
        return login

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password

    def save(self, commit: bool = True) -> Staff:
        if self.cleaned_data.get("new_password"):
            self.instance.set_password(self.cleaned_data["new_password"])
        saved: Staff = super().save(commit)
        return saved


@admin.register(Staff)
class StaffAdmin(AuditedAdmin):
    form = StaffForm
    secret_fields = ("new_password",)
    list_display = ("full_name", "login", "is_active", "has_roles", "in_groups")
    list_filter = ("is_active", "roles", "memberships__group")
    search_fields = ("full_name", "login", "email")
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("full_name", "login", "new_password", "is_active")}),
        (_("Rights"), {"fields": ("roles", "is_superuser")}),
        (_("Contacts"), {"fields": ("email", "phone")}),
        (_("Workplace"), {"fields": ("language", "time_zone", "theme", "single_keys")}),
    )

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Staff]":
        found: models.QuerySet[Staff] = super().get_queryset(request)
        return found.prefetch_related("roles", "groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if _is_superuser(request) else ("is_superuser",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Who sets the password of somebody who may do everything may do everything.
        return super().has_change_permission(request, obj) and (obj is None or not obj.is_superuser or _is_superuser(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody is removed: what people did stays theirs. They are switched off."""
        return False

    @admin.display(description=_("roles"))
    def has_roles(self, staff: Staff) -> str:
        return ", ".join(role.name for role in staff.roles.all())

    @admin.display(description=_("groups"))
    def in_groups(self, staff: Staff) -> str:
        return ", ".join(group.name for group in staff.groups.all())


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, Staff) and request.user.is_superuser


class MemberInline(Inline):
    model = Membership
    autocomplete_fields = ("staff",)


@admin.register(Group)
class GroupAdmin(AuditedAdmin):
    list_display = ("name", "code", "line", "is_active", "people")
    list_filter = ("line", "is_active")
    search_fields = ("name", "name_en", "code")
    inlines = (MemberInline,)

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Group]":
        found: models.QuerySet[Group] = super().get_queryset(request)
        return found.annotate(people_count=models.Count("memberships"))

    @admin.display(description=_("people"), ordering="people_count")
    def people(self, group: Group) -> int:
        return int(getattr(group, "people_count", 0))


class ApiTokenForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = rights_field(_("Scopes"), _("The token may use only these rights of the person; none chosen = all of them."))

    class Meta:
        model = ApiToken
        fields = ("name", "staff", "scopes", "expires_at")


@admin.register(ApiToken)
class ApiTokenAdmin(AuditedAdmin):
    """Made once, shown once; later only the scopes and the expiry can be changed."""

    form = ApiTokenForm
    list_display = ("name", "staff", "expires_at", "created_at")
    list_select_related = ("staff",)
    autocomplete_fields = ("staff",)
    search_fields = ("name", "staff__full_name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("staff",) if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "staff" in form.base_fields and not _is_superuser(request):
            form.base_fields["staff"].queryset = Staff.objects.filter(is_superuser=False)
        return form

    def save_model(self, request: HttpRequest, obj: models.Model, form: "forms.ModelForm[Any]", change: bool) -> None:
        if not change and isinstance(obj, ApiToken):
            token, obj.digest = new_token()
            request._otklik_token = token  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """The only page that ever shows the token."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("API token"),
            "opts": self.opts,
            "made": obj,
            "token": request._otklik_token,  # type: ignore[attr-defined]
        }
        answer = TemplateResponse(request, "admin/accounts/token_made.html", context)
        answer.headers["Cache-Control"] = "no-store"
        return answer
