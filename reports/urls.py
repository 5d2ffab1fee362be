from django.urls import path

from reports import pause_views, views

urlpatterns = [
    path("reports/", views.report, name="reports"),
    path("reports/pauses/", pause_views.pauses, name="reports_pauses"),
    path("reports/pauses.csv", pause_views.download, name="reports_pauses_csv"),
    path("reports/cases.csv", views.download, name="reports_csv"),
]
