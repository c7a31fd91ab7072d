"""Addresses of the API of runs."""

from django.urls import URLPattern, path

from benchmarking.runs.api import Datasets, RunCancellation, RunDetail, Sandbox

urlpatterns: list[URLPattern] = [
    path("datasets/", Datasets.as_view(), name="datasets"),
    path("runs/<int:run_id>/", RunDetail.as_view(), name="run"),
    path("runs/<int:run_id>/cancel/", RunCancellation.as_view(), name="run-cancel"),
    path("sandbox/", Sandbox.as_view(), name="sandbox"),
]
