from django.urls import path

from suggestions import views

urlpatterns = [
    path("suggestions/session/<int:session_id>/", views.show, name="suggested_topics"),
    path("api/v1/topics/suggested", views.SuggestedView.as_view(), name="api_topics_suggested"),
]
