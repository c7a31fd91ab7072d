"""Every address of the application, by app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

api: list[URLPattern | URLResolver] = [
    path("", include("governance.api.urls")),
    path("", include("benchmarking.api.urls")),
    path("", include("reviews.api.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]

urlpatterns = [
    path("", include("governance.web.urls")),
    path("", include("benchmarking.web.urls")),
    path("", include("reviews.web.urls")),
    path("api/v1/", include((api, "api"))),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
