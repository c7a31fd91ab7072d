"""Addresses of the API of projections."""

from django.urls import URLPattern, path

from benchmarking.projections.api import Costs, Projection, ProjectionToday

urlpatterns: list[URLPattern] = [
    path("costs/", Costs.as_view(), name="costs"),
    path("costs/<slug:token>/", Projection.as_view(), name="projection"),
    path("costs/<slug:token>/today/", ProjectionToday.as_view(), name="projection-today"),
]
