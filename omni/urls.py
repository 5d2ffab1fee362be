from django.urls import path

from omni import views

urlpatterns = [
    path("hooks/<slug:kind>/<uuid:account_id>/", views.webhook, name="webhook"),
]
