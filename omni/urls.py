from django.urls import include, path

from omni import published, views

urlpatterns = [
    path("", include("omni.chat.urls")),
    path("hooks/<slug:kind>/<uuid:account_id>/", views.webhook, name="webhook"),
    path("published/<str:token>/", published.published_file, name="published-file"),
    path("published/<str:token>/<str:name>", published.published_file),
]
