"""Addresses of the API of workloads."""

from django.urls import URLPattern, path

from reviews.workloads.api import billed, reports, usage, workloads

urlpatterns: list[URLPattern] = [
    path("workloads/", workloads.Workloads.as_view(), name="workloads"),
    path("workloads.<slug:kind>", workloads.WorkloadsExport.as_view(), name="workloads-export"),
    path("workloads/reports/", reports.Reports.as_view(), name="workload-reports"),
    path("workloads/reports/remove/", reports.Removal.as_view(), name="workload-report-remove"),
    path("workloads/billed/", billed.UnrequestedGpus.as_view(), name="billed-gpus"),
    path("workloads/billed.<slug:kind>", billed.BilledExport.as_view(), name="billed-gpus-export"),
    path("usage/", usage.ModelUsage.as_view(), name="usage"),
    path("usage/reports/", usage.UsageReports.as_view(), name="usage-reports"),
]
