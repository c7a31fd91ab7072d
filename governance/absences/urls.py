"""Addresses of the pages of absences."""

from django.urls import URLPattern, path

from governance.absences import web

urlpatterns: list[URLPattern] = [
    path("absences/", web.absences, name="absences"),
    path("absences/<int:absence_id>/end/", web.end, name="absence_end"),
    path("absences/<int:absence_id>/deputy/", web.propose, name="absence_deputy"),
]
