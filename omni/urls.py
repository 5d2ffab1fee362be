from django.urls import include, path

from omni import published, views
from omni.api import guests, messages

MANGO_EVENTS = ("call", "summary", "recording", "record/added", "record/tagged", "dtmf", "sms")

urlpatterns = [
    path("", include("omni.chat.urls")),
    path("hooks/<slug:kind>/<uuid:account_id>/", views.webhook, name="webhook"),
    # Yandex Market puts this word behind the address it is given.
    path("hooks/<slug:kind>/<uuid:account_id>/notification", views.webhook),
    # Mango Office puts these behind the address it is given.
    *(path(f"hooks/<slug:kind>/<uuid:account_id>/events/{name}", views.webhook) for name in MANGO_EVENTS),
    path("published/<str:token>/", published.published_file, name="published-file"),
    path("published/<str:token>/<str:name>", published.published_file),
    path("api/v1/guests/<int:guest_id>/candidates", guests.CandidatesView.as_view(), name="api_guest_candidates"),
    path("api/v1/guests/<int:guest_id>/merge-preview", guests.PreviewView.as_view(), name="api_guest_merge_preview"),
    path("api/v1/guests/<int:guest_id>/merges", guests.MergesView.as_view(), name="api_guest_merges"),
    path("api/v1/merges/<int:merge_id>/undo", guests.UndoView.as_view(), name="api_merge_undo"),
    path("api/v1/sessions/<int:session_id>/answers", messages.SessionAnswersView.as_view(), name="api_session_answers"),
    path("api/v1/sessions/<int:session_id>/templates", messages.ApprovedView.as_view(), name="api_session_templates"),
    path("api/v1/messages/<int:message_id>/story", messages.StoryView.as_view(), name="api_message_story"),
    path("api/v1/messages/<int:message_id>/other-channel", messages.OtherChannelView.as_view(), name="api_message_other_channel"),
]
