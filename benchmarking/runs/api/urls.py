"""Addresses of the benchmarking API."""

from django.urls import URLPattern, path

from benchmarking.prices.api import Prices
from benchmarking.projections.api import Costs, Projection, ProjectionToday
from benchmarking.runs.api.datasets import Datasets
from benchmarking.runs.api.runs import RunCancellation, RunDetail
from benchmarking.runs.api.sandbox import Sandbox

urlpatterns: list[URLPattern] = [
    path("costs/", Costs.as_view(), name="costs"),
    path("costs/<slug:token>/", Projection.as_view(), name="projection"),
    path("costs/<slug:token>/today/", ProjectionToday.as_view(), name="projection-today"),
    path("datasets/", Datasets.as_view(), name="datasets"),
    path("prices/", Prices.as_view(), name="prices"),
    path("runs/<int:run_id>/", RunDetail.as_view(), name="run"),
    path("runs/<int:run_id>/cancel/", RunCancellation.as_view(), name="run-cancel"),
    path("sandbox/", Sandbox.as_view(), name="sandbox"),
]
