"""Addresses of the API of absences."""

from django.urls import URLPattern, path

from governance.absences.api import AbsenceEnd, Absences, DeputyProposal

urlpatterns: list[URLPattern] = [
    path("absences/", Absences.as_view(), name="absences"),
    path("absences/<int:absence_id>/end/", AbsenceEnd.as_view(), name="absence-end"),
    path("absences/<int:absence_id>/deputy/", DeputyProposal.as_view(), name="absence-deputy"),
]
