"""Addresses of the API of runs."""

from django.urls import URLPattern, path

from benchmarking.runs.api.datasets import DatasetDetail, DatasetProposal, DatasetRetirement, Datasets
from benchmarking.runs.api.elsewhere import (
    WorkerClaim,
    WorkerFailure,
    WorkerFile,
    WorkerHandBack,
    WorkerRenewal,
    WorkerResult,
    WorkerRun,
    WorkerSelf,
)
from benchmarking.runs.api.runs import RunCancellation, RunDetail, Sandbox
from benchmarking.runs.api.workers import WorkerRetirement, Workers

urlpatterns: list[URLPattern] = [
    path("datasets/", Datasets.as_view(), name="datasets"),
    path("datasets/<int:dataset_id>/", DatasetDetail.as_view(), name="dataset"),
    path("datasets/<int:dataset_id>/propose/", DatasetProposal.as_view(), name="dataset-propose"),
    path("datasets/<int:dataset_id>/retire/", DatasetRetirement.as_view(), name="dataset-retire"),
    path("runs/<int:run_id>/", RunDetail.as_view(), name="run"),
    path("runs/<int:run_id>/cancel/", RunCancellation.as_view(), name="run-cancel"),
    path("sandbox/", Sandbox.as_view(), name="sandbox"),
    path("worker/", WorkerSelf.as_view(), name="worker"),
    path("worker/take/", WorkerClaim.as_view(), name="worker-take"),
    path("worker/runs/<int:run_id>/", WorkerRun.as_view(), name="worker-run"),
    path("worker/runs/<int:run_id>/renew/", WorkerRenewal.as_view(), name="worker-renew"),
    path("worker/runs/<int:run_id>/files/<str:digest>/", WorkerFile.as_view(), name="worker-file"),
    path("worker/runs/<int:run_id>/result/", WorkerResult.as_view(), name="worker-result"),
    path("worker/runs/<int:run_id>/failure/", WorkerFailure.as_view(), name="worker-failure"),
    path("worker/runs/<int:run_id>/hand-back/", WorkerHandBack.as_view(), name="worker-hand-back"),
    path("workers/", Workers.as_view(), name="workers"),
    path("workers/<int:worker_id>/retire/", WorkerRetirement.as_view(), name="worker-retire"),
]
