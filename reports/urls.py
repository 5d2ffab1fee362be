from django.urls import path

from reports import views

urlpatterns = [
    path("reports/", views.report, name="reports"),
    path("reports/cases.csv", views.download, name="reports_csv"),
]
