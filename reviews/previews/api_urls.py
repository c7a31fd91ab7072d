"""Addresses of the API of previews."""

from django.urls import URLPattern, path

from reviews.previews.api import DraftPreview, Preview

urlpatterns: list[URLPattern] = [
    path("requests/preview/", Preview.as_view(), name="preview"),
    path("requests/<slug:ref>/preview/", DraftPreview.as_view(), name="request-preview"),
]
