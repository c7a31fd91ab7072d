"""Addresses of the benchmarking pages."""

from django.urls import path

from benchmarking.prices import web as prices
from benchmarking.projections.web import costs
from benchmarking.runs.web import comparison, runs, sandbox

app_name = "benchmarking"
urlpatterns = [
    path("costs/", costs.calculator, name="costs"),
    path("costs/spec/", costs.spec, name="cost_spec"),
    path("costs/compare/", costs.compare, name="compare_projections"),
    path("costs/<str:token>/", costs.kept, name="projection"),
    path("costs/<str:token>/charts/<slug:name>.svg", costs.picture, name="projection_picture"),
    path("runs/compare/", comparison.side_by_side, name="compare"),
    path("runs/<int:run_id>/", runs.detail, name="run"),
    path("runs/<int:run_id>/live/", runs.live, name="run_live"),
    path("runs/<int:run_id>/result.json", runs.result, name="run_result"),
    path("runs/<int:run_id>/charts/<slug:name>.svg", runs.picture, name="run_picture"),
    path("runs/<int:run_id>/cancel/", runs.cancel, name="run_cancel"),
    path("runs/<int:run_id>/repeat/", runs.repeat, name="run_repeat"),
    path("runs/sandbox/", sandbox.shown, name="sandbox"),
    path("runs/sandbox/choose/", sandbox.choose, name="sandbox_choose"),
    path("prices/", prices.shown, name="prices"),
    path("prices/publish/", prices.publish, name="prices_publish"),
    path("prices/withdraw/", prices.withdraw, name="prices_withdraw"),
    path("models/<slug:team>/<slug:slug>/runs/", runs.of_model, name="model_runs"),
]
