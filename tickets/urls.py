from django.urls import path

from tickets.api import escalation, views
from tickets.pages import store

urlpatterns = [
    path("s/<str:token>/", store.show, name="store_link"),
    path("s/<str:token>/answer/", store.answer, name="store_link_answer"),
    path("s/<str:token>/time/", store.ask_time, name="store_link_time"),
    path("api/v1/cases/", views.CasesView.as_view(), name="api_cases"),
    path("api/v1/cases/<int:case_id>/", views.CaseView.as_view(), name="api_case"),
    path("api/v1/cases/<int:case_id>/answers", views.AnswersView.as_view(), name="api_case_answers"),
    path("api/v1/cases/<int:case_id>/clocks", views.ClocksView.as_view(), name="api_case_clocks"),
    path("api/v1/cases/<int:case_id>/close", views.CloseView.as_view(), name="api_case_close"),
    path("api/v1/cases/<int:case_id>/escalation", escalation.EscalationView.as_view(), name="api_case_escalation"),
    path("api/v1/cases/<int:case_id>/escalation/take", escalation.EscalationTakeView.as_view(), name="api_case_escalation_take"),
    path("api/v1/search", views.SearchView.as_view(), name="api_search"),
    path("api/v1/topics", views.TopicsView.as_view(), name="api_topics"),
    path("api/v1/stores", views.StoresView.as_view(), name="api_stores"),
]
