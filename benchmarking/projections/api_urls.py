"""Addresses of the API of projections."""

from django.urls import URLPattern, path

from benchmarking.projections.api import CostsView, ProjectionToday, ProjectionView

urlpatterns: list[URLPattern] = [
    path("costs/", CostsView.as_view(), name="costs"),
    path("costs/<slug:token>/", ProjectionView.as_view(), name="projection"),
    path("costs/<slug:token>/replay/", ProjectionToday.as_view(), name="projection-today"),
]
