"""Addresses of the API of runs."""

from django.urls import URLPattern, path

from benchmarking.runs.api.datasets import DatasetDetail, DatasetProposal, DatasetRetirement, Datasets
from benchmarking.runs.api.runs import RunCancellation, RunDetail, Sandbox

urlpatterns: list[URLPattern] = [
    path("datasets/", Datasets.as_view(), name="datasets"),
    path("datasets/<int:dataset_id>/", DatasetDetail.as_view(), name="dataset"),
    path("datasets/<int:dataset_id>/propose/", DatasetProposal.as_view(), name="dataset-propose"),
    path("datasets/<int:dataset_id>/retire/", DatasetRetirement.as_view(), name="dataset-retire"),
    path("runs/<int:run_id>/", RunDetail.as_view(), name="run"),
    path("runs/<int:run_id>/cancel/", RunCancellation.as_view(), name="run-cancel"),
    path("sandbox/", Sandbox.as_view(), name="sandbox"),
]
