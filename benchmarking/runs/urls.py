"""Addresses of the pages of runs."""

from django.urls import URLPattern, path

from benchmarking.runs.web import comparison, datasets, runs, sandbox, workers

urlpatterns: list[URLPattern] = [
    path("datasets/", datasets.listed, name="datasets"),
    path("datasets/new/", datasets.new, name="dataset_new"),
    path("datasets/<int:dataset_id>/", datasets.detail, name="dataset"),
    path("datasets/<int:dataset_id>/propose/", datasets.propose, name="dataset_propose"),
    path("datasets/<int:dataset_id>/retire/", datasets.retire, name="dataset_retire"),
    path("runs.<slug:kind>", comparison.exported, name="runs_export"),
    path("runs/", comparison.listed, name="runs"),
    path("runs/compare/", comparison.side_by_side, name="compare"),
    path("runs/<int:run_id>/", runs.detail, name="run"),
    path("runs/<int:run_id>/live/", runs.live, name="run_live"),
    path("runs/<int:run_id>/result.json", runs.result, name="run_result"),
    path("runs/<int:run_id>/cancel/", runs.cancel, name="run_cancel"),
    path("runs/<int:run_id>/repeat/", runs.repeat, name="run_repeat"),
    path("sandbox/", sandbox.detail, name="sandbox"),
    path("sandbox/choose/", sandbox.choose, name="sandbox_choose"),
    path("workers/", workers.listed, name="workers"),
    path("workers/new/", workers.new, name="worker_new"),
    path("workers/<int:worker_id>/", workers.detail, name="worker"),
    path("workers/<int:worker_id>/retire/", workers.retire, name="worker_retire"),
    path("models/<slug:team>/<slug:slug>/runs/", runs.of_model, name="model_runs"),
]
