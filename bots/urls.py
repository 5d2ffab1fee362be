from django.urls import path

from bots import views

urlpatterns = [
    path("ivr/<uuid:account_id>/next", views.signed_question, name="ivr_next"),
    path("ivr/<uuid:account_id>/dialplan", views.dialplan_question, name="ivr_dialplan"),
]
