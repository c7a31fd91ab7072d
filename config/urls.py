"""Every address of the application, by app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

import benchmarking.runs.queries.metrics
import governance.operations.queries
import reviews.workflow.queries.metrics
from governance.operations.api.metrics import Metrics

api: list[URLPattern | URLResolver] = [
    path("", include("governance.operations.api.urls")),
    path("", include("benchmarking.runs.api.urls")),
    path("", include("reviews.workflow.api.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]

metrics = Metrics.as_view(
    collectors=[
        lambda now: governance.operations.queries.families(now=now),
        lambda now: benchmarking.runs.queries.metrics.families(now=now),
        lambda now: reviews.workflow.queries.metrics.families(now=now),
    ]
)

urlpatterns = [
    path("metrics", metrics, name="metrics"),
    path("", include("governance.operations.web.urls")),
    path("", include("benchmarking.runs.web.urls")),
    path("", include("reviews.workflow.web.urls")),
    path("api/v1/", include((api, "api"))),
    path("hooks/", include("reviews.inbound.api")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
