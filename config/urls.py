"""All URLs of the application."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from benchmarking.runs.queries import prometheus as runs
from governance.operations import queries as operations
from governance.operations.api import MetricsPermission
from governance.site.api import schema
from reviews.workflow.queries import prometheus as workflow

__all__ = ["handler500", "schema", "urlpatterns"]

handler500 = "governance.site.web.outages.answer_error"

PAGES = {
    "governance": [
        "governance.operations.urls",
        "governance.notifications.urls",
        "governance.absences.urls",
        "governance.saved_views.urls",
        "governance.inventory.urls",
        "governance.rulebook.urls",
        "governance.budgets.urls",
        "governance.bills.urls",
        "governance.site.urls",
    ],
    "benchmarking": [
        "benchmarking.projections.urls",
        "benchmarking.runs.urls",
        "benchmarking.prices.urls",
    ],
    "reviews": [
        "reviews.inbox.urls",
        "reviews.search.urls",
        "reviews.ticket_sync.urls",
        "reviews.evidence.urls",
        "reviews.previews.urls",
        "reviews.discussions.urls",
        "reviews.notes.urls",
        "reviews.workflow.urls",
        "reviews.workloads.urls",
        "reviews.quarterly.urls",
    ],
}
"""The modules with the URLs of pages, by namespace. The first match is used."""

API = [
    "reviews.feed.api_urls",
    "governance.inventory.api_urls",
    "governance.rulebook.api_urls",
    "governance.people.approvals.api_urls",
    "governance.absences.api_urls",
    "governance.saved_views.api_urls",
    "governance.notifications.api_urls",
    "governance.budgets.api_urls",
    "governance.findings.api_urls",
    "governance.bills.api_urls",
    "governance.operations.api_urls",
    "benchmarking.projections.api_urls",
    "benchmarking.runs.api_urls",
    "benchmarking.prices.api_urls",
    "reviews.evidence.api_urls",
    "reviews.previews.api_urls",
    "reviews.discussions.api_urls",
    "reviews.notes.api_urls",
    "reviews.workflow.api_urls",
    "reviews.inbox.api_urls",
    "reviews.workloads.api_urls",
    "reviews.quarterly.api_urls",
]
"""The modules with the URLs of the API."""

api: list[URLPattern | URLResolver] = [
    *(path("", include(module)) for module in API),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]
metrics = MetricsPermission.as_view(collectors=[operations.families, runs.families, workflow.families])

urlpatterns = [
    path("api/v1/", include((api, "api"))),  # first: the gate is asked most
    path("metrics", metrics, name="metrics"),
    *(
        path("", include(([path("", include(module)) for module in modules], namespace)))
        for namespace, modules in PAGES.items()
    ),
    path("hooks/", include("reviews.ticket_sync.api")),
    path("accounts/", include("governance.accounts.urls")),
    path("admin/", admin.site.urls),
]
