"""The ledger, to be looked at; alarms, to be closed with a word."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core.admin import AuditedAdmin, PeriodFilter, ReadOnlyAdmin, in_lines
from core.refusal import Refusal
from loyalty.models import Account, Alarm, Card, HouseDelta, Reservation, Transfer, Wallet
from loyalty.selectors import list_transfers
from loyalty.services import cards, proof
from loyalty.states import AccountKind


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    """A guest's points over all chains: balances, cards, the newest transfers."""

    view_right = Right.POINTS
    list_display = ("id", "guest", "created_at")
    list_select_related = ("guest",)
    search_fields = ("cards__number__exact",)
    search_help_text = _("The whole number of a card")
    ordering = ("-pk",)
    fields = ("guest", "merged_into", "created_at", "balances", "card_numbers", "newest")
    readonly_fields = fields

    @admin.display(description=_("balances"))
    def balances(self, wallet: Wallet) -> SafeString:
        return in_lines((account.get_kind_display(), _with_reserved(account)) for account in wallet.accounts.order_by("pk"))

    @admin.display(description=_("cards"))
    def card_numbers(self, wallet: Wallet) -> SafeString:
        return in_lines((card.chain, card.number) for card in wallet.cards.select_related("chain").order_by("pk"))

    @admin.display(description=_("newest transfers"))
    def newest(self, wallet: Wallet) -> SafeString:
        own = set(wallet.accounts.values_list("pk", flat=True))
        return in_lines(
            (_when(one.at), f"{'+' if one.credit_id in own else '−'}{one.amount} · {_about(one)}") for one in list_transfers(wallet)
        )


def _with_reserved(account: Account) -> str:
    return f"{account.balance} ({account.reserved})" if account.reserved else str(account.balance)


def _when(at: Any) -> str:
    return date_format(localtime(at), "SHORT_DATETIME_FORMAT")


def _about(transfer: Transfer) -> str:
    return " · ".join(part for part in (transfer.get_kind_display(), transfer.subject, transfer.reason) if part)


@admin.register(Card)
class CardAdmin(ReadOnlyAdmin):
    view_right = Right.POINTS
    list_display = ("number", "chain", "wallet", "state")
    list_select_related = ("chain", "wallet")
    search_fields = ("number__exact",)
    search_help_text = _("The whole number of a card")
    ordering = ("-pk",)
    fields = ("number", "chain", "wallet", "state", "created_at")
    readonly_fields = fields
    actions = ("block_chosen",)

    @admin.action(description=_("Block the chosen cards"))
    def block_chosen(self, request: HttpRequest, queryset: "models.QuerySet[Card]") -> None:
        if not (isinstance(request.user, Staff) and request.user.has_right(Right.LOAD_POINTS)):
            messages.error(request, _("Your role does not allow this."))
            return
        for card in queryset:
            cards.block(card=card, now=timezone.now(), by=request.user)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """House accounts first: what the chains have issued and taken back."""

    view_right = Right.POINTS
    list_display = ("shown", "kind", "balance_now", "reserved")
    list_display_links = ("shown",)
    list_filter = ("kind",)
    search_fields = ("code__startswith",)
    ordering = ("code", "pk")
    fields = ("kind", "code", "wallet", "balance_now", "reserved")
    readonly_fields = fields

    @admin.display(description=_("account of points"))
    def shown(self, account: Account) -> str:
        return str(account)

    @admin.display(description=_("balance"))
    def balance_now(self, account: Account) -> int:
        return account.balance + int(getattr(account, "unfolded", 0) or 0)

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Account]":
        unfolded = HouseDelta.objects.filter(account=models.OuterRef("pk")).order_by().values("account").annotate(all=models.Sum("amount"))
        found: models.QuerySet[Account] = super().get_queryset(request)
        return found.select_related("wallet").annotate(
            unfolded=models.Case(models.When(kind=AccountKind.HOUSE, then=models.Subquery(unfolded.values("all"))), default=0)
        )


class TransferPeriod(PeriodFilter):
    field = "at"


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    view_right = Right.POINTS
    list_display = ("at", "kind", "debit", "credit", "amount", "subject", "by")
    list_filter = (TransferPeriod,)
    list_select_related = ("debit", "credit", "by")
    search_fields = ("id__exact",)
    search_help_text = _("The whole number of a card, or the whole id of a transfer")
    ordering = ("-at",)
    fields = ("id", "kind", "debit", "credit", "amount", "at", "subject", "reason", "by", "approved_by", "refund_of", "reservation")
    readonly_fields = fields

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        words = search_term.strip()
        if not words:
            return queryset, False
        accounts = list(Account.objects.filter(wallet__cards__number=words).values_list("pk", flat=True))
        if accounts:
            return queryset.filter(models.Q(debit__in=accounts) | models.Q(credit__in=accounts)), False
        try:
            return queryset.filter(pk=words), False
        except (ValueError, forms.ValidationError):
            return queryset.none(), False


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    view_right = Right.POINTS
    list_display = ("made_at", "account", "amount", "posted", "state", "expires_at", "subject")
    list_filter = ("state",)
    list_select_related = ("account",)
    ordering = ("-made_at",)
    fields = ("id", "account", "credit", "kind", "amount", "posted", "state", "subject", "made_at", "expires_at", "resolved_at")
    readonly_fields = fields


class AlarmForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Alarm
        fields = ("answer",)


@admin.register(Alarm)
class AlarmAdmin(AuditedAdmin):
    """Proofs that failed. Saving with a word closes the alarm; if the fault is still there, the next proof raises another one."""

    form = AlarmForm
    list_display = ("raised_at", "check_name", "subject", "expected", "found", "closed_at", "closed_by")
    list_filter = ("check_name", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("closed_by",)
    ordering = ("-raised_at",)
    readonly_fields = ("check_name", "subject", "expected", "found", "text", "raised_at", "seen_at", "closed_at", "closed_by")
    fields = (*readonly_fields, "answer")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        opened = not isinstance(obj, Alarm) or obj.closed_at is None
        return opened and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        assert isinstance(obj, Alarm)
        assert isinstance(request.user, Staff)
        try:
            proof.close_alarm(alarm=obj, answer=obj.answer, by=request.user, now=timezone.now())
        except Refusal as refusal:
            messages.error(request, str(refusal))
