from django.urls import include, path

from omni import views

urlpatterns = [
    path("", include("omni.chat.urls")),
    path("hooks/<slug:kind>/<uuid:account_id>/", views.webhook, name="webhook"),
]
