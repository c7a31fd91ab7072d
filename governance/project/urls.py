"""Every address of the application, by app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

import benchmarking.queries.metrics
import governance.queries.metrics
import reviews.queries.metrics
from governance.api.metrics import Metrics

api: list[URLPattern | URLResolver] = [
    path("", include("governance.api.urls")),
    path("", include("benchmarking.api.urls")),
    path("", include("reviews.api.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]

metrics = Metrics.as_view(
    collectors=[
        lambda now: governance.queries.metrics.families(now=now),
        lambda now: benchmarking.queries.metrics.families(now=now),
        lambda now: reviews.queries.metrics.families(now=now),
    ]
)

urlpatterns = [
    path("metrics", metrics, name="metrics"),
    path("", include("governance.web.urls")),
    path("", include("benchmarking.web.urls")),
    path("", include("reviews.web.urls")),
    path("api/v1/", include((api, "api"))),
    path("hooks/", include("reviews.api.hooks")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
