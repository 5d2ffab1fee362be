from django.urls import path

from workstation import commands, views

_item = "desk/<slug:kind>/<int:subject_id>/"
_session = "desk/session/<int:subject_id>/"
_case = "desk/case/<int:subject_id>/"

urlpatterns = [
    path("", views.start, name="start"),
    path("jsi18n/<slug:language>/", views.texts, name="jsi18n"),
    path("desk/", views.desk, name="desk"),
    path("desk/list/", views.list_part, name="desk_list"),
    path("desk/counts/", views.counts, name="desk_counts"),
    path("desk/topics/", views.topics, name="desk_topics"),
    path("desk/stores/", views.stores, name="desk_stores"),
    path("desk/colleagues/", views.colleagues, name="desk_colleagues"),
    path("desk/groups/", views.groups, name="desk_groups"),
    path("desk/search/", views.search_part, name="desk_search"),
    path("desk/presence/", commands.change_presence, name="desk_presence"),
    path("desk/look/", commands.choose_theme, name="desk_look"),
    path("desk/files/<uuid:public_id>/", views.attachment, name="desk_file"),
    path("desk/guests/<int:guest_id>/reveal/", commands.reveal, name="desk_reveal"),
    path("desk/messages/<int:message_id>/resend/", commands.resend, name="desk_resend"),
    path("desk/messages/<int:message_id>/take-back/", commands.take_back, name="desk_take_back"),
    path(f"{_session}take/", commands.take_session, name="desk_take_session"),
    path(f"{_session}hand/", commands.hand_session, name="desk_hand_session"),
    path(f"{_session}return/", commands.return_session, name="desk_return_session"),
    path(f"{_session}finish/", commands.finish, name="desk_finish"),
    path(f"{_session}ticket/", commands.open_ticket, name="desk_open_ticket"),
    path(f"{_case}take/", commands.take_case, name="desk_take_case"),
    path(f"{_case}hand/", commands.hand_case, name="desk_hand_case"),
    path(f"{_case}return/", commands.return_case, name="desk_return_case"),
    path(f"{_case}route/", commands.route, name="desk_route"),
    path(f"{_case}wait/", commands.wait, name="desk_wait"),
    path(f"{_case}close/", commands.close_case, name="desk_close_case"),
    path(f"{_case}reopen/", commands.reopen_case, name="desk_reopen_case"),
    path(f"{_case}store-answer/", commands.store_answer, name="desk_store_answer"),
    path(_item, views.desk, name="desk_item"),
    path(f"{_item}open/", views.open_part, name="desk_open"),
    path(f"{_item}header/", views.header_part, name="desk_header"),
    path(f"{_item}feed/", views.feed_part, name="desk_feed"),
    path(f"{_item}messages/", views.messages_part, name="desk_messages"),
    path(f"{_item}templates/", views.templates_part, name="desk_templates"),
    path(f"{_item}answer/", commands.answer, name="desk_answer"),
    path(f"{_item}note/", commands.note, name="desk_note"),
    path(f"{_item}snooze/", commands.snooze, name="desk_snooze"),
    path(f"{_item}wake/", commands.wake, name="desk_wake"),
    path(f"{_item}draft/", commands.save_draft, name="desk_draft"),
    path(f"{_item}read/", commands.mark_read, name="desk_read"),
]
