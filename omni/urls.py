from django.urls import include, path

from omni import published, views

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
]
