"""The admin panel's left menu: what exists, by the rights of the person."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right


@dataclass(frozen=True)
class Entry:
    """A line of the menu; `address` is the name of a page."""

    title: Any
    icon: str
    address: str
    right: str = Right.ADMIN


def page(title: Any, icon: str, address: str, right: str = Right.ADMIN) -> Entry:
    return Entry(title, icon, address, right)


def list_of(title: Any, icon: str, model: str, right: str = Right.ADMIN) -> Entry:
    return Entry(title, icon, f"admin:{model}_changelist", right)


MENU: Sequence[tuple[Any, Sequence[Entry]]] = (
    (
        _("Live"),
        (
            page(_("Load"), "monitoring", "admin:index"),
            list_of(_("Work list"), "list_alt", "worklist_item", Right.EVERYTHING),
            list_of(_("Operators"), "support_agent", "omni_presence", Right.SUPERVISE),
            list_of(_("Who was given what"), "alt_route", "omni_decision", Right.SUPERVISE),
            page(_("What if"), "science", "admin:omni_decision_simulate", Right.SUPERVISE),
            Entry(_("Workstation"), "desktop_windows", "desk", Right.DESK),
        ),
    ),
    (
        _("Requests"),
        (
            list_of(_("Tickets"), "confirmation_number", "tickets_case", Right.EVERYTHING),
            list_of(_("Approvals of tickets"), "approval", "tickets_approval", Right.EVERYTHING),
            list_of(_("Stores' links"), "storefront", "tickets_storelink", Right.EVERYTHING),
            list_of(_("Letters about tickets"), "mail", "tickets_caseletter", Right.EVERYTHING),
            list_of(_("What guests were told"), "notifications_active", "tickets_guestnotice", Right.EVERYTHING),
            list_of(_("Marks of guests"), "star", "tickets_survey", Right.EVERYTHING),
            list_of(_("Possible duplicates"), "content_copy", "tickets_likeness", Right.EVERYTHING),
            list_of(_("Links of tickets"), "link", "tickets_caselink", Right.EVERYTHING),
            list_of(_("Incidents"), "crisis_alert", "tickets_incident", Right.EVERYTHING),
            list_of(_("Mass jobs"), "dynamic_feed", "tickets_massjob", Right.EVERYTHING),
            list_of(_("Dialogues"), "forum", "omni_session", Right.EVERYTHING),
            list_of(_("Guests"), "person", "customers_guest"),
            list_of(_("Joined guests"), "person_add", "customers_guestmerge"),
            list_of(_("Segments of guests"), "loyalty", "customers_segment"),
            list_of(_("Segments marked by people"), "bookmark", "customers_segmentmark"),
            list_of(_("Calls"), "call", "omni_call", Right.EVERYTHING),
            list_of(_("Sends"), "send", "omni_attempt", Right.EVERYTHING),
            list_of(_("Notices"), "notifications", "omni_notice", Right.EVERYTHING),
            list_of(_("Inbound journal"), "inbox", "omni_inboundevent", Right.JOURNAL),
            list_of(_("Silent channels"), "volume_off", "omni_silence", Right.JOURNAL),
            list_of(_("Sent by another channel"), "alt_route", "omni_fallback", Right.EVERYTHING),
        ),
    ),
    (
        _("Topics and SLA"),
        (
            list_of(_("Topics"), "account_tree", "tickets_topic"),
            list_of(_("Versions of the topics"), "difference", "tickets_topicversion"),
            list_of(_("Topics in versions"), "edit_note", "tickets_topicentry"),
            list_of(_("Details of tickets"), "fact_check", "tickets_detail"),
            list_of(_("Routing rules"), "alt_route", "tickets_routerule"),
            list_of(_("Rules of duplicates"), "balance", "tickets_likenessrule"),
            list_of(_("Numbers of duplicates"), "tune", "tickets_likenesspolicy"),
            list_of(_("Topics of common matters"), "groups", "tickets_sharedtopic"),
            list_of(_("Words that say nothing"), "text_fields", "tickets_commonword"),
            list_of(_("Rules of bursts"), "monitoring", "tickets_burstrule"),
            list_of(_("Stand-ins of groups"), "swap_horiz", "tickets_groupfallback"),
            list_of(_("Reasons to wait"), "pending", "tickets_waitreason"),
            list_of(_("Causes of closing"), "task_alt", "tickets_closingcause"),
            list_of(_("Reopening"), "replay", "tickets_reopenrule"),
            list_of(_("Calls to make"), "phone_callback", "tickets_callback", Right.EVERYTHING),
            list_of(_("Topic model"), "network_intelligence", "suggestions_modelversion", Right.REPORTS),
            list_of(_("Suggestion rules"), "tune", "suggestions_suggestionrules"),
            list_of(_("Suggested topics"), "checklist", "suggestions_suggestion", Right.EVERYTHING),
            list_of(_("Answer templates"), "quick_phrases", "tickets_answertemplate"),
            list_of(_("Texts of letters"), "drafts", "tickets_lettertext"),
            list_of(_("Notices of tickets"), "campaign", "tickets_guesttext"),
            list_of(_("Questions of satisfaction"), "sentiment_satisfied", "tickets_surveyrule"),
            list_of(_("Numbers of questions and notices"), "tune", "tickets_askingsettings"),
            list_of(_("Rules of approval"), "gavel", "tickets_approvalrule"),
            list_of(_("Absences"), "event_busy", "tickets_absence"),
            list_of(_("SLA policies"), "timer", "sla_policy"),
            list_of(_("Rules of promises"), "rule", "tickets_policyrule"),
            list_of(_("Calendars"), "calendar_month", "sla_calendar"),
            list_of(_("SLA clocks"), "hourglass_top", "sla_clock"),
            list_of(_("Changes of promises"), "published_with_changes", "sla_termschange"),
        ),
    ),
    (
        _("Escalation"),
        (
            list_of(_("What is called out"), "campaign", "escalation_run"),
            list_of(_("Alarms of escalation"), "emergency", "escalation_alarm"),
            list_of(_("Notices to staff"), "notifications", "escalation_delivery"),
            list_of(_("Escalation maps"), "stairs", "escalation_escalationmap"),
            list_of(_("Lines of the maps"), "format_list_numbered", "escalation_mapline"),
            list_of(_("Duty roles"), "badge", "escalation_dutyrole"),
            list_of(_("Duty schedules"), "calendar_clock", "escalation_schedule"),
            list_of(_("Layers of duty"), "layers", "escalation_layer"),
            list_of(_("Swaps of duty"), "swap_horiz", "escalation_swap"),
            list_of(_("Past duty"), "history_toggle_off", "escalation_dutyinterval"),
            list_of(_("Contacts of staff"), "contact_phone", "escalation_contact"),
            list_of(_("Dry runs"), "rule", "escalation_dryrun"),
            list_of(_("Matters without a line"), "unknown_document", "escalation_unmappedhit"),
            list_of(_("Systems to call"), "webhook", "escalation_hook"),
            list_of(_("Settings of escalation"), "tune", "escalation_escalationsettings"),
        ),
    ),
    (
        _("Channels"),
        (
            list_of(_("Channel accounts"), "hub", "omni_channelaccount"),
            list_of(_("Queues"), "queue", "omni_queue"),
            list_of(_("Extensions"), "dialpad", "omni_extension"),
            list_of(_("Approved texts"), "verified", "omni_messagetemplate"),
            list_of(_("Next channels"), "low_priority", "omni_fallbackstep"),
            list_of(_("Silence alarms"), "notifications", "omni_silencerule"),
            list_of(_("Consents to notices"), "notifications_off", "omni_noticeconsent"),
            list_of(_("Matching of guests"), "join_inner", "customers_matchrule"),
            list_of(_("Numbers of joining"), "tune", "customers_mergepolicy"),
        ),
    ),
    (
        _("Bots and knowledge"),
        (
            list_of(_("Bots' dialogues"), "smart_toy", "bots_dialogue"),
            list_of(_("Versions of dialogues"), "history_edu", "bots_version"),
            list_of(_("Steps of dialogues"), "conversion_path", "bots_step"),
            list_of(_("Talks of bots"), "voice_chat", "bots_run", Right.EVERYTHING),
            list_of(_("Articles"), "menu_book", "knowledge_article"),
            list_of(_("Orders"), "local_shipping", "orders_order", Right.PERSONAL),
            list_of(_("Meanings of statuses"), "translate", "orders_statusrule"),
            list_of(_("Words for states"), "chat_info", "orders_statewords"),
        ),
    ),
    (
        _("Distribution"),
        (
            list_of(_("Skills"), "psychology", "omni_skill"),
            list_of(_("Skills that dialogues need"), "rule", "omni_skillneed"),
            list_of(_("Limits of channels"), "speed", "omni_channellimit"),
            list_of(_("Kinds of break"), "coffee", "omni_breakkind"),
            list_of(_("Reasons to decline"), "thumb_down", "omni_declinereason"),
            list_of(_("Times in states"), "schedule", "omni_presencespan", Right.SUPERVISE),
        ),
    ),
    (
        _("Points"),
        (
            list_of(_("Compensations"), "redeem", "loyalty_compensation", Right.POINTS),
            list_of(_("Wallets"), "account_balance_wallet", "loyalty_wallet", Right.POINTS),
            list_of(_("Loyalty cards"), "loyalty", "loyalty_card", Right.POINTS),
            list_of(_("Transfers of points"), "swap_horiz", "loyalty_transfer", Right.POINTS),
            list_of(_("Accounts of points"), "account_balance", "loyalty_account", Right.POINTS),
            list_of(_("Reservations of points"), "bookmark", "loyalty_reservation", Right.POINTS),
            list_of(_("Imports of points"), "upload_file", "loyalty_import", Right.POINTS),
            list_of(_("Alarms of the ledger"), "notification_important", "loyalty_alarm"),
            list_of(_("Operations at the processing"), "sync_alt", "loyalty_operation", Right.POINTS),
        ),
    ),
    (
        _("Limits of compensations"),
        (
            list_of(_("Without approval"), "how_to_reg", "loyalty_allowance"),
            list_of(_("Limits of a guest"), "person_alert", "loyalty_guestallowance"),
            list_of(_("Approvals"), "approval", "loyalty_approvallevel"),
            list_of(_("Reasons"), "list", "loyalty_compensationreason"),
            list_of(_("Budgets"), "savings", "loyalty_budget"),
            list_of(_("Campaigns"), "campaign", "loyalty_campaign"),
            list_of(_("Terms of points"), "hourglass", "loyalty_terms"),
            list_of(_("Processings of points"), "dns", "loyalty_processing"),
        ),
    ),
    (
        _("Stores"),
        (
            list_of(_("Stores"), "storefront", "stores_store"),
            list_of(_("Regions"), "map", "stores_region"),
            list_of(_("Clusters"), "hub", "stores_cluster"),
            list_of(_("Chains"), "link", "stores_chain"),
        ),
    ),
    (
        _("Reports"),
        (
            page(_("Figures"), "bar_chart", "reports", Right.REPORTS),
            page(_("Pauses in which the guest wrote"), "pause_circle", "reports_pauses", Right.REPORTS),
            list_of(_("Counted tickets"), "fact_check", "reports_casefact", Right.REPORTS),
        ),
    ),
    (
        _("Access"),
        (
            list_of(_("Staff"), "group", "accounts_staff"),
            list_of(_("Groups"), "groups", "accounts_group"),
            list_of(_("Roles"), "shield_person", "accounts_role"),
            list_of(_("API tokens"), "key", "accounts_apitoken"),
            list_of(_("Audit"), "history", "core_auditentry"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of the menu for unfold: the lines that the signed-in person may open."""
    rights: Collection[str] = request.user.rights if isinstance(request.user, Staff) else ()
    return [{"title": title, "items": [_shown(entry) for entry in entries if entry.right in rights]} for title, entries in MENU]


def _shown(entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"title": entry.title, "icon": entry.icon, "link": _found(entry.address)}
    # The desk's address is the beginning of every other one: it would always look open.
    return shown | {"active": False} if entry.address == "desk" else shown


@cache
def _found(address: str) -> str:
    return reverse(address)
