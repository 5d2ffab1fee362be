from django.urls import path

from loyalty.api import views

urlpatterns = [
    path("api/v1/cases/<int:case_id>/points", views.CasePointsView.as_view(), name="api_case_points"),
    path("api/v1/cases/<int:case_id>/compensations", views.CaseCompensationsView.as_view(), name="api_case_compensations"),
    path("api/v1/compensations", views.CompensationsView.as_view(), name="api_compensations"),
    path("api/v1/compensations/<uuid:compensation_id>/approve", views.ApproveView.as_view(), name="api_compensation_approve"),
    path("api/v1/compensations/<uuid:compensation_id>/refuse", views.RefuseView.as_view(), name="api_compensation_refuse"),
    path("api/v1/compensations/<uuid:compensation_id>/withdraw", views.WithdrawView.as_view(), name="api_compensation_withdraw"),
]
