"""Addresses of the pages of workloads."""

from django.urls import URLPattern, path

from reviews.workloads.web import usage
from reviews.workloads.web import workloads as web

urlpatterns: list[URLPattern] = [
    path("workloads/", web.listed, name="workloads"),
    path("workloads.<slug:kind>", web.export_workloads, name="workloads_export"),
    path("workloads/billed.<slug:kind>", web.export_billed, name="billed_export"),
    path("workloads/remove/", web.remove, name="cluster_remove"),
    path("usage/", usage.listed, name="usage"),
    path("usage/upload/", usage.upload, name="usage_upload"),
]
