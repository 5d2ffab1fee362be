"""The admin panel's left menu: what exists, by the rights of the person."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right


def may(right: str) -> Callable[[HttpRequest], bool]:
    """Whether the signed-in person has the right."""

    def asked(request: HttpRequest) -> bool:
        return isinstance(request.user, Staff) and request.user.has_right(right)

    return asked


def _page(title: Any, icon: str, address: str, right: str = Right.ADMIN) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(address), "permission": may(right)}


def _list(title: Any, icon: str, model: str, right: str = Right.ADMIN) -> dict[str, Any]:
    return _page(title, icon, f"admin:{model}_changelist", right)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of the menu for unfold."""
    return [
        {
            "title": _("Live"),
            "items": [
                _page(_("Load"), "monitoring", "admin:index"),
                _list(_("Work list"), "list_alt", "worklist_item", Right.EVERYTHING),
                _list(_("Operators"), "support_agent", "omni_presence", Right.SUPERVISE),
                _list(_("Who was given what"), "alt_route", "omni_decision", Right.SUPERVISE),
                _page(_("What if"), "science", "admin:omni_decision_simulate", Right.SUPERVISE),
                {"title": _("Workstation"), "icon": "desktop_windows", "link": "/", "permission": may(Right.DESK), "active": False},
            ],
        },
        {
            "title": _("Requests"),
            "items": [
                _list(_("Tickets"), "confirmation_number", "tickets_case", Right.EVERYTHING),
                _list(_("Approvals of tickets"), "approval", "tickets_approval", Right.EVERYTHING),
                _list(_("Stores' links"), "storefront", "tickets_storelink", Right.EVERYTHING),
                _list(_("Letters about tickets"), "mail", "tickets_caseletter", Right.EVERYTHING),
                _list(_("What guests were told"), "notifications_active", "tickets_guestnotice", Right.EVERYTHING),
                _list(_("Marks of guests"), "star", "tickets_survey", Right.EVERYTHING),
                _list(_("Possible duplicates"), "content_copy", "tickets_likeness", Right.EVERYTHING),
                _list(_("Links of tickets"), "link", "tickets_caselink", Right.EVERYTHING),
                _list(_("Incidents"), "crisis_alert", "tickets_incident", Right.EVERYTHING),
                _list(_("Mass jobs"), "dynamic_feed", "tickets_massjob", Right.EVERYTHING),
                _list(_("Dialogues"), "forum", "omni_session", Right.EVERYTHING),
                _list(_("Guests"), "person", "customers_guest"),
                _list(_("Joined guests"), "person_add", "customers_guestmerge"),
                _list(_("Calls"), "call", "omni_call", Right.EVERYTHING),
                _list(_("Sends"), "send", "omni_attempt", Right.EVERYTHING),
                _list(_("Notices"), "notifications", "omni_notice", Right.EVERYTHING),
                _list(_("Inbound journal"), "inbox", "omni_inboundevent", Right.JOURNAL),
                _list(_("Silent channels"), "volume_off", "omni_silence", Right.JOURNAL),
                _list(_("Sent by another channel"), "alt_route", "omni_fallback", Right.EVERYTHING),
            ],
        },
        {
            "title": _("Topics and SLA"),
            "items": [
                _list(_("Topics"), "account_tree", "tickets_topic"),
                _list(_("Versions of the topics"), "difference", "tickets_topicversion"),
                _list(_("Topics in versions"), "edit_note", "tickets_topicentry"),
                _list(_("Details of tickets"), "fact_check", "tickets_detail"),
                _list(_("Routing rules"), "alt_route", "tickets_routerule"),
                _list(_("Rules of duplicates"), "balance", "tickets_likenessrule"),
                _list(_("Numbers of duplicates"), "tune", "tickets_likenesspolicy"),
                _list(_("Topics of common matters"), "groups", "tickets_sharedtopic"),
                _list(_("Words that say nothing"), "text_fields", "tickets_commonword"),
                _list(_("Rules of bursts"), "monitoring", "tickets_burstrule"),
                _list(_("Stand-ins of groups"), "swap_horiz", "tickets_groupfallback"),
                _list(_("Reasons to wait"), "pending", "tickets_waitreason"),
                _list(_("Causes of closing"), "task_alt", "tickets_closingcause"),
                _list(_("Reopening"), "replay", "tickets_reopenrule"),
                _list(_("Calls to make"), "phone_callback", "tickets_callback", Right.EVERYTHING),
                _list(_("Topic model"), "network_intelligence", "suggestions_modelversion", Right.REPORTS),
                _list(_("Suggestion rules"), "tune", "suggestions_suggestionrules"),
                _list(_("Suggested topics"), "checklist", "suggestions_suggestion", Right.EVERYTHING),
                _list(_("Answer templates"), "quick_phrases", "tickets_answertemplate"),
                _list(_("Texts of letters"), "drafts", "tickets_lettertext"),
                _list(_("Notices of tickets"), "campaign", "tickets_guesttext"),
                _list(_("Questions of satisfaction"), "sentiment_satisfied", "tickets_surveyrule"),
                _list(_("Numbers of questions and notices"), "tune", "tickets_askingsettings"),
                _list(_("Rules of approval"), "gavel", "tickets_approvalrule"),
                _list(_("Absences"), "event_busy", "tickets_absence"),
                _list(_("SLA policies"), "timer", "sla_policy"),
                _list(_("Rules of promises"), "rule", "tickets_policyrule"),
                _list(_("Calendars"), "calendar_month", "sla_calendar"),
                _list(_("SLA clocks"), "hourglass_top", "sla_clock"),
                _list(_("Changes of promises"), "published_with_changes", "sla_termschange"),
            ],
        },
        {
            "title": _("Escalation"),
            "items": [
                _list(_("What is called out"), "campaign", "escalation_run"),
                _list(_("Alarms of escalation"), "emergency", "escalation_alarm"),
                _list(_("Notices to staff"), "notifications", "escalation_delivery"),
                _list(_("Escalation maps"), "stairs", "escalation_escalationmap"),
                _list(_("Lines of the maps"), "format_list_numbered", "escalation_mapline"),
                _list(_("Duty roles"), "badge", "escalation_dutyrole"),
                _list(_("Duty schedules"), "calendar_clock", "escalation_schedule"),
                _list(_("Layers of duty"), "layers", "escalation_layer"),
                _list(_("Swaps of duty"), "swap_horiz", "escalation_swap"),
                _list(_("Past duty"), "history_toggle_off", "escalation_dutyinterval"),
                _list(_("Contacts of staff"), "contact_phone", "escalation_contact"),
                _list(_("Dry runs"), "rule", "escalation_dryrun"),
                _list(_("Matters without a line"), "unknown_document", "escalation_unmappedhit"),
                _list(_("Systems to call"), "webhook", "escalation_hook"),
                _list(_("Settings of escalation"), "tune", "escalation_escalationsettings"),
            ],
        },
        {
            "title": _("Channels"),
            "items": [
                _list(_("Channel accounts"), "hub", "omni_channelaccount"),
                _list(_("Queues"), "queue", "omni_queue"),
                _list(_("Extensions"), "dialpad", "omni_extension"),
                _list(_("Approved texts"), "verified", "omni_messagetemplate"),
                _list(_("Next channels"), "low_priority", "omni_fallbackstep"),
                _list(_("Silence alarms"), "notifications", "omni_silencerule"),
                _list(_("Consents to notices"), "notifications_off", "omni_noticeconsent"),
                _list(_("Matching of guests"), "join_inner", "customers_matchrule"),
                _list(_("Numbers of joining"), "tune", "customers_mergepolicy"),
            ],
        },
        {
            "title": _("Bots and knowledge"),
            "items": [
                _list(_("Bots' dialogues"), "smart_toy", "bots_dialogue"),
                _list(_("Versions of dialogues"), "history_edu", "bots_version"),
                _list(_("Steps of dialogues"), "conversion_path", "bots_step"),
                _list(_("Talks of bots"), "voice_chat", "bots_run", Right.EVERYTHING),
                _list(_("Articles"), "menu_book", "knowledge_article"),
                _list(_("Orders"), "local_shipping", "orders_order", Right.PERSONAL),
                _list(_("Meanings of statuses"), "translate", "orders_statusrule"),
                _list(_("Words for states"), "chat_info", "orders_statewords"),
            ],
        },
        {
            "title": _("Distribution"),
            "items": [
                _list(_("Skills"), "psychology", "omni_skill"),
                _list(_("Skills that dialogues need"), "rule", "omni_skillneed"),
                _list(_("Limits of channels"), "speed", "omni_channellimit"),
                _list(_("Kinds of break"), "coffee", "omni_breakkind"),
                _list(_("Reasons to decline"), "thumb_down", "omni_declinereason"),
                _list(_("Times in states"), "schedule", "omni_presencespan", Right.SUPERVISE),
            ],
        },
        {
            "title": _("Points"),
            "items": [
                _list(_("Compensations"), "redeem", "loyalty_compensation", Right.POINTS),
                _list(_("Wallets"), "account_balance_wallet", "loyalty_wallet", Right.POINTS),
                _list(_("Loyalty cards"), "loyalty", "loyalty_card", Right.POINTS),
                _list(_("Transfers of points"), "swap_horiz", "loyalty_transfer", Right.POINTS),
                _list(_("Accounts of points"), "account_balance", "loyalty_account", Right.POINTS),
                _list(_("Reservations of points"), "bookmark", "loyalty_reservation", Right.POINTS),
                _list(_("Imports of points"), "upload_file", "loyalty_import", Right.POINTS),
                _list(_("Alarms of the ledger"), "notification_important", "loyalty_alarm"),
                _list(_("Operations at the processing"), "sync_alt", "loyalty_operation", Right.POINTS),
            ],
        },
        {
            "title": _("Limits of compensations"),
            "items": [
                _list(_("Without approval"), "how_to_reg", "loyalty_allowance"),
                _list(_("Limits of a guest"), "person_alert", "loyalty_guestallowance"),
                _list(_("Approvals"), "approval", "loyalty_approvallevel"),
                _list(_("Reasons"), "list", "loyalty_compensationreason"),
                _list(_("Budgets"), "savings", "loyalty_budget"),
                _list(_("Campaigns"), "campaign", "loyalty_campaign"),
                _list(_("Terms of points"), "hourglass", "loyalty_terms"),
                _list(_("Processings of points"), "dns", "loyalty_processing"),
            ],
        },
        {
            "title": _("Stores"),
            "items": [
                _list(_("Stores"), "storefront", "stores_store"),
                _list(_("Regions"), "map", "stores_region"),
                _list(_("Clusters"), "hub", "stores_cluster"),
                _list(_("Chains"), "link", "stores_chain"),
            ],
        },
        {
            "title": _("Reports"),
            "items": [
                _page(_("Figures"), "bar_chart", "reports", Right.REPORTS),
                _page(_("Pauses in which the guest wrote"), "pause_circle", "reports_pauses", Right.REPORTS),
                _list(_("Counted tickets"), "fact_check", "reports_casefact", Right.REPORTS),
            ],
        },
        {
            "title": _("Access"),
            "items": [
                _list(_("Staff"), "group", "accounts_staff"),
                _list(_("Groups"), "groups", "accounts_group"),
                _list(_("Roles"), "shield_person", "accounts_role"),
                _list(_("API tokens"), "key", "accounts_apitoken"),
                _list(_("Audit"), "history", "core_auditentry"),
            ],
        },
    ]
