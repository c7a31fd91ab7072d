"""Addresses of the API of operations."""

from django.urls import URLPattern, path

from governance.operations.api import PublicKey, Trail, TrailExport

urlpatterns: list[URLPattern] = [
    path("audit.<slug:kind>", TrailExport.as_view(), name="audit-export"),
    path("audit/", Trail.as_view(), name="audit"),
    path("keys/", PublicKey.as_view(), name="keys"),
]
