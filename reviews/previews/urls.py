"""Addresses of the pages of previews."""

from django.urls import URLPattern, path

from reviews.previews import web as previews

urlpatterns: list[URLPattern] = [
    path("requests/preview/", previews.preview, name="preview"),
]
