"""Addresses of duplicates, links, incidents and mass jobs at the desk."""

from django.urls import path

from workstation import belonging, mass_work

_case = "desk/case/<int:subject_id>/"

urlpatterns = [
    path("desk/mass/", mass_work.jobs, name="desk_mass"),
    path("desk/mass/chosen/", mass_work.chosen, name="desk_mass_chosen"),
    path("desk/mass/make/", mass_work.make, name="desk_mass_make"),
    path("desk/mass/<int:job_id>/", mass_work.job, name="desk_mass_job"),
    path("desk/mass/<int:job_id>/<slug:deed>/", mass_work.job_deed, name="desk_mass_deed"),
    path("desk/incidents/", mass_work.incidents_page, name="desk_incidents"),
    path("desk/incidents/<int:incident_id>/<slug:deed>/", mass_work.incident_deed, name="desk_incident_deed"),
    path("desk/session/<int:subject_id>/alike/", belonging.alike_part, name="desk_alike"),
    path("desk/links/<int:link_id>/undo/", belonging.undo, name="desk_undo_link"),
    path(f"{_case}belonging/", belonging.beside, name="desk_belonging"),
    path(f"{_case}compare/<int:main_id>/", belonging.compare_part, name="desk_compare"),
    path(f"{_case}link/", belonging.link, name="desk_link"),
    path(f"{_case}two-matters/", belonging.two_matters, name="desk_two_matters"),
    path(f"{_case}split/", belonging.split, name="desk_split"),
]
