"""Addresses of the API of previews."""

from django.urls import URLPattern, path

from reviews.previews.api import DraftPreview, PolicyPreview

urlpatterns: list[URLPattern] = [
    path("requests/preview/", PolicyPreview.as_view(), name="preview"),
    path("requests/<slug:ref>/preview/", DraftPreview.as_view(), name="request-preview"),
]
