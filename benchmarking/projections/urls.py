"""Addresses of the pages of projections."""

from django.urls import URLPattern, path

from benchmarking.projections.web import costs

urlpatterns: list[URLPattern] = [
    path("costs/", costs.calculator, name="costs"),
    path("costs/spec/", costs.spec, name="cost_spec"),
    path("costs/compare/", costs.compare, name="compare_projections"),
    path("costs/<str:token>/", costs.detail, name="projection"),
    path("costs/<str:token>/charts/<slug:name>.svg", costs.picture, name="projection_picture"),
]
