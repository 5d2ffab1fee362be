from django.urls import include, path

from tickets.api import escalation, life, views
from tickets.pages import approvals, mark, store

urlpatterns = [
    path("", include("tickets.urls_belonging")),
    path("", include("tickets.urls_asking")),
    path("s/<str:token>/", store.show, name="store_link"),
    path("s/<str:token>/answer/", store.answer, name="store_link_answer"),
    path("s/<str:token>/time/", store.ask_time, name="store_link_time"),
    path("approvals/", approvals.list_mine, name="approvals"),
    path("approvals/<int:approval_id>/", approvals.show, name="approval"),
    path("approvals/<int:approval_id>/decide/", approvals.decide, name="approval_decide"),
    path("m/<str:token>/", mark.show, name="mark_link"),
    path("m/<str:token>/give/", mark.give, name="mark_link_give"),
    path("api/v1/cases/", views.CasesView.as_view(), name="api_cases"),
    path("api/v1/cases/<int:case_id>/", views.CaseView.as_view(), name="api_case"),
    path("api/v1/cases/<int:case_id>/answers", views.AnswersView.as_view(), name="api_case_answers"),
    path("api/v1/cases/<int:case_id>/clocks", views.ClocksView.as_view(), name="api_case_clocks"),
    path("api/v1/cases/<int:case_id>/route", life.RouteView.as_view(), name="api_case_route"),
    path("api/v1/cases/<int:case_id>/waits", life.WaitsView.as_view(), name="api_case_waits"),
    path("api/v1/cases/<int:case_id>/calls", life.CallsView.as_view(), name="api_case_calls"),
    path("api/v1/cases/<int:case_id>/calls/<int:call_id>", life.CallView.as_view(), name="api_case_call"),
    path("api/v1/cases/<int:case_id>/followers", life.FollowView.as_view(), name="api_case_follow"),
    path("api/v1/cases/<int:case_id>/close", views.CloseView.as_view(), name="api_case_close"),
    path("api/v1/cases/<int:case_id>/escalation", escalation.EscalationView.as_view(), name="api_case_escalation"),
    path("api/v1/cases/<int:case_id>/escalation/take", escalation.EscalationTakeView.as_view(), name="api_case_escalation_take"),
    path("api/v1/search", views.SearchView.as_view(), name="api_search"),
    path("api/v1/topics", views.TopicsView.as_view(), name="api_topics"),
    path("api/v1/stores", views.StoresView.as_view(), name="api_stores"),
]
