"""Addresses of duplicates, links, incidents and mass jobs."""

from django.urls import path

from tickets.api import belonging, mass

urlpatterns = [
    path("api/v1/cases/alike", belonging.AskAlikeView.as_view(), name="api_alike"),
    path("api/v1/cases/<int:case_id>/duplicates", belonging.DuplicatesView.as_view(), name="api_duplicates"),
    path("api/v1/cases/<int:case_id>/links", belonging.LinksView.as_view(), name="api_links"),
    path("api/v1/cases/<int:case_id>/split", belonging.SplitView.as_view(), name="api_split"),
    path("api/v1/links/<int:link_id>/undo", belonging.UndoLinkView.as_view(), name="api_undo_link"),
    path("api/v1/mass", mass.JobsView.as_view(), name="api_mass"),
    path("api/v1/mass/<int:job_id>", mass.JobView.as_view(), name="api_mass_job"),
    path("api/v1/mass/<int:job_id>/<slug:deed>", mass.JobDeedView.as_view(), name="api_mass_deed"),
    path("api/v1/incidents", mass.IncidentsView.as_view(), name="api_incidents"),
    path("api/v1/incidents/<int:incident_id>/<slug:deed>", mass.IncidentDeedView.as_view(), name="api_incident_deed"),
]
